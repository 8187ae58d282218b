"""A gate for long work: where a job of one record would come back later, it waits for its turn."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.errors import Wait
from app.providers.base import Gate

LONGEST = 60.0
"""Seconds. What takes longer (a day's budget that is used up) ends the attempt."""


@dataclass(frozen=True, slots=True)
class Patient:
    """`rest` waits so many seconds; it may raise. A reading that is broken off begins anew, so that short waits are sat
    out."""

    gate: Gate
    rest: Callable[[float], Awaitable[None]]

    @property
    def connection_id(self) -> int:
        return self.gate.connection_id

    async def pass_(self, *, writes: bool) -> None:
        while True:
            try:
                return await self.gate.pass_(writes=writes)
            except Wait as wait:
                if wait.seconds > LONGEST:
                    raise
                await self.rest(wait.seconds)

    async def close(self, seconds: float) -> None:
        await self.gate.close(seconds)

    def heard(self, left_today: int) -> None:
        self.gate.heard(left_today)
