"""Bridges and how each is doing, two hundred in one table, and acting on those that are chosen.

The table is drawn in the browser: an element on this side for each of its cells would take seconds.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from app.api.bridges import switch_bridges
from app.api.overview import BridgeHealthOut
from app.dashboard.frame import Visit
from app.dashboard.parts import amount, button, lasting, tag, text
from app.dashboard.pauses import ending, objects_of
from app.models.connection import ConnectionState
from app.pausing import object_of
from app.people.roles import Principal, Role
from app.sync.objects import OBJECTS

_BAD = "wrong-words"
# What is counted, its head, and how it looks where there is some.
_COLUMNS = (
    ("in_step", "In step", ""),
    ("left_out", "Left out", ""),
    ("waiting", "Waiting", ""),
    ("failing", "Failing", _BAD),
    ("decide", "Decide", _BAD),
)


class _Table(Element, component="bridge_table.js"):
    pass


class BridgeTable:
    def __init__(self, visit: Visit, refresh: Callable[[], Awaitable[None]], *, several: bool = True) -> None:
        """`refresh`: shows what has become of the bridges. `several`: they can be chosen and acted on."""
        self._visit = visit
        self._refresh = refresh
        self._chosen: set[int] = set()
        self._choosable = several and visit.may(Role.OPERATOR)
        if self._choosable:
            self._bulk()
        self._table = _Table()
        columns = [
            {"name": name, "head": head, "path": f"/records?doing={name}&bridge=", "look": look}
            for name, head, look in _COLUMNS
        ]
        self._table.props.update({"columns": columns, "choosable": self._choosable, "rows": [], "chosen": []})
        self._table.on("choose", self._choose)

    def tell(self, bridges: Sequence[BridgeHealthOut]) -> None:
        now = datetime.now(UTC)
        self._table.props["rows"] = [_row(each, now) for each in bridges]
        self._chosen &= {each.id for each in bridges}
        self._mark()

    def _bulk(self) -> None:
        with tag("div", "acts", role="group", aria_label="What to do with the chosen bridges"):
            button("Choose all", self._choose_all, "quiet")
            self._count = text("span", "", "faint", role="status")
            button("Pause", partial(self._switch, on=False), "quiet")
            button("Resume", partial(self._switch, on=True), "quiet")
            button("Copy settings to them", self._copy, "quiet")

    def _choose(self, event: GenericEventArguments) -> None:
        bridge_id, on = event.args
        (self._chosen.add if on else self._chosen.discard)(int(bridge_id))
        self._mark()

    async def _choose_all(self) -> None:
        """... or none, where all are chosen."""
        everything = {int(row["id"]) for row in self._table.props["rows"]}
        self._chosen = set() if self._chosen == everything else everything
        self._mark()

    def _mark(self) -> None:
        self._table.props["chosen"] = sorted(self._chosen)
        if self._choosable:
            self._count.text = f"{len(self._chosen):,} chosen"

    async def _copy(self) -> None:
        if self._chosen:
            ui.navigate.to(f"/copy?to={','.join(map(str, sorted(self._chosen)))}")
        else:
            ui.notify("Choose bridges first.", type="warning")

    async def _switch(self, *, on: bool) -> None:
        chosen = sorted(self._chosen)
        if not chosen:
            ui.notify("Choose bridges first.", type="warning")
            return

        async def work(who: Principal) -> str:
            changed = await switch_bridges(self._visit.desk, chosen, on=on, who=who)
            left = f" {len(chosen) - changed:,} stay as they are." if changed < len(chosen) else ""
            return f"{'Resumed' if on else 'Paused'}: {changed:,}.{left}"

        things = "bridges " + ", ".join(str(each) for each in chosen)
        await self._visit.act(Role.OPERATOR, "resume bridges" if on else "pause bridges", work, things)
        await self._refresh()


def age(moment: datetime, now: datetime) -> str:
    """In one unit, rounded down: "3 min"."""
    return lasting((now - moment).total_seconds())


def _row(bridge: BridgeHealthOut, now: datetime) -> dict[str, Any]:
    state, look = standing(bridge, now)
    sides = ((bridge.crm, bridge.crm_state), (bridge.billing, bridge.billing_state))
    refused = [name for name, state in sides if state == ConnectionState.NEEDS_RECONNECT]
    return {
        "id": bridge.id,
        "path": f"/bridges/{bridge.id}",
        "name": bridge.name,
        "between": f"{bridge.crm} ↔ {bridge.billing}",
        "state": state,
        "look": look,
        "trouble": f"{' and '.join(refused)}: reconnect" if refused else "",
        "forParent": bridge.waiting_for_parent,
        "counts": [getattr(bridge, name) for name, *_ in _COLUMNS],
        "lag": age(bridge.oldest_at, now) if bridge.oldest_at else "–",
        "heard": f"{age(bridge.heard_at, now)} ago" if bridge.heard_at else "never",
        "missed": bridge.missed,
        "unpaid": [amount(each.amount, each.currency) for each in bridge.unpaid],
        "asOf": min((f"{age(each.as_of, now)} ago" for each in bridge.unpaid[:1]), default=""),
    }


def standing(bridge: BridgeHealthOut, now: datetime) -> tuple[str, str]:
    """In words, and how it looks: what is the matter is said, and not by its colour alone."""
    if not bridge.enabled:
        return _paused(bridge, now) if bridge.live_since else "dry run", bridge.light
    paused = ", ".join(OBJECTS[name].plural for name in objects_of(bridge.pauses) if name in OBJECTS)
    wrong = {
        "an account refused": bridge.refused(),
        "failing": bridge.failing,
        "to decide": bridge.decide,
        f"{paused} paused": paused,
        "behind": bridge.behind(now) and not paused,
    }
    return "live" + "".join(f", {words}" for words, holds in wrong.items() if holds), bridge.light


def _paused(bridge: BridgeHealthOut, now: datetime) -> str:
    """It goes on at the last of the ends, where each pause has one."""
    whole = [each.ends_at for each in bridge.pauses if not object_of(each.source)]
    ends = [each for each in whole if each]
    return f"paused {ending(max(ends), now)}" if ends and len(ends) == len(whole) else "paused"
