"""What all pages of the dashboard share: who is there, the frame around them, and doing something by a button."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import structlog
from fastapi import Depends, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from nicegui import APIRouter, ui
from nicegui.awaitable_response import AwaitableResponse
from nicegui.element import Element
from nicegui.events import GenericEventArguments
from pydantic import ValidationError

from app.api.bridges import list_bridges
from app.api.desk import Desk
from app.api.overview import show_outages
from app.api.reading import slice_of
from app.dashboard.outage import Outage
from app.dashboard.parts import html, link, tag, text
from app.dashboard.sandbox_banner import banner
from app.errors import CrossledgerError
from app.notify.notifier import Notifier
from app.people import audit
from app.people.roles import Principal, Role
from app.web.access import address_of, gate_of, login_path, require
from app.web.pages.layout import ICON, desk_of, header, is_of_sandbox

log = structlog.get_logger()

# Vue and Quasar need styles and an import map within the page, and make functions of templates.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
_HEAD = """
<link rel="stylesheet" href="/style.css"><link rel="stylesheet" href="/dashboard.css">
<script src="/busy.js"></script>
"""
_LONGEST = 20.0
"""Seconds that a page may take to be built."""


class _Page(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            # A form sends its empty fields as well: they are as good as left out.
            request.scope["query_string"] = urlencode(parse_qsl(request.url.query)).encode()
            answer = await handle(request)
            answer.headers["Content-Security-Policy"] = _POLICY
            return answer

        return shown


@dataclass(slots=True)
class Visit:
    """Somebody who looks at a page. The page may stay open for longer than they stay logged in.

    `leaving`: what is shown is being taken away, and what does so leads elsewhere; no look comes between.
    """

    request: Request
    who: Principal
    desk: Desk
    outage: Outage
    leaving: bool = False

    @property
    def notifier(self) -> Notifier:
        notifier: Notifier = self.request.app.state.notifier
        return notifier

    def may(self, role: Role) -> bool:
        return self.who.role.covers(role)

    async def act(
        self,
        role: Role,
        action: str,
        work: Callable[[Principal], Awaitable[str]],
        thing: str = "",
        refused: Callable[[Exception], None] | None = None,
    ) -> bool:
        """Do it as the person who is logged in now, noted in the audit log; say what came of it in a sentence.

        `work` returns that sentence. Answers whether it was done. `refused` tells a refusal in its own way.
        """
        gate = gate_of(self.request)
        who = await gate.principal(self.request)
        if who is None or not who.role.covers(role):
            ui.notify("You are logged out, or may not do this any more: load the page again.", type="negative")
            return False
        self.request.state.remark = ""  # what the work may say for the log, see app.web.access.remark
        entry = await audit.begin(gate.engine, who, address_of(self.request), action, thing=thing)
        try:
            sentence = await work(who)
        except (HTTPException, CrossledgerError, RequestValidationError, ValidationError) as error:
            await audit.end(gate.engine, entry, audit.REFUSED)
            if refused:
                refused(error)
            else:
                ui.notify(said(error), type="negative", multi_line=True, timeout=10_000)
            return False
        except Exception as error:
            await audit.end(gate.engine, entry, audit.FAILED)
            log.exception("dashboard.failed", action=action, reason=str(error))
            ui.notify("This went wrong on our side; it is in the log of the service.", type="negative")
            return False
        await audit.end(gate.engine, entry, audit.DONE, detail=self.request.state.remark)
        ui.notify(sentence, type="positive")
        return True

    def later(self, seconds: float, address: str) -> None:
        """Go there after so many seconds: a job has done by then, as a rule, what was asked for."""
        ui.timer(seconds, lambda: ui.navigate.to(address), once=True)

    def every(self, seconds: float, look: Callable[[], Awaitable[None] | AwaitableResponse | None]) -> None:
        """Look again every so many seconds, while the page is not hidden and its visitor is logged in.

        Not while somebody is busy with what a look would replace: typing, choosing, reading a dialog (`busy.js`).
        """

        async def looked() -> None:
            if self.leaving:
                return
            who = await gate_of(self.request).principal(self.request, seen=False)
            if who is None or who.role is not self.who.role:
                timer.deactivate()
                ui.navigate.to(login_path(self.request.url.path))
                return
            found = look()
            if found is not None:
                await found

        def turn(event: GenericEventArguments) -> None:
            timer.active = not event.args

        timer = ui.timer(seconds, looked, immediate=False)
        ui.on("resting", turn)


async def _looked_for_outages(request: Request) -> None:
    """What is told above every page."""
    request.state.outages = await show_outages(desk_of(request))


def pages() -> APIRouter:
    return APIRouter(route_class=_Page)


def page(
    router: APIRouter, path: str, title: str, role: Role = Role.VIEWER
) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """A page at `path`. What is decorated builds its content; it takes `request` and what the address says."""
    return router.page(
        path,
        title=f"{title} – Crossledger", response_timeout=_LONGEST,
        favicon=ICON, dependencies=[Depends(require(role)), Depends(_looked_for_outages)],
    )  # fmt: skip


@contextmanager
def frame(request: Request, title: str, *, lead: str = "") -> Iterator[Visit]:
    """The head of the page, and its main part: what is built within goes there. `title`: also of the browser's tab."""
    ui.add_head_html(_HEAD)
    ui.page_title(f"{title} – Crossledger")
    client = ui.context.client
    with client.layout:
        html(header(request)).move(target_index=0)
    client.content.classes(replace="dashboard")
    client.content.props["id"] = "main"
    visit = Visit(request, request.state.principal, desk_of(request), Outage(request.state.outages))
    if is_of_sandbox(request):
        banner(visit)
    text("h1", title)
    if lead:
        text("p", lead, "lead")
    yield visit


async def bridge_names(visit: Visit) -> dict[str, str]:
    """By id, as an address has it."""
    return {str(each.id): each.name for each in (await list_bridges(visit.desk, slice_of(500))).items}


def nothing(sentence: str, *more: tuple[str, str]) -> None:
    """An empty state: what is not there, and where to go on, as (label, address)."""
    with tag("p", "empty"):
        text("span", sentence + " ")
        for label, address in more:
            link(label, address)


def first_steps(bridges: Mapping[str, str]) -> list[tuple[str, str]]:
    """Where an empty state leads somebody who has no bridge yet."""
    return [] if bridges else [("Set up the first bridge", "/start")]


def query(path: str, values: Mapping[str, object]) -> str:
    """An address that can be kept: `path` with those values that are given."""
    given = {name: str(value) for name, value in values.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def note(place: Element, error: Exception, cure: str = "") -> None:
    """A refusal that stays on the page, in its own words, and what helps."""
    place.clear()
    with place, tag("div", "note wrong", role="alert"):
        text("p", said(error))
        if cure:
            text("p", cure)


def said(error: Exception) -> str:
    if isinstance(error, HTTPException):
        return str(error.detail)
    if isinstance(error, RequestValidationError | ValidationError):
        return "; ".join(_wrong_field(each["loc"], each["msg"]) for each in error.errors())
    return str(error)


def _wrong_field(where: Sequence[int | str], message: str) -> str:
    """Without what was typed: it may be a secret."""
    words = message.removeprefix("Value error, ")
    return f"{str(where[-1]).replace('_', ' ').capitalize()}: {words}" if where else words
