"""The demo's story: what happens between two systems that are kept in step, told as it happens."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from app.logs import configure
from app.sandbox.stage import LOCATION, Stage, set_up, until

PATIENCE = 15.0


@dataclass(slots=True)
class Story:
    stage: Stage
    out: Console
    contact_id: str = ""
    client_id: str = ""
    failed: list[str] = field(default_factory=list)
    started: float = 0
    arrived: float = 0

    async def tell(self) -> None:
        for number, (title, step) in enumerate(STEPS, 1):
            await self.at_rest()
            self.out.print(f"[bold]{number}. {title}[/bold]")
            self.started = self.arrived = time.perf_counter()
            try:
                lines = await step(self)
            except Exception as error:  # noqa: BLE001 -- a step that breaks is a step that failed; the story goes on
                self.failed.append(title)
                lines = [f"[red]it did not come out as told: {error or type(error).__name__}[/red]"]
            for line in lines:
                self.out.print(f"   {line}")
            self.out.print(f"   [dim]arrived after {(self.arrived - self.started) * 1000:.0f} ms[/dim]")

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
        """Every event so far is handled, and none comes any more."""

        async def still() -> bool:
            before = await self.events()
            await asyncio.sleep(0.4)
            after = await self.events()
            return before == after and all(event["state"] != "pending" for event in after)

        expect(await until(still, PATIENCE), "events are still waiting")


def _creates(request: dict[str, Any]) -> bool:
    return request["method"] == "POST" and "search" not in request["path"]


def expect(truth: object, otherwise: str) -> None:
    if not truth:
        raise AssertionError(otherwise)


async def created(story: Story) -> list[str]:
    story.contact_id = await story.add_contact(
        firstName="Jane", lastName="Doe", companyName="Acme Garden Design", email="jane@acme.example",
        phone="+442079460018", address1="1 Elm Row", city="London", postalCode="N1 1AA", country="GB",
    )  # fmt: skip
    found = await story.arrival(lambda: story.clients_with("jane@acme.example"), "no client was made")
    expect(len(found) == 1, f"{len(found)} clients instead of one")
    story.client_id = found[0]["id"]
    expect(found[0]["name"] == "Acme Garden Design", f"the client is called {found[0]['name']!r}")
    expect(found[0]["country_id"] == "826", "the country did not arrive")
    return [
        f"contact {story.contact_id} is client {found[0]['number']} “{found[0]['name']}”, {found[0]['city']}",
        f"its {found[0]['contacts'][0]['email']} and {found[0]['contacts'][0]['phone']} are the client's contact",
    ]


async def both_edit(story: Story) -> list[str]:
    await asyncio.gather(
        story.edit_contact(phone="+442079460099"), story.edit_client(address1="22 Oak Lane", vat_number="GB123456789")
    )

    async def settled() -> bool:
        client, contact = await story.client(), await story.contact(story.contact_id)
        return client["contacts"][0]["phone"] == "+442079460099" and contact.get("address1") == "22 Oak Lane"

    await story.arrival(settled, "an edit was lost")
    client = await story.client()
    expect(client["address1"] == "22 Oak Lane", "the edit in Invoice Ninja was overwritten")
    return [
        "HighLevel's new phone is in Invoice Ninja, Invoice Ninja's new address is in HighLevel",
        f"and what nobody mapped is untouched: currency {client['settings'].get('currency_id')}",
    ]


async def echo(story: Story) -> list[str]:
    before, events = await story.writes(), len(await story.events())
    story.started = time.perf_counter()
    await story.edit_contact(city="Cambridge")
    await story.arrival(lambda: _city(story, "Cambridge"), "the edit did not arrive")
    await story.at_rest()
    written, heard = await story.writes() - before, len(await story.events()) - events
    expect(written == 1, f"{written} writes instead of one")
    return [f"one edit: {heard} events (ours came back as one of them), 1 write, nothing after it"]


async def _city(story: Story, city: str) -> bool:
    return bool((await story.client())["city"] == city)


async def twice(story: Story) -> list[str]:
    body = {"kind": "duplicate", "share": 1.0}
    (await story.stage.highlevel.post("/_control/webhook-faults", json=body)).raise_for_status()
    await story.add_contact(firstName="Ravi", lastName="Shah", email="ravi@shah.example")
    await story.arrival(lambda: story.clients_with("ravi@shah.example"), "no client was made")
    await story.at_rest()
    await story.stage.highlevel.delete("/_control/webhook-faults")
    found = await story.clients_with("ravi@shah.example")
    expect(len(found) == 1, f"{len(found)} clients instead of one")
    heard = max(event["deliveries"] for event in (await story.events())[:5])
    expect(heard >= 2, "the webhook did not come twice")
    return [f"the webhook came {heard} times; there is one client, “{found[0]['display_name']}”"]


async def other_way(story: Story) -> list[str]:
    person = {"first_name": "Mia", "last_name": "Rossi", "email": "mia@rossi.example", "phone": "+390612345678"}
    body = {"name": "Rossi Ceramiche", "country_id": "380", "contacts": [person]}
    (await story.stage.ninja.post("/api/v1/clients", json=body)).raise_for_status()
    query = {"locationId": LOCATION, "email": "mia@rossi.example"}

    async def found() -> Any:
        answer = await story.stage.highlevel.get("/contacts/search/duplicate", params=query)
        return answer.json()["contact"]

    contact = await story.arrival(found, "no contact was made")
    expect(contact.get("companyName") == "Rossi Ceramiche", "the company did not arrive")
    return [f"client “Rossi Ceramiche” is contact {contact['id']}, {contact['firstName']} {contact['lastName']}"]


async def vendor_down(story: Story) -> list[str]:
    fault = {"kind": "status", "status": 500, "path": "^/api/v1/clients"}
    (await story.stage.ninja.post("/_control/faults", json=fault)).raise_for_status()
    # The people at Invoice Ninja see errors as well now; the edit is made in HighLevel.
    await story.edit_contact(city="Edinburgh")

    async def waiting() -> Any:
        return (await story.stage.admin.get("/api/v1/jobs", params={"state": "retrying"})).json()["items"]

    jobs = await until(waiting, PATIENCE)
    expect(jobs, "the failure is not visible")
    await asyncio.sleep(2)
    await story.stage.ninja.delete("/_control/faults")
    story.started = time.perf_counter()
    await story.arrival(lambda: _city(story, "Edinburgh"), "the change was lost")
    return [f"meanwhile it was visible: “{jobs[0]['detail']}”", "when Invoice Ninja was well again the change arrived"]


Step = Callable[[Story], Awaitable[list[str]]]
STEPS: tuple[tuple[str, Step], ...] = (
    ("A contact created in HighLevel becomes a client in Invoice Ninja", created),
    ("Both sides edit different fields at the same moment, and both edits survive", both_edit),
    ("The echo of our own write is silent", echo),
    ("The same webhook twice is one client", twice),
    ("A client made in Invoice Ninja becomes a contact in HighLevel", other_way),
    ("Invoice Ninja answers 500 for a while, and the change arrives after", vendor_down),
)


async def run_demo(*, once: bool, port: int) -> int:
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
            await story.tell()
            if story.failed:
                out.print(f"\n[red]{len(story.failed)} of {len(STEPS)} steps did not come out as told.[/red]")
            else:
                out.print(f"\n[green]All {len(STEPS)} steps came out as told.[/green]")
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
