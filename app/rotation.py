"""Sealing everything anew with the newest key, while the service runs.

A row is changed only if it still holds the text that was read: credentials that were renewed meanwhile are not
overwritten, and are looked at again in the next round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Column, Table, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from app.models import Channel, Connection, Token
from app.vault import Vault

log = structlog.get_logger()

BATCH = 200
ROUNDS = 5

SEALED: Sequence[tuple[type[SQLModel], str]] = (
    (Connection, "sealed"),
    (Connection, "webhook_sealed"),
    (Token, "sealed"),
    (Channel, "sealed"),
)
"""Every column that holds what a vault has sealed. A test finds those that are missing here by their names."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """`resealed` were changed now, `left` are still sealed with an older key, `unreadable` with one we do not have."""

    resealed: int
    left: int
    unreadable: int

    @property
    def complete(self) -> bool:
        return not self.left and not self.unreadable


async def rotate(engine: AsyncEngine, vault: Vault, *, batch: int = BATCH) -> Rotation:
    """Harmless to repeat, and to run beside the service and beside itself."""
    resealed = left = unreadable = 0
    for _ in range(ROUNDS):
        left = unreadable = changed = 0
        for model, column in SEALED:
            place = _Place.of(model, column)
            old, lost, done = await _round(engine, vault, place, batch)
            left, unreadable, changed = left + old, unreadable + lost, changed + done
        resealed += changed
        # The round that has found nothing to change has seen every row as it is.
        if not left:
            break
    log.info("keys.rotated", resealed=resealed, left=left, unreadable=unreadable)
    return Rotation(resealed, left, unreadable)


@dataclass(frozen=True, slots=True)
class _Place:
    table: Table
    key: Column[Any]
    sealed: Column[Any]

    @classmethod
    def of(cls, model: type[SQLModel], column: str) -> "_Place":
        table: Table = model.__table__  # type: ignore[attr-defined]
        (key,) = table.primary_key.columns
        return cls(table, key, table.c[column])


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many secrets are stored, by what opens them."""

    newest: int = 0
    older: int = 0
    unreadable: int = 0


async def sealed(engine: AsyncEngine, vault: Vault) -> Sealed:
    """What a rotation would find. Nothing is changed."""
    newest = older = unreadable = 0
    for model, column in SEALED:
        place = _Place.of(model, column)
        statement = select(place.sealed).where(place.sealed.is_not(None) & (place.sealed != ""))
        async with engine.connect() as connection:
            for envelope in await connection.scalars(statement):
                if vault.is_current(envelope):
                    newest += 1
                elif vault.resealed(envelope) is None:
                    unreadable += 1
                else:
                    older += 1
    return Sealed(newest, older, unreadable)


async def _round(engine: AsyncEngine, vault: Vault, place: _Place, batch: int) -> tuple[int, int, int]:
    """Once through a table, some rows in each transaction: how many were old, unreadable, and sealed anew."""
    old = lost = done = 0
    after: Any = None
    filled = place.sealed.is_not(None) & (place.sealed != "")
    while True:
        some = select(place.key, place.sealed).where(filled).order_by(place.key).limit(batch)
        async with engine.begin() as connection:
            found = (await connection.execute(some if after is None else some.where(place.key > after))).all()
            for key, sealed in found:
                if vault.is_current(sealed):
                    continue
                anew = vault.resealed(sealed)
                if anew is None:
                    lost += 1
                    continue
                old += 1
                unchanged = (place.key == key) & (place.sealed == sealed)
                changed = await connection.execute(update(place.table).where(unchanged).values({place.sealed: anew}))
                done += changed.rowcount
        if len(found) < batch:
            return old, lost, done
        after = found[-1][0]


def told(rotation: Rotation) -> str:
    """For the operator: what was done, and whether the older keys are still needed."""
    done = f"Sealed anew with the newest key: {rotation.resealed}."
    if rotation.unreadable:
        return (
            f"{done} {rotation.unreadable} could not be opened with any of the keys given, and stay as they are: put"
            " the key that sealed them into CROSSLEDGER_SECRET_KEYS, or give these connections new credentials. Remove"
            " no key before."
        )
    if rotation.left:
        return f"{done} {rotation.left} are still sealed with an older key. Keep it, and run this again."
    return f"{done} Nothing is sealed with an older key any more: the older keys can be removed."
