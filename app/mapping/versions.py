"""Keeping each settings of a bridge, and finding them again."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlmodel import col

from app.errors import Gone, Rejected
from app.mapping.differences import Difference, differences
from app.mapping.labels import Labels
from app.models import BridgeVersion
from app.sync.policy import BridgeSettings


async def keep(
    connection: AsyncConnection,
    bridge_id: int,
    before: BridgeSettings | None,
    settings: dict[str, Any],
    *,
    actor: str,
    note: str = "",
) -> None:
    """Another version, in the transaction in which the bridge's row is changed: it waits there for its turn.

    Settings that are as they were are no version. `before`: None where there were none that can be read.
    """
    found = differences(before, BridgeSettings.model_validate(settings)) if before else ()
    if before and not found:
        return
    last = select(col(BridgeVersion.number)).where(col(BridgeVersion.bridge_id) == bridge_id)
    number = await connection.scalar(last.order_by(col(BridgeVersion.number).desc()).limit(1)) or 0
    row = {"bridge_id": bridge_id, "number": number + 1, "settings": settings, "actor": actor, "note": note}
    await connection.execute(insert(BridgeVersion).values(**row, changes=[each.as_dict() for each in found]))


async def version_of(engine: AsyncEngine, bridge_id: int, number: int) -> BridgeVersion:
    """Raises Gone."""
    wanted = select(BridgeVersion).where(col(BridgeVersion.bridge_id) == bridge_id, col(BridgeVersion.number) == number)
    async with AsyncSession(engine) as session:
        row = (await session.scalars(wanted)).one_or_none()
    if row is None:
        raise Gone(f"There is no version {number} of bridge {bridge_id}.")
    return row


def settings_of(version: BridgeVersion) -> BridgeSettings:
    """Raises Rejected where this service cannot read them any more."""
    try:
        return BridgeSettings.model_validate(version.settings)
    except ValidationError as error:
        first = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise Rejected(f"Version {version.number} cannot be used any more: {first}.") from error


def against(version: BridgeVersion, now: BridgeSettings, labels: Labels) -> Sequence[Difference]:
    """What restoring it would change."""
    return differences(now, settings_of(version), labels)


async def told(
    engine: AsyncEngine, bridge_id: int, numbers: Collection[int], labels: Labels
) -> dict[int, Sequence[Difference]]:
    """By number, what each version has changed, in the words of now. Not of one that cannot be read any more, nor of
    the first: of these there is what was kept with them."""
    wanted = {number - at for number in numbers for at in (0, 1)}
    statement = select(BridgeVersion).where(col(BridgeVersion.bridge_id) == bridge_id)
    async with AsyncSession(engine) as session:
        rows = (await session.scalars(statement.where(col(BridgeVersion.number).in_(wanted)))).all()
    known: dict[int, BridgeSettings] = {}
    for row in rows:
        with suppress(Rejected):
            known[row.number] = settings_of(row)
    pairs = [number for number in numbers if number in known and number - 1 in known]
    return {number: differences(known[number - 1], known[number], labels) for number in pairs}
