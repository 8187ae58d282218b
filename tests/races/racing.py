"""What happens in the moment between an attempt's last look and the storing of how it ended."""

import contextlib
from collections.abc import Awaitable, Callable

import pytest

from app.sync.records import Side
from app.sync.store import LinkRow, Settlement, Store, Target

Act = Callable[[], Awaitable[object]]
When = Callable[[Target, Settlement], bool]


def before_it_is_stored(monkeypatch: pytest.MonkeyPatch, act: Act, when: When) -> None:
    """`act` once, in that moment of the first attempt that `when` is true of."""
    settle, done = Store.settle, list[Target]()

    async def settle_late(self: Store, target: Target, link: LinkRow, end: Settlement) -> bool:
        if when(target, end) and not done:
            done.append(target)
            await act()
        return await settle(self, target, link, end)

    monkeypatch.setattr(Store, "settle", settle_late)


def killed_before_it_is_stored(monkeypatch: pytest.MonkeyPatch, object_: str, until_then: Act) -> None:
    """The first attempt from billing that has made a record of this object ends there. Its claim is released, as
    `Worker._rescue_stalled` does; `until_then` (or its failing) is how long nobody takes it up again."""
    settle, dead = Store.settle, list[Target]()

    async def settle_never(self: Store, target: Target, link: LinkRow, end: Settlement) -> bool:
        if target.object == object_ and target.side is Side.BILLING and end.outcome == "created" and not dead:
            dead.append(target)
            await self.release(target)
            with contextlib.suppress(AssertionError):
                await until_then()
            return False
        return await settle(self, target, link, end)

    monkeypatch.setattr(Store, "settle", settle_never)
