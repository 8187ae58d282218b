"""Column types that every table uses alike."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Identity, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


def big_id() -> Any:
    return Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))


def reference(target: str, *, optional: bool = False, on_delete: str = "CASCADE", index: bool = False) -> Any:
    """A foreign key to `table.column`."""
    column = Column(BigInteger, ForeignKey(target, ondelete=on_delete), nullable=optional, index=index)
    return Field(default=None, sa_column=column) if optional else Field(sa_column=column)


def reference_unchecked() -> Any:
    """The id of a row that may be gone by now. A foreign key costs a look-up and a lock for each row."""
    return Field(default=None, sa_column=Column(BigInteger, nullable=True))


def shared_key(target: str) -> Any:
    """A primary key, or the first part of one, that is another table's."""
    return Field(sa_column=Column(BigInteger, ForeignKey(target, ondelete="CASCADE"), primary_key=True))


def words(default: str = "") -> Any:
    """Text of any length, never null."""
    return Field(default=default, sa_column=Column(Text, nullable=False, server_default=default))


def optional_words() -> Any:
    """Text where null means that there is none, for unique keys."""
    return Field(default=None, sa_column=Column(Text, nullable=True))


def key_words() -> Any:
    """Text that is a primary key."""
    return Field(sa_column=Column(Text, primary_key=True))


def number(default: int = 0) -> Any:
    return Field(default=default, sa_column=Column(Integer, nullable=False, server_default=str(default)))


def flag(*, default: bool) -> Any:
    return Field(default=default, sa_column=Column(Boolean, nullable=False, server_default=str(default).lower()))


def document() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))


def optional_document() -> Any:
    return Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))


def documents() -> Any:
    return Field(default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")))


def moment() -> Any:
    """An aware instant, or none yet."""
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=True))


def instant() -> Any:
    """An aware instant that is always known."""
    return Field(sa_column=Column(DateTime(timezone=True), nullable=False))


def born() -> Any:
    """The instant the row was made, set by the database."""
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()")))
