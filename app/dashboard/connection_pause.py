"""Pausing a connection with all its bridges, and ending that."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import FormData

from app.api.pauses import pause_connection, resume_connection
from app.api.requests import PauseIn
from app.api.schemas import ConnectionOut
from app.dashboard.forms import asking
from app.dashboard.frame import Visit
from app.dashboard.parts import button, count_of, text
from app.dashboard.pauses import moment_of, until_field
from app.people.roles import Principal, Role


def pausing(visit: Visit, row: ConnectionOut, refresh: Callable[[], Awaitable[None]], *, paused: bool) -> None:
    async def pause(given: FormData) -> None:
        async def work(who: Principal) -> str:
            done = await pause_connection(visit.desk, who, row.id, PauseIn(until=moment_of(given)))
            return f"“{row.name}” is paused. Bridges that were live: {done.paused:,}."

        await visit.act(Role.OPERATOR, "pause a connection", work, f"connection {row.id}")
        await refresh()

    async def resume() -> None:
        async def work(_: Principal) -> str:
            done = await resume_connection(visit.desk, row.id)
            return f"“{row.name}” holds nothing any more: {count_of(len(done.resumed), 'bridge')} went on."

        await visit.act(Role.OPERATOR, "resume a connection", work, f"connection {row.id}")
        await refresh()

    if paused:
        button("Resume", resume, "quiet")
        return
    with asking("Pause", f"Pause “{row.name}”", pause, "Pause it"):
        text("p", "All bridges that use it are paused. What changes meanwhile waits, and is caught up with.")
        until_field()
