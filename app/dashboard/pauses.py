"""Pauses as people see them: in words, a field for their end, and the brake of all bridges at once."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from nicegui import ui
from starlette.datastructures import FormData

from app import pausing
from app.api.pauses import EverythingOut, resume_everything, show_stopped, stop_everything
from app.api.requests import PauseIn
from app.api.schemas import PauseOut
from app.dashboard.forms import asking, field
from app.dashboard.frame import Visit
from app.dashboard.parts import button, count_of, tag, text
from app.people.roles import Principal, Role
from app.sync.objects import OBJECTS


def moment_of(given: FormData) -> datetime | None:
    """What was typed into `until`: UTC, or nothing. Raises ValidationError where it is over."""
    typed = str(given.get("until", ""))
    if not typed:
        return None
    return PauseIn.model_validate({"until": f"{typed}Z"}).until


def until_field(*, required: bool = False) -> None:
    now = datetime.now(UTC)
    help_ = f"In UTC, where it is {now:%H:%M} now."
    more = {"required": ""} if required else {}
    field(
        "until", "Until", "datetime-local",
        help_ if required else f"{help_} Empty: until somebody resumes it.",
        min=f"{now:%Y-%m-%dT%H:%M}", **more,
    )  # fmt: skip


def ending(moment: datetime, now: datetime) -> str:
    """ "until 14:00 UTC", with the day where that is another one."""
    utc = moment.astimezone(UTC)
    return f"until {utc:%H:%M} UTC" if utc.date() == now.date() else f"until {utc:%Y-%m-%d %H:%M} UTC"


def told(pause: PauseOut, now: datetime) -> str:
    """ "paused until 14:00 UTC by ann@ours.example"."""
    kind, _, of = pause.source.partition("/")
    what = {
        "everything": "stopped, with all bridges,",
        "connection": "paused with its connection",
        "object": f"{OBJECTS[of].plural} paused" if of in OBJECTS else "paused",
    }.get(kind, "paused")
    words = [what, ending(pause.ends_at, now) if pause.ends_at else "", f"by {pause.actor}" if pause.actor else ""]
    return " ".join(word for word in words if word)


def objects_of(pauses: Iterable[PauseOut]) -> dict[str, PauseOut]:
    """By the object's name."""
    named = {pausing.object_of(each.source): each for each in pauses}
    return {name: each for name, each in named.items() if name}


class Brake:
    """Stopping all bridges at once, and letting them go on."""

    def __init__(self, visit: Visit, refresh: Callable[[], Awaitable[None]]) -> None:
        """`refresh`: shows what has become of the bridges, by `look` as well."""
        self._visit = visit
        self._refresh = refresh
        self._shown: EverythingOut | None = None

    async def look(self) -> None:
        """Drawn anew only where it has changed: a dialog that somebody reads stays open."""
        stopped = await show_stopped(self._visit.desk)
        if stopped != self._shown:
            await self.draw.refresh()

    @ui.refreshable_method
    async def draw(self) -> None:
        stopped = await show_stopped(self._visit.desk)
        self._shown = stopped
        if stopped is not None:
            with tag("div", "note next", role="status"):
                held = count_of(stopped.bridges, "bridge")
                text("p", f"{stopped.actor} has stopped everything. Held since then: {held}."
                     " What changes meanwhile is caught up with.")  # fmt: skip
                if self._visit.may(Role.OPERATOR):
                    button("Resume all that were stopped", self._resume)
        if self._visit.may(Role.OPERATOR):
            with asking(
                "Stop everything", "Stop everything on all bridges?", self._stop, "Stop all bridges", danger=True
            ):
                text("p", "Every live bridge is paused, also those that are not shown here, and every run (plan,"
                     " backfill, sweep, undo) is cancelled.")  # fmt: skip
                text("p", "What was written stays. What changes meanwhile waits, and is caught up with when you resume"
                     " them, all at once, here.")  # fmt: skip

    async def _stop(self, _: FormData) -> None:
        async def work(who: Principal) -> str:
            done = await stop_everything(self._visit.desk, who)
            return f"Stopped: {count_of(done.paused, 'bridge')}. Cancelled: {count_of(len(done.cancelled), 'run')}."

        await self._visit.act(Role.OPERATOR, "stop all bridges", work)
        await self._refresh()

    async def _resume(self) -> None:
        async def work(_: Principal) -> str:
            done = await resume_everything(self._visit.desk)
            return f"{count_of(len(done.resumed), 'bridge')} went on."

        await self._visit.act(Role.OPERATOR, "resume all bridges", work)
        await self._refresh()
