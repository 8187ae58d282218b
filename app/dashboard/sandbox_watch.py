"""What Crossledger does in the sandbox, as it does it: what waits and why, and the newest activities."""

from collections.abc import Sequence

from nicegui.element import Element

from app.api.activities import Which, list_activities
from app.api.jobs import list_jobs
from app.api.reading import slice_of
from app.api.sandbox import WaitingOut
from app.api.schemas import ActivityOut, JobOut
from app.api.sweeps import begin_sweep
from app.dashboard.activity import activities
from app.dashboard.frame import Visit, query
from app.dashboard.parts import button, count_of, link, state, tag, text
from app.people.roles import Principal, Role

_SHOWN = 6


class Watch:
    def __init__(self, visit: Visit, bridge_ids: Sequence[int]) -> None:
        self._visit = visit
        self._bridges = list(bridge_ids)
        self._known: tuple[list[ActivityOut], list[JobOut]] | None = None
        with tag("p", "acts"):
            self._told = text("span", "", "state", role="status")
            if self._bridges and visit.may(Role.OPERATOR):
                sweep = button("Look for what was missed", self._sweep, "quiet")
                sweep.props["title"] = "A sweep reads both sides; the clock starts one every few minutes"
        self._waiting = tag("div")
        self._done: Element | None = None

    def list_activity(self) -> None:
        """Draw the place for what is done."""
        text("h2", "What Crossledger did")
        self._done = tag("div")
        if self._bridges:
            with tag("p", "pager"):
                link("All activity", query("/activity", {"bridge": self._bridges[0]}))
                link("The bridge, and its fields", f"/bridges/{self._bridges[0]}")

    def tell(self, now: WaitingOut | None) -> None:
        """What is under way, in one sentence."""
        counts = ((now.deliveries, "webhook"), (now.events, "event"), (now.records, "record")) if now else ()
        parts = [count_of(count, what) for count, what in counts if count]
        self._told.text = f"Waiting: {', '.join(parts)}" if parts else "Caught up: nothing waits"
        self._told.classes(replace="state retrying" if parts else "state ok")

    async def look(self) -> None:
        if not self._bridges or self._done is None:
            return
        desk, bridge = self._visit.desk, self._bridges[0]
        done = (await list_activities(desk, slice_of(_SHOWN), Which(bridge_id=bridge))).items
        open_ = (await list_jobs(desk, slice_of(_SHOWN), bridge_id=bridge)).items
        if (done, open_) == self._known:
            return
        self._known = (done, open_)
        self._tell_of_waiting(open_)
        self._done.clear()
        with self._done:
            await activities(self._visit, done, {str(bridge): "Sandbox"})

    def _tell_of_waiting(self, rows: Sequence[JobOut]) -> None:
        self._waiting.clear()
        with self._waiting, tag("ul", "rows"):
            for row in rows:
                with tag("li"):
                    state(row.state)
                    link(f"{row.object} {row.crm_id or row.billing_id}", f"/records/{row.id}")
                    text("span", row.detail, "faint")

    async def _sweep(self) -> None:
        async def work(who: Principal) -> str:
            await begin_sweep(self._visit.desk, who, self._bridges[0])
            return "Both sides are read for what was missed. A change younger than two minutes may be left for later."

        await self._visit.act(Role.OPERATOR, "begin a sweep", work, f"bridge {self._bridges[0]}")
