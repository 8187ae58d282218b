"""Channels: stored with what is secret of them sealed, and what became of the last message."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlmodel import col

from app.models import Bridge, Channel
from app.models.alert import ChannelKind
from app.notify.targets import Mailbox, SignedHook, SlackHook, Target, TeamsHook, opened, stored
from app.vault import Vault

_KINDS: Mapping[type[Target], ChannelKind] = {
    Mailbox: ChannelKind.EMAIL,
    SlackHook: ChannelKind.SLACK,
    TeamsHook: ChannelKind.TEAMS,
    SignedHook: ChannelKind.WEBHOOK,
}
_ENABLED = (
    select(col(Channel.id), col(Channel.kinds), col(Channel.bridges))
    .where(col(Channel.enabled))
    .order_by(col(Channel.id))
)


@dataclass(frozen=True, slots=True)
class Channels:
    engine: AsyncEngine
    vault: Vault

    async def add(
        self,
        target: Target,
        *,
        name: str,
        kinds: Sequence[str],
        bridges: Sequence[int],
        summary_at: datetime | None = None,
    ) -> Channel:
        row = Channel(
            name=name,
            kind=_KINDS[type(target)].value,
            kinds=list(kinds),
            bridges=list(bridges),
            summary_at=summary_at,
            **stored(target, self.vault),
        )
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            session.add(row)
            await session.flush()
            await session.refresh(row)
        return row

    async def find(self, channel_id: int) -> Channel | None:
        async with AsyncSession(self.engine) as session:
            return await session.get(Channel, channel_id)

    async def all(self) -> Sequence[Channel]:
        async with AsyncSession(self.engine) as session:
            return (await session.scalars(select(Channel).order_by(col(Channel.id)))).all()

    async def unknown_bridges(self, ids: Sequence[int]) -> str:
        """Which of them there are not, in a sentence; "" where there are all."""
        async with self.engine.connect() as connection:
            known = set(await connection.scalars(select(col(Bridge.id)).where(col(Bridge.id).in_(ids))))
        missing = sorted(set(ids) - known)
        return f"There is no bridge {', '.join(map(str, missing))}." if missing else ""

    def target(self, row: Channel) -> Target:
        return opened(row, self.vault)

    async def change(self, row: Channel, target: Target | None, columns: Mapping[str, Any]) -> bool:
        """False: somebody else has changed or deleted it since `row` was read."""
        moved = stored(target, self.vault) if target else {}
        if not moved and not columns:
            return True
        unchanged = (col(Channel.id) == row.id, col(Channel.sealed) == row.sealed)
        return await self._set({**moved, **columns}, *unchanged)

    async def remove(self, channel_id: int) -> bool:
        async with self.engine.begin() as connection:
            gone = delete(Channel).where(col(Channel.id) == channel_id).returning(col(Channel.id))
            return await connection.scalar(gone) is not None

    async def arrived(self, channel_id: int, remark: str = "") -> None:
        """`remark`: what went wrong all the same, as a recipient who was refused beside others who were not."""
        now = datetime.now(UTC)
        since = now if remark else None
        await self._set({"sent_at": now, "problem": remark, "problem_since": since}, col(Channel.id) == channel_id)

    async def failed(self, channel_id: int, problem: str, *, given_up: bool) -> None:
        columns: dict[str, Any] = {
            "problem": problem,
            "problem_since": func.coalesce(col(Channel.problem_since), func.now()),
        }
        if given_up:
            columns["given_up"] = col(Channel.given_up) + 1
        await self._set(columns, col(Channel.id) == channel_id)

    async def _set(self, columns: Mapping[str, Any], *only: Any) -> bool:
        async with self.engine.begin() as connection:
            changed = update(Channel).where(*only).values(columns).returning(col(Channel.id))
            return (await connection.execute(changed)).first() is not None


async def listening(connection: AsyncConnection, *, kind: str, bridges: Collection[int]) -> Sequence[int]:
    """The ids of the channels that want to hear of this kind, of one of these bridges."""
    some = (await connection.execute(_ENABLED)).all()
    return [
        id_
        for id_, kinds, wanted in some
        if id_ and (not kinds or kind in kinds) and (not wanted or set(wanted) & set(bridges))
    ]
