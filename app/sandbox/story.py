"""The demo's story: what happens between two systems that are kept in step, told as it happens."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from app.logs import configure
from app.sandbox.stage import LOCATION, Stage, set_up, until

PATIENCE = 15.0
_NOTE = 141
"""Invoice Ninja's number of activities that are notes."""


@dataclass(slots=True)
class Story:
    stage: Stage
    out: Console
    contact_id: str = ""
    client_id: str = ""
    plan_id: int = 0
    invoice: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    started: float = 0
    arrived: float = 0

    async def tell(self, scenes: "Sequence[tuple[str, Step]]") -> None:
        for number, (title, step) in enumerate(scenes, 1):
            await self.at_rest()
            self.out.print(f"[bold]{number}. {title}[/bold]")
            self.begin()
            try:
                lines = await step(self)
            except Exception as error:  # noqa: BLE001 -- a step that breaks is a step that failed; the story goes on
                self.failed.append(title)
                lines = [f"[red]it did not come out as told: {error or type(error).__name__}[/red]"]
            for line in lines:
                self.out.print(f"   {line}")
            self.out.print(f"   [dim]arrived after {(self.arrived - self.started) * 1000:.0f} ms[/dim]")

    def begin(self) -> None:
        self.started = self.arrived = time.perf_counter()

    async def arrival(self, check: Callable[[], Awaitable[Any]], otherwise: str) -> Any:
        """Wait until it can be seen on the other side, and take the time."""
        answer = await until(check, PATIENCE)
        self.arrived = time.perf_counter()
        expect(answer, otherwise)
        return answer

    # -- hands and eyes ----------------------------------------------------------------------------------------

    async def add_contact(self, **fields: Any) -> str:
        answer = await self.stage.highlevel.post("/contacts/", json={"locationId": LOCATION, **fields})
        return str(answer.raise_for_status().json()["contact"]["id"])

    async def contact(self, contact_id: str) -> dict[str, Any]:
        return dict((await self.stage.highlevel.get(f"/contacts/{contact_id}")).raise_for_status().json()["contact"])

    async def clients_with(self, email: str) -> list[dict[str, Any]]:
        answer = await self.stage.ninja.get("/api/v1/clients", params={"email": email, "status": "active"})
        return list(answer.raise_for_status().json()["data"])

    async def client(self) -> dict[str, Any]:
        answer = await self.stage.ninja.get(f"/api/v1/clients/{self.client_id}")
        return dict(answer.raise_for_status().json()["data"])

    async def client_notes(self) -> list[str]:
        """The notes in the client's activity, newest first."""
        body = {"entity": "client", "entity_id": self.client_id, "rows": 500}
        answer = await self.stage.ninja.post("/api/v1/activities/entity", json=body)
        told = answer.raise_for_status().json()["data"]
        return [str(each["notes"]) for each in told if each["activity_type_id"] == _NOTE]

    async def mails(self) -> list[dict[str, Any]]:
        """What Invoice Ninja would have sent to people, had it been real."""
        return list((await self.stage.ninja.get("/_control/state")).raise_for_status().json().get("emails", ()))

    async def edit_client(self, **fields: Any) -> None:
        whole = await self.client()
        path = f"/api/v1/clients/{self.client_id}"
        (await self.stage.ninja.put(path, json={**whole, **fields})).raise_for_status()

    async def edit_contact(self, **fields: Any) -> None:
        (await self.stage.highlevel.put(f"/contacts/{self.contact_id}", json=fields)).raise_for_status()

    async def writes(self) -> int:
        """What the service has written to both vendors so far."""
        total = 0
        for vendor in (self.stage.highlevel, self.stage.ninja):
            asked = (await vendor.get("/_control/requests", params={"token": "service"})).json()["requests"]
            total += sum(each["method"] in ("PUT", "DELETE") or _creates(each) for each in asked)
        return total

    async def events(self) -> list[dict[str, Any]]:
        return list((await self.stage.admin.get("/api/v1/events", params={"limit": 100})).json()["items"])

    async def at_rest(self) -> None:
        """Every delivery is here, every event is handled, and nothing more has come of it."""

        async def still() -> bool:
            # Twice: what was written while the first look went on is told of as well.
            return not await self.stage.under_way() and not await self.stage.under_way()

        expect(await until(still, PATIENCE), "events are still waiting")


def _creates(request: dict[str, Any]) -> bool:
    return request["method"] == "POST" and "search" not in request["path"]


def expect(truth: object, otherwise: str) -> None:
    if not truth:
        raise AssertionError(otherwise)


Step = Callable[[Story], Awaitable[list[str]]]


async def run_demo(scenes: Sequence[tuple[str, Step]], *, once: bool, port: int) -> int:
    """The exit status: 0 where every step came out as told."""
    out = Console(highlight=False, soft_wrap=True)
    configure("error")
    telling = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, telling.cancel if telling else out.print)
    out.print("Starting PostgreSQL, both simulators and the service ...")
    started = time.perf_counter()
    try:
        async with set_up(port) as stage:
            out.print(f"Ready at {stage.url} after {time.perf_counter() - started:.1f} s.\n")
            story = Story(stage, out)
            await story.tell(scenes)
            if story.failed:
                out.print(f"\n[red]{len(story.failed)} of {len(scenes)} steps did not come out as told.[/red]")
            else:
                out.print(f"\n[green]All {len(scenes)} steps came out as told.[/green]")
            if not once:
                await _stay(stage, out)
            return 1 if story.failed else 0
    except OSError as error:
        out.print(f"[red]The demo cannot start: {error}. Is port {port} taken? Try --port 0.[/red]")
        return 1
    except asyncio.CancelledError:
        out.print("Ended.")
        return 0 if not once else 130


async def _stay(stage: Stage, out: Console) -> None:
    out.print(f"\nLook around: {stage.url}/docs   with the token {stage.admin_token}")
    out.print(f"  curl -H 'Authorization: Bearer {stage.admin_token}' {stage.url}/api/v1/activities")
    out.print(f"  HighLevel's simulator is at {stage.highlevel.base_url}, Invoice Ninja's at {stage.ninja.base_url}")
    out.print("Ctrl-C ends everything.")
    await asyncio.Event().wait()
