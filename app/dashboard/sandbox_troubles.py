"""Buttons that make something go wrong in the sandbox, and what goes wrong now."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from app.api.sandbox import TroubleIn, TroubleOut, end_troubles, make_trouble
from app.dashboard.frame import Visit
from app.dashboard.parts import SYSTEMS, button, tag, text
from app.people.roles import Principal, Role
from app.sync.records import Side
from app.trying.troubles import SAID, Trouble

_PRESSED = {
    Trouble.DOWN: "Down",
    Trouble.SLOW: "Slow",
    Trouble.BUSY: "Too many calls (429)",
    Trouble.LOST: "Lose webhooks",
    Trouble.TWICE: "Send each event twice",
}


class Troubles:
    def __init__(self, visit: Visit, refresh: Callable[[], Awaitable[None]]) -> None:
        self._visit = visit
        self._refresh = refresh
        if visit.may(Role.OPERATOR):
            lead = "Each lasts a minute, and hinders Crossledger only: you go on editing as if nothing was."
            text("p", lead, "faint")
            for side in Side:
                with tag("div", "acts", role="group", aria_label=f"Trouble in {SYSTEMS[side]}"):
                    text("strong", SYSTEMS[side], "wide-label")
                    for trouble, label in _PRESSED.items():
                        press = button(label, partial(self._press, side, trouble), "quiet")
                        press.props["title"] = f"{SYSTEMS[side]} {SAID[trouble]}"
        self._place = tag("div", role="status")
        self._shown: Sequence[TroubleOut] | None = None

    def tell(self, now: Sequence[TroubleOut]) -> None:
        if now == self._shown:
            return
        self._shown = now
        self._place.clear()
        with self._place:
            if not now:
                text("p", "Nothing is wrong at the moment.", "faint")
                return
            with tag("ul", "rows"):
                for each in now:
                    with tag("li"):
                        text("span", f"{SYSTEMS[each.side]} {each.said}", "wrong-words")
                        text("span", f"for another {each.seconds_left} s", "faint")
            if self._visit.may(Role.OPERATOR):
                button("End the trouble now", self._end, "quiet")

    async def _press(self, side: Side, trouble: Trouble) -> None:
        async def work(_: Principal) -> str:
            await make_trouble(self._visit.desk, TroubleIn(side=side, trouble=trouble))
            return f"For a minute, {SYSTEMS[side]} {SAID[trouble]}. Now edit somebody, and watch."

        if await self._visit.act(Role.OPERATOR, "make trouble in the sandbox", work, f"{side} {trouble}"):
            await self._refresh()

    async def _end(self) -> None:
        async def work(_: Principal) -> str:
            await end_troubles(self._visit.desk)
            return "Both are well again. What waits is tried at its next time."

        if await self._visit.act(Role.OPERATOR, "end trouble in the sandbox", work, "sandbox"):
            await self._refresh()
