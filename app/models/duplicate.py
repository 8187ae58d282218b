"""Duplicates: what a search has read, the clusters that it has found, and what people have decided."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.columns import (
    big_id,
    born,
    document,
    documents,
    key_words,
    moment,
    number,
    optional_document,
    reference,
    shared_key,
    words,
)


class ClusterState(StrEnum):
    OPEN = "open"  # a person is asked
    DISMISSED = "dismissed"  # a person says: these are not one thing
    MERGED = "merged"  # they were; the next search takes it off the list


class DuplicateRecord(SQLModel, table=True):
    """One record as a running search has read it; gone when the search ends.

    `label`: the least id of the records that it is known to belong together with; empty: its own.
    """

    __tablename__ = "duplicate_records"
    __table_args__ = (UniqueConstraint("run_id", "side", "external_id", name="duplicate_records_once"),)

    id: int | None = big_id()
    run_id: int = reference("runs.id")
    side: str = words()
    external_id: str = words()
    label: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    card: dict[str, Any] = document()
    made_at: datetime | None = moment()
    changed_at: datetime | None = moment()


class DuplicateKey(SQLModel, table=True):
    """What a record may share with others, in one normal form."""

    __tablename__ = "duplicate_keys"
    __table_args__ = (Index("duplicate_keys_shared", "run_id", "side", "kind", "key"),)

    record_id: int = shared_key("duplicate_records.id")
    kind: str = key_words()
    key: str = key_words()
    run_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    side: str = words()


class DuplicateCluster(SQLModel, table=True):
    """`keys`: `{"kind", "key", "ids"}`, `members`: their cards, with `id`, `created_at` and `updated_at`.

    `merging`: `{"survivor", "other", "actor"}` while it is not known whether the vendor has merged these two.
    """

    __tablename__ = "duplicate_clusters"
    __table_args__ = (Index("duplicate_clusters_bridge", "bridge_id", "side", "state", "id"),)

    id: int | None = big_id()
    bridge_id: int = reference("bridges.id")
    side: str = words()
    state: str = words(ClusterState.OPEN)
    keys: list[Any] = documents()
    members: list[Any] = documents()
    merging: dict[str, Any] | None = optional_document()
    actor: str = words()
    created_at: datetime | None = born()
    decided_at: datetime | None = moment()


class DuplicateDismissal(SQLModel, table=True):
    """These records, and any of them among themselves, are not duplicates: a person's word, kept for later searches."""

    __tablename__ = "duplicate_dismissals"
    __table_args__ = (Index("duplicate_dismissals_ids", "ids", postgresql_using="gin"),)

    id: int | None = big_id()
    bridge_id: int = reference("bridges.id")
    side: str = words()
    ids: list[Any] = documents()
    actor: str = words()
    created_at: datetime | None = born()


class CommonKey(SQLModel, table=True):
    """What too many records of a side share to mean anything: it joins nothing."""

    __tablename__ = "duplicate_common"
    __table_args__ = (Index("duplicate_common_bridge", "bridge_id", "id"),)

    id: int | None = big_id()
    bridge_id: int = reference("bridges.id")
    side: str = words()
    kind: str = words()
    key: str = words()
    records: int = number(0)
