"""Who wrote what in one pair, per field and side, newest first. Pure, but for what is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from app.errors import Gone
from app.models import Activity, Link

LONGEST = 1000
"""Activities of one link that are gone through, the newest ones."""


class Writer(StrEnum):
    CROSSLEDGER = "crossledger"
    CRM = "crm"  # somebody there: what was written was carried from there
    BILLING = "billing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One value that we wrote."""

    activity_id: int
    run_id: int | None
    event_id: int | None
    at: datetime
    action: str
    cause: str
    before: str
    after: str
    why: str


@dataclass(slots=True, kw_only=True)
class FieldHistory:
    """One field of one side. `writer` wrote there last, as far as we know, at `at` at the latest."""

    field: str
    side: str
    name: str
    writer: Writer
    at: datetime
    writes: list[Write]


async def history_of(engine: AsyncEngine, link_id: int) -> list[FieldHistory]:
    """Raises Gone."""
    statement = select(Activity).where(col(Activity.link_id) == link_id).order_by(col(Activity.id).desc())
    async with engine.connect() as connection:
        if await connection.scalar(select(col(Link.id)).where(col(Link.id) == link_id)) is None:
            raise Gone(f"There is no link {link_id}.")
        return told((await connection.execute(statement.limit(LONGEST))).mappings())


def told(activities: Iterable[RowMapping]) -> list[FieldHistory]:
    """`activities`: rows, newest first. The fields come in the order of their last write."""
    known: dict[tuple[str, str], FieldHistory] = {}
    for row in activities:
        for change in row["changes"]:
            if change.get("after") is None or not change.get("side"):
                continue
            _add(known, row, change, Writer.CROSSLEDGER)
            if row["action"] != "undone":
                _add(known, row, {**change, "side": _OTHER[change["side"]]}, Writer(_OTHER[change["side"]]))
    return list(known.values())


_OTHER = {"crm": "billing", "billing": "crm"}


def _add(
    known: dict[tuple[str, str], FieldHistory], row: RowMapping, change: Mapping[str, Any], writer: Writer
) -> None:
    """A value that we carried was written by somebody on the side that it came from."""
    name, side = change["field"], change["side"]
    entry = known.setdefault(
        (name, side),
        FieldHistory(field=name, side=side, name=change.get(side, name), writer=writer, at=row["at"], writes=[]),
    )
    if writer is Writer.CROSSLEDGER:
        entry.writes.append(
            Write(
                activity_id=row["id"],
                run_id=row["run_id"],
                event_id=row["event_id"],
                at=row["at"],
                action=row["action"],
                cause=row["cause"],
                before=change.get("before") or "",
                after=change["after"],
                why=change.get("why", ""),
            )
        )
