"""What webhooks missed is found by reading both sides, repaired, and counted."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.commands.sweeps import begin_and_follow
from app.directory import BridgeView
from app.errors import Wait
from app.main import build
from app.models.run import RunKind
from app.runs import Progress, RunView
from app.settings import Settings
from app.sweep.readings import Scope
from app.sweep.work import Sweeper
from tests.command import Shell
from tests.conftest import LOCATION, World, connect, until
from tests.flows.losing import People, differences, injected
from tests.flows.resting import rest, swept
from tests.flows.test_contacts import linked


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"sweep_grace": 0})


@pytest.fixture
async def world(bare_world: World) -> World:
    await connect(bare_world)
    return bare_world


async def lose(world: World, *vendors: Any) -> None:
    for vendor in vendors:
        (await vendor.post("/_control/webhook-faults", json={"kind": "lose"})).raise_for_status()


async def deliver(world: World) -> None:
    await rest(world)
    for vendor in (world.highlevel, world.ninja):
        await vendor.delete("/_control/webhook-faults")


async def health(world: World) -> dict[str, Any]:
    answer = await world.admin.get(f"/api/v1/bridges/{world.bridge_id}/health")
    return dict(answer.raise_for_status().json())


async def missed(world: World) -> dict[tuple[str, str], int]:
    return {(each["side"], each["object"]): each["missed"] for each in (await health(world))["missed"]}


async def counted(world: World) -> set[tuple[str, str]]:
    """Side and id of what was counted."""
    async with world.service.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT side, external_id FROM events WHERE kind = 'sweep' AND starts_with(delivery, 'missed:')")
        )
        return {(side, id_) for side, id_ in rows}


async def test_issue_highlevel_api_docs_257_one_sweep_after_a_third_of_all_webhooks_was_lost_both_sides_agree(
    world: World,
) -> None:
    """And the loss that is reported is the loss that was injected."""
    people = People(world.highlevel, world.ninja, LOCATION)
    for _ in range(50):
        await people.act(new=1)
    await rest(world)
    await world.forget_calls()
    await people.lose()
    for _ in range(4):
        await people.refresh()
        for _ in range(50):
            await people.act()
        await rest(world, 60)
    await people.stop_losing()
    lost = await injected(world.highlevel, world.ninja)
    assert len(lost) >= 10
    await swept(world, Scope.CHANGED)
    await rest(world, 60)
    pairs = {each["crm_id"]: each["billing_id"] for each in await world.rows("links", limit=500)}
    assert await differences(world.highlevel, world.ninja, pairs) == []
    assert await counted(world) == lost
    told = (await health(world))["missed"]
    assert sum(each["missed"] for each in told) == sum(each["repaired"] for each in told) == len(lost)
    assert {(each["provider"], each["side"]) for each in told} == {("highlevel", "crm"), ("invoice_ninja", "billing")}
    again = await swept(world, Scope.FULL)
    assert again["counts"] == {}


async def test_issue_highlevel_api_docs_77_what_no_event_told_of_is_repaired_by_a_sweep_and_told_with_its_run(
    world: World, database: str, tmp_path: Path
) -> None:
    contact, client = await linked(world)
    await lose(world, world.highlevel, world.ninja)
    await world.edit_contact(contact, city="Rome")
    await deliver(world)
    answer = await world.admin.post(f"/api/v1/bridges/{world.bridge_id}/sweep", json={"full": False})
    assert answer.status_code == 202, answer.text

    async def repaired() -> bool:
        return bool((await world.client(client))["city"] == "Rome")

    await until(repaired)
    await world.quiet()
    (activity,) = await world.rows("activities", limit=1)
    assert (activity["run_id"], activity["cause"], activity["action"]) == (answer.json()["id"], "sweep", "updated")
    told = await health(world)
    assert (told["last_sweep"]["actor"], told["last_sweep"]["counts"]) == ("admin token", {"found": 1, "missed": 1})
    assert told["last_full"] is None
    assert {each["object"] for each in told["readings"]} == {"contact"}
    assert all(each["read_to"] and not each["problem"] and each["compared_at"] is None for each in told["readings"])
    (crm, billing) = told["deliveries"]
    assert (crm["missed_since"], billing["missed_since"], crm["silence"]) == (1, 0, "")
    assert "ContactCreate" in {each["kind"] for each in crm["kinds"]}
    said = await Shell.beside(world, database, tmp_path)("health", "--bridge", str(world.bridge_id))
    assert f"{told['missed'][0]['day']} highlevel contact: 1 missed, 1 of them repaired\n" in said
    assert f"last sweep: run {answer.json()['id']}, " in said
    assert "last full compare: none yet" in said
    assert "ContactCreate: " in said


async def test_the_echo_of_our_own_write_is_no_loss(world: World) -> None:
    contact, _ = await linked(world)
    await lose(world, world.ninja)
    await world.edit_contact(contact, city="Rome")
    await deliver(world)
    assert (await swept(world, Scope.CHANGED))["counts"] == {}
    assert await missed(world) == {}


async def test_a_record_with_a_pending_event_is_left_to_it(world: World) -> None:
    contact, client = await linked(world)
    await lose(world, world.highlevel, world.ninja)
    await world.fault(world.ninja, kind="status", method="PUT", path="/clients", status=500)
    await world.edit_contact(contact, city="Rome")
    await deliver(world)
    assert (await swept(world, Scope.CHANGED))["counts"] == {"found": 1, "missed": 1}

    async def fails() -> Any:
        return await world.rows("links", crm_id=contact, state="retrying")

    await until(fails)
    assert (await swept(world, Scope.FULL))["counts"] == {}  # its event waits
    await world.mend()

    async def repaired() -> bool:
        return bool((await world.client(client))["city"] == "Rome")

    await until(repaired, 20)
    assert await missed(world) == {("crm", "contact"): 1}


async def test_what_is_too_young_is_left_by_the_clock_and_repaired_uncounted_at_a_persons_wish(world: World) -> None:
    contact, client = await linked(world)
    world.service.runs.works = {RunKind.SWEEP: Sweeper(world.service.connections, timedelta(minutes=2)).work}
    await lose(world, world.highlevel, world.ninja)
    await world.edit_contact(contact, city="Rome")
    await deliver(world)
    assert (await swept(world, Scope.CHANGED, scheduled=True))["counts"] == {}
    assert (await swept(world, Scope.CHANGED))["counts"] == {"found": 1}
    await world.quiet()
    assert (await world.client(client))["city"] == "Rome"
    assert await missed(world) == {}


async def test_a_deletion_that_no_event_told_of_is_found_by_the_full_compare_on_each_side(world: World) -> None:
    gone_there, client = await linked(world, email="a@acme.example", phone="", companyName="A")
    contact, gone_here = await linked(world, email="b@acme.example", phone="", companyName="B")
    await linked(world, email="c@acme.example", phone="", companyName="C")
    await lose(world, world.highlevel, world.ninja)
    (await world.highlevel.delete(f"/contacts/{gone_there}")).raise_for_status()
    body = {"action": "delete", "ids": [gone_here]}
    (await world.ninja.post("/api/v1/clients/bulk", json=body)).raise_for_status()
    await deliver(world)
    assert (await swept(world, Scope.CHANGED))["counts"] == {}
    assert (await swept(world, Scope.FULL))["counts"] == {"absent": 2}
    await rest(world)
    links = {each["crm_id"]: (each["state"], each["problem"]) for each in await world.rows("links")}
    assert links.pop(gone_there) == ("unlinked", "crm_gone_archived")
    assert links.pop(contact) == ("unlinked", "billing_gone")
    assert {state for state, _ in links.values()} == {"ok"}
    assert (await world.client(client))["archived_at"]
    assert (await world.contact(contact))["id"] == contact
    assert (await swept(world, Scope.FULL))["counts"] == {}
    assert await missed(world) == {}  # a list alone proves no deletion: that is told, and not counted


_PAGES = {"total": 3, "count": 0, "per_page": 200, "current_page": 1, "total_pages": 2}
CUT_SHORT: dict[str, tuple[str, str, int, Any]] = {
    "contacts: an error": ("highlevel", "^/contacts/search$", 500, None),
    "contacts: nothing, with the total": ("highlevel", "^/contacts/search$", 200, {"contacts": [], "total": 3}),
    "contacts: nothing at all": ("highlevel", "^/contacts/search$", 200, {"contacts": []}),
    "clients: an error": ("ninja", "/clients$", 500, None),
    "clients: an empty page": ("ninja", "/clients$", 200, {"data": [], "meta": {"pagination": _PAGES}}),
}


@pytest.mark.parametrize("case", CUT_SHORT)
async def test_a_list_that_is_cut_short_deletes_nothing(world: World, case: str) -> None:
    for name in "abc":
        await linked(world, email=f"{name}@acme.example", phone="", companyName=name.upper())
    side, path, status, body = CUT_SHORT[case]
    vendor = world.highlevel if side == "highlevel" else world.ninja
    await world.fault(vendor, kind="status", path=path, status=status, body=body)
    unseen = case == "contacts: nothing at all"
    run = await swept(world, Scope.FULL, "done" if unseen else "failed")
    await world.mend()
    await world.quiet()
    if unseen:
        assert run["counts"] == {"absent": 3}  # each is looked at, and is there
    else:
        assert run["counts"] == {}
        assert run["detail"].startswith("Not read to the end: ")
        assert [bool(each["problem"]) for each in (await health(world))["readings"]].count(True) == 1
    assert {each["state"] for each in await world.rows("links")} == {"ok"}
    assert len(await world.clients()) == 3


async def test_only_a_reading_that_came_to_its_end_moves_the_cursor(world: World) -> None:
    contact, client = await linked(world)
    await swept(world, Scope.CHANGED)
    before = {each["side"]: each["read_to"] for each in (await health(world))["readings"]}
    await lose(world, world.highlevel, world.ninja)
    await world.edit_contact(contact, city="Rome")
    await world.fault(world.highlevel, kind="status", path="^/contacts/search$", status=403)
    await swept(world, Scope.CHANGED, "failed")
    after = {each["side"]: each["read_to"] for each in (await health(world))["readings"]}
    assert after["crm"] == before["crm"]
    assert after["billing"] > before["billing"]
    await world.mend()
    await deliver(world)
    await swept(world, Scope.CHANGED)
    await world.quiet()
    assert (await world.client(client))["city"] == "Rome"
    assert not any(each["problem"] for each in (await health(world))["readings"])


async def test_a_vendor_in_trouble_is_asked_again_and_the_sweep_goes_on(world: World) -> None:
    contact, client = await linked(world)
    await lose(world, world.highlevel, world.ninja)
    await world.edit_contact(contact, city="Rome")
    await deliver(world)
    await world.fault(world.highlevel, kind="status", path="^/contacts/search$", status=500, times=1)
    run = await swept(world, Scope.CHANGED)
    assert run["counts"] == {"found": 1, "missed": 1}
    await world.quiet()
    assert (await world.client(client))["city"] == "Rome"


async def test_a_sweep_while_people_edit_loses_nothing_and_counts_no_event_that_came(world: World) -> None:
    people = People(world.highlevel, world.ninja, LOCATION)
    for _ in range(12):
        await people.act(new=1)
    await rest(world)
    await people.refresh()
    world.service.runs.works = {RunKind.SWEEP: Sweeper(world.service.connections, timedelta(minutes=2)).work}
    for _ in range(3):
        sweep = asyncio.create_task(swept(world, Scope.FULL))
        for _ in range(15):
            await people.act()
        await sweep
    await rest(world, 60)
    pairs = {each["crm_id"]: each["billing_id"] for each in await world.rows("links", limit=500)}
    assert await differences(world.highlevel, world.ninja, pairs) == []
    assert await missed(world) == {}


async def test_killed_in_the_middle_it_goes_on_and_counts_nothing_twice(world: World) -> None:
    """The first job is taken for dead after its first batch; another one reads it all again."""
    contacts = [(await linked(world, email=f"{n}@acme.example", phone="", companyName=f"A{n}"))[0] for n in range(3)]
    await lose(world, world.highlevel, world.ninja)
    for contact in contacts:
        await world.edit_contact(contact, city="Rome")
    await deliver(world)
    sweeper, died = Sweeper(world.service.connections, timedelta(0)), list[str]()

    async def dies_once(run: RunView, progress: Progress) -> None:
        if died:
            await sweeper.work(run, progress)
            return
        try:
            dead = _Dead(world.service.connections, timedelta(0))
            await dead.work(run, _Dying(progress.engine, run, progress.stopping))
        except _Killed:
            died.append(run.claim)
            raise Wait(0.1, "killed") from None

    world.service.runs.works = {RunKind.SWEEP: dies_once}
    run = await swept(world, Scope.CHANGED)
    assert died
    assert run["counts"] == {"found": 3, "missed": 3}
    await world.quiet()
    assert await missed(world) == {("crm", "contact"): 3}
    assert {each["city"] for each in await world.clients()} == {"Rome"}


class _Killed(Exception):
    pass


class _Dead(Sweeper):
    """Does nothing more: what it has found stays without a job."""

    async def _release(self, bridge: BridgeView, object_: str, run: RunView) -> None:
        pass


class _Dying(Progress):
    """Ends the process, as far as the work can tell, when its first batch is stored and nothing else is yet."""

    async def checkpoint(self, connection: AsyncConnection | None = None, **told: Any) -> None:
        if connection is None:
            raise _Killed
        await super().checkpoint(connection, **told)


async def test_two_services_at_once_sweep_a_bridge_once(world: World) -> None:
    contact, _ = await linked(world)
    await lose(world, world.highlevel, world.ninja)
    await world.edit_contact(contact, city="Rome")
    await deliver(world)
    await _age(world, minutes=20)
    other = build(world.service.settings, world.service.engine.url.render_as_string(hide_password=False))
    try:
        await asyncio.gather(*(each.worker.sweeps.begin_due() for each in (world.service, other) for _ in range(3)))
    finally:
        await other.client.aclose()
        await other.db.dispose()

    async def ended() -> Any:
        return await world.rows("runs", state="done")

    await until(ended, 20)
    await world.quiet()
    assert len(await world.rows("runs")) == 1
    assert await missed(world) == {("crm", "contact"): 1}


async def _age(world: World, *, minutes: int = 0, hours: int = 0) -> None:
    """The bridge, and its sweeps, began so much earlier."""
    span = f"interval '{hours} hours {minutes} minutes'"
    async with world.service.engine.begin() as connection:
        await connection.execute(text(f"UPDATE bridges SET created_at = created_at - {span}"))  # noqa: S608
        times = ", ".join(f"{name} = {name} - {span}" for name in ("silent_at", "changed_at", "full_at"))
        await connection.execute(text(f"UPDATE sweeps SET {times}"))  # noqa: S608
    await world.service.connections.directory.refresh()


async def begun(world: World) -> list[str]:
    """The scopes that the clock began now, when they have ended."""
    before = {each["id"] for each in await world.rows("runs")}
    await world.service.worker.sweeps.begin_due()

    async def ended() -> bool:
        return all(each["ended_at"] for each in await world.rows("runs"))

    await until(ended, 20)
    return [each["options"]["scope"] for each in await world.rows("runs") if each["id"] not in before]


async def test_the_clock_begins_what_is_due_with_the_widest_scope(bare_world: World) -> None:
    await connect(bare_world, contact={"enabled": True}, task={"enabled": True}, sweep_minutes=15, full_compare_hours=2)
    assert await begun(bare_world) == []
    await _age(bare_world, minutes=6)
    assert await begun(bare_world) == ["silent"]
    assert await begun(bare_world) == []
    await _age(bare_world, minutes=10)
    assert await begun(bare_world) == ["changed"]
    await _age(bare_world, hours=3)
    assert await begun(bare_world) == ["full"]
    assert await begun(bare_world) == []
    await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json={"enabled": False})
    await _age(bare_world, hours=3)
    assert await begun(bare_world) == []


async def test_a_bridge_that_waits_for_a_reconnect_is_left_out(world: World) -> None:
    await _age(world, hours=30)
    async with world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE connections SET state = 'needs_reconnect' WHERE provider = 'highlevel'"))
    await world.service.connections.directory.refresh()
    assert await begun(world) == []


async def test_the_shell_begins_a_sweep_and_tells_how_it_ends(world: World) -> None:
    contact, _ = await linked(world)
    await lose(world, world.highlevel, world.ninja)
    await world.edit_contact(contact, city="Rome")
    await deliver(world)
    said: list[str] = []
    assert await begin_and_follow(world.service.runs, 0, Scope.FULL, said.append)
    assert said[-1] == "bridge 1: done, 2 records read, 1 with news, 1 of them missed by webhooks"
    await world.quiet()
    await world.fault(world.highlevel, kind="status", path="^/contacts/search$", status=403)
    assert not await begin_and_follow(world.service.runs, world.bridge_id, Scope.CHANGED, said.append)
    assert "failed" in said[-1]
    assert "Not read to the end: crm/contact: " in said[-1]
    await world.mend()


async def test_a_connection_that_falls_silent_while_changes_go_on_is_told(world: World) -> None:
    contact, _ = await linked(world)
    async with world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE events SET received_at = received_at - interval '6 hours'"))
    await lose(world, world.highlevel, world.ninja)
    await world.edit_contact(contact, city="Rome")
    await deliver(world)
    await swept(world, Scope.CHANGED)
    await world.quiet()
    crm, billing = (await health(world))["deliveries"]
    assert crm["silence"] == "No delivery for 6 h, while sweeps found 1 change: look at the webhooks."
    assert (billing["silence"], billing["missed_since"]) == ("", 0)
    (told,) = (await health(world))["missed"]
    assert (told["provider"], told["object"], told["missed"], told["repaired"]) == ("highlevel", "contact", 1, 1)


async def test_a_persons_sweep_is_refused_while_one_is_under_way_and_for_a_bridge_that_is_not_there(
    world: World,
) -> None:
    hold = asyncio.Event()

    async def work(run: RunView, progress: Progress) -> None:
        await hold.wait()

    world.service.runs.works = {RunKind.SWEEP: work}
    path = f"/api/v1/bridges/{world.bridge_id}/sweep"
    assert (await world.admin.post(path)).json()["options"] == {"scope": "changed"}
    refused = await world.admin.post(path, json={"full": True})
    assert (refused.status_code, "under way" in refused.json()["detail"]) == (422, True)
    hold.set()
    assert (await world.admin.post("/api/v1/bridges/999/sweep")).status_code == 404
    assert (await world.admin.get("/api/v1/bridges/999/health")).status_code == 404
