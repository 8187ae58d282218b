"""Invoice Ninja's webhooks install themselves, are looked after, and go with their connection."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Connection
from app.models.connection import ConnectionState
from app.providers.invoice_ninja.webhook import HANDLED
from app.settings import Settings
from app.subscriptions import Subscriptions
from app.vault import WebhookSecrets
from tests.conftest import LOCATION, World, until
from tests.ports import free_port

SERVICE, CLERK = "sandbox-ninja-service-token", "sandbox-ninja-clerk-token"
SECRET_HEADER = "X-Crossledger-Secret"
EVENTS = list(HANDLED)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A service that listens where its public URL says."""
    port = free_port()
    return settings.model_copy(update={"port": port, "public_url": f"http://127.0.0.1:{port}"})


async def connect(world: World, **changed: Any) -> dict[str, Any]:
    body = {"provider": "invoice_ninja", "name": "Company", "base_url": world.ninja_url, "api_token": SERVICE}
    answer = await world.admin.post("/api/v1/connections", json={**body, **changed})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def connect_highlevel(world: World) -> dict[str, Any]:
    body = {
        "provider": "highlevel",
        "name": "Location",
        "location_id": LOCATION,
        "private_token": "sandbox-highlevel-service-token",
        "base_url": world.highlevel_url,
    }
    answer = await world.admin.post("/api/v1/connections", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def hooks(world: World, status: str = "active") -> list[dict[str, Any]]:
    """What the company has, as its administrator sees it."""
    answer = await world.ninja.get("/api/v1/webhooks", params={"status": status, "per_page": "100"})
    return list(answer.raise_for_status().json()["data"])


async def enter(world: World, url: str, event: str = "1", **fields: Any) -> str:
    """As a person does, by hand."""
    body = {"target_url": url, "event_id": event, "rest_method": "post", **fields}
    answer = await world.ninja.post("/api/v1/webhooks", json=body)
    return str(answer.raise_for_status().json()["data"]["id"])


async def shown(world: World, id_: int) -> dict[str, Any]:
    return dict((await world.admin.get(f"/api/v1/connections/{id_}")).raise_for_status().json())


def subscriptions(world: World) -> Subscriptions:
    return Subscriptions(world.service.connections, world.service.settings.public_url)


def steps(answer: Any) -> list[tuple[str, str]]:
    return [(change["step"], change["event"]) for change in answer.json()["changes"]]


ALL = [("keep", event) for event in EVENTS]


async def test_a_new_connection_installs_one_webhook_for_each_event(bare_world: World) -> None:
    made = await connect(bare_world)
    assert (made["webhooks_managed"], made["webhooks_problem"], made["warnings"]) == (True, "", [])
    assert made["webhooks_checked_at"]
    webhooks = made["webhooks"]
    there = await hooks(bare_world)
    assert [(each["event_id"], each["target_url"]) for each in there] == [
        (event, webhooks["url"].replace("{event_id}", event)) for event in EVENTS
    ]
    assert all(each["headers"] == {SECRET_HEADER: webhooks["secret"]} for each in there)


async def test_what_they_deliver_is_accepted_and_arrives_in_highlevel(bare_world: World) -> None:
    crm, billing = await connect_highlevel(bare_world), await connect(bare_world)
    bridge = {"name": "B", "crm_connection_id": crm["id"], "billing_connection_id": billing["id"], "live": True}
    assert (await bare_world.admin.post("/api/v1/bridges", json=bridge)).status_code == 201
    client = await bare_world.add_client(name="Rossi", contacts=[{"first_name": "Mia", "email": "mia@rossi.example"}])
    await until(lambda: bare_world.rows("links", billing_id=client["id"], state="ok"))


async def test_a_dry_look_says_what_would_be_done_and_does_nothing(bare_world: World) -> None:
    made = await connect(bare_world, install_webhooks=False)
    url = f"/api/v1/connections/{made['id']}/webhooks"
    answer = await bare_world.admin.get(url)
    assert answer.status_code == 200, answer.text
    assert steps(answer) == [("create", event) for event in EVENTS]
    assert {change["reason"] for change in answer.json()["changes"]} == {"there is none for this event"}
    assert (answer.json()["managed"], answer.json()["problem"]) == (False, "")
    assert await hooks(bare_world) == []
    installed = await bare_world.admin.post(f"{url}/install")
    assert steps(installed) == [("create", event) for event in EVENTS]
    assert (installed.json()["managed"], bool(installed.json()["checked_at"])) == (True, True)
    assert len(await hooks(bare_world)) == len(EVENTS)
    assert steps(await bare_world.admin.get(url)) == ALL


async def test_installing_twice_writes_nothing(bare_world: World) -> None:
    made = await connect(bare_world)
    before = await hooks(bare_world)
    await bare_world.forget_calls()
    assert steps(await bare_world.admin.post(f"/api/v1/connections/{made['id']}/webhooks/install")) == ALL
    await subscriptions(bare_world).check_all()
    assert {call["method"] for call in await bare_world.calls(bare_world.ninja)} == {"GET"}
    assert await hooks(bare_world) == before


async def test_several_that_install_at_once_make_each_webhook_once(bare_world: World) -> None:
    """A person presses while the hourly check looks: both would find none, and both make one."""
    made = await connect(bare_world, install_webhooks=False)
    await bare_world.fault(bare_world.ninja, kind="latency", seconds=0.1)
    mine, elsewhere = subscriptions(bare_world), subscriptions(bare_world)
    await asyncio.gather(mine.install(made["id"]), elsewhere.install(made["id"]), mine.install(made["id"]))
    await bare_world.mend()
    assert [each["event_id"] for each in await hooks(bare_world)] == EVENTS


async def test_those_entered_by_hand_are_adopted(bare_world: World) -> None:
    made = await connect(bare_world, install_webhooks=False)
    webhooks = made["webhooks"]
    for event in EVENTS:
        await enter(
            bare_world,
            webhooks["url"].replace("{event_id}", event),
            event,
            headers={SECRET_HEADER: webhooks["secret"]},
        )
    assert steps(await bare_world.admin.post(f"/api/v1/connections/{made['id']}/webhooks/install")) == ALL
    assert len(await hooks(bare_world)) == len(EVENTS)


async def test_what_was_damaged_is_mended_by_the_hourly_check(bare_world: World) -> None:
    """Archived, headers lost, deleted, doubled: afterwards it is as it was made."""
    await connect(bare_world)
    first, second, third, fourth, *_ = made = await hooks(bare_world)
    for action, hook in (("archive", first), ("delete", second)):
        await bare_world.ninja.post("/api/v1/webhooks/bulk", json={"action": action, "ids": [hook["id"]]})
    broken = {"target_url": third["target_url"], "event_id": third["event_id"], "headers": []}
    await bare_world.ninja.put(f"/api/v1/webhooks/{third['id']}", json=broken)
    await enter(bare_world, fourth["target_url"], fourth["event_id"], headers=fourth["headers"])
    await subscriptions(bare_world).check_all()
    after = await hooks(bare_world)
    wanted = sorted((hook["event_id"], hook["target_url"], str(hook["headers"])) for hook in made)
    assert sorted((hook["event_id"], hook["target_url"], str(hook["headers"])) for hook in after) == wanted
    assert {first["id"], third["id"]} < {hook["id"] for hook in after}


async def test_one_that_invoice_ninja_dropped_after_a_410_calls_again(bare_world: World) -> None:
    """Section 8: 404, 405 or 410 once, for example from a proxy, and it is archived."""
    made = await connect(bare_world)
    first = (await hooks(bare_world))[0]
    wrong = {"target_url": f"{bare_world.url}/nowhere", "event_id": "1", "headers": first["headers"]}
    await bare_world.ninja.put(f"/api/v1/webhooks/{first['id']}", json=wrong)
    await bare_world.add_client(name="Rossi")
    await until(lambda: hooks(bare_world, "archived"))
    right = {**wrong, "target_url": first["target_url"]}
    await bare_world.ninja.put(f"/api/v1/webhooks/{first['id']}", json=right)
    answer = await bare_world.admin.get(f"/api/v1/connections/{made['id']}/webhooks")
    assert ("restore", "1") in steps(answer)
    assert "404, 405 or 410" in next(c["reason"] for c in answer.json()["changes"] if c["step"] == "restore")
    await subscriptions(bare_world).check(made["id"])
    assert first["id"] in {hook["id"] for hook in await hooks(bare_world)}


async def test_the_webhooks_of_others_are_never_touched(bare_world: World) -> None:
    theirs = [await enter(bare_world, "https://hooks.example/catch", event) for event in ("1", "2", "1")]
    made = await connect(bare_world)
    await bare_world.admin.delete(f"/api/v1/connections/{made['id']}/webhooks")
    await bare_world.admin.post(f"/api/v1/connections/{made['id']}/webhooks/install")
    assert (await bare_world.admin.delete(f"/api/v1/connections/{made['id']}")).status_code == 204
    assert [hook["id"] for hook in await hooks(bare_world)] == theirs


async def test_those_of_another_connection_or_installation_stay(bare_world: World) -> None:
    """A copy of `.env` gives two installations one address; neither may cut the other's webhooks."""
    theirs = await enter(bare_world, f"{bare_world.url}/webhooks/invoice-ninja/a-key-that-was-never-ours/1")
    made = await connect(bare_world)
    await subscriptions(bare_world).check_all()
    assert (await bare_world.admin.delete(f"/api/v1/connections/{made['id']}")).status_code == 204
    assert [hook["id"] for hook in await hooks(bare_world)] == [theirs]


async def test_those_of_a_key_that_was_ours_go(bare_world: World) -> None:
    made = await connect(bare_world, install_webhooks=False)
    old = await enter(bare_world, made["webhooks"]["url"].replace("{event_id}", "1"))
    await bare_world.admin.post(f"/api/v1/connections/{made['id']}/webhook-secrets")
    await bare_world.admin.post(f"/api/v1/connections/{made['id']}/webhooks/install")
    there = {hook["id"] for hook in await hooks(bare_world)}
    assert (old in there, len(there)) == (False, len(EVENTS))


async def test_removed_ones_stay_away(bare_world: World) -> None:
    made = await connect(bare_world)
    answer = await bare_world.admin.delete(f"/api/v1/connections/{made['id']}/webhooks")
    assert steps(answer) == [("delete", event) for event in EVENTS]
    assert answer.json()["managed"] is False
    await subscriptions(bare_world).check_all()
    await bare_world.admin.post(f"/api/v1/connections/{made['id']}/check")
    assert await hooks(bare_world, "active,archived") == []


async def test_a_deleted_connection_takes_its_webhooks_along(bare_world: World) -> None:
    made = await connect(bare_world)
    assert (await bare_world.admin.delete(f"/api/v1/connections/{made['id']}")).status_code == 204
    assert await hooks(bare_world, "active,archived") == []


async def test_a_deleted_connection_leaves_alone_what_it_has_not_installed(bare_world: World) -> None:
    made = await connect(bare_world, install_webhooks=False)
    by_hand = await enter(bare_world, made["webhooks"]["url"].replace("{event_id}", "1"))
    assert (await bare_world.admin.delete(f"/api/v1/connections/{made['id']}")).status_code == 204
    assert [hook["id"] for hook in await hooks(bare_world)] == [by_hand]


async def test_a_connection_is_deleted_also_when_its_vendor_is_down(bare_world: World) -> None:
    made = await connect(bare_world)
    await bare_world.fault(bare_world.ninja, kind="status", status=500)
    assert (await bare_world.admin.delete(f"/api/v1/connections/{made['id']}")).status_code == 204
    await bare_world.mend()
    assert len(await hooks(bare_world)) == len(EVENTS)
    await connect(bare_world)  # the next one of this installation clears up
    assert len(await hooks(bare_world)) == len(EVENTS)


async def test_a_connection_that_a_bridge_uses_keeps_its_webhooks(bare_world: World) -> None:
    crm, billing = await connect_highlevel(bare_world), await connect(bare_world)
    bridge = {"name": "B", "crm_connection_id": crm["id"], "billing_connection_id": billing["id"]}
    await bare_world.admin.post("/api/v1/bridges", json=bridge)
    assert (await bare_world.admin.delete(f"/api/v1/connections/{billing['id']}")).status_code == 409
    assert len(await hooks(bare_world)) == len(EVENTS)


async def test_a_token_of_no_administrator_is_connected_with_the_reason_and_the_manual_way(bare_world: World) -> None:
    made = await connect(bare_world, api_token=CLERK)
    assert made["state"] == "active"
    assert any("no administrator" in warning for warning in made["warnings"])
    assert "only administrators may make webhooks" in made["webhooks_problem"]
    assert made["webhooks"]["events"].keys() == set(EVENTS)
    url = f"/api/v1/connections/{made['id']}"
    assert "only administrators" in (await bare_world.admin.get(f"{url}/webhooks")).json()["problem"]
    again = await bare_world.admin.post(f"{url}/webhooks/install")
    assert (again.status_code, "only administrators" in again.json()["detail"]) == (422, True)
    assert await hooks(bare_world) == []
    mended = (await bare_world.admin.post(f"{url}/check", json={"api_token": SERVICE})).json()
    assert (mended["webhooks_problem"], mended["warnings"]) == ("", [])
    assert len(await hooks(bare_world)) == len(EVENTS)


async def test_highlevel_says_why_there_is_nothing_to_install(bare_world: World) -> None:
    made = await connect_highlevel(bare_world)
    url = f"/api/v1/connections/{made['id']}/webhooks"
    for method, path in (("GET", url), ("POST", f"{url}/install"), ("DELETE", url)):
        answer = await bare_world.admin.request(method, path)
        assert (answer.status_code, answer.json()["title"]) == (422, "Unsupported"), answer.text
        assert "Marketplace app" in answer.json()["detail"]
    assert (made["webhooks_managed"], made["webhooks_problem"]) == (False, "")


async def test_an_unknown_connection_is_404(bare_world: World) -> None:
    for method, path in (("GET", ""), ("POST", "/install"), ("DELETE", "")):
        answer = await bare_world.admin.request(method, f"/api/v1/connections/999/webhooks{path}")
        assert answer.status_code == 404


async def test_new_secrets_are_given_to_the_webhooks_at_once(bare_world: World) -> None:
    made = await connect(bare_world)
    new = (await bare_world.admin.post(f"/api/v1/connections/{made['id']}/webhook-secrets")).json()
    assert new["secret"] != made["webhooks"]["secret"]
    there = await hooks(bare_world)
    assert {hook["target_url"] for hook in there} == {new["url"].replace("{event_id}", event) for event in EVENTS}
    assert all(hook["headers"] == {SECRET_HEADER: new["secret"]} for hook in there)


async def test_a_connection_of_an_older_version_gets_new_secrets_when_it_installs(bare_world: World) -> None:
    """Only digests were kept then, so the address cannot be written again."""
    made = await connect(bare_world, install_webhooks=False)
    by_hand = await enter(bare_world, made["webhooks"]["url"].replace("{event_id}", "1"))
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE connections SET webhook_sealed = ''"))
    url = f"/api/v1/connections/{made['id']}/webhooks"
    wanted = [*(("create", event) for event in EVENTS), ("delete", "1")]
    assert steps(await bare_world.admin.get(url)) == wanted
    assert [hook["id"] for hook in await hooks(bare_world)] == [by_hand]
    assert steps(await bare_world.admin.post(f"{url}/install")) == wanted
    assert steps(await bare_world.admin.get(url)) == ALL


async def test_a_vendor_in_trouble_is_noted_and_forgotten_when_it_is_well(bare_world: World) -> None:
    made = await connect(bare_world)
    await bare_world.fault(bare_world.ninja, kind="status", status=500)
    await subscriptions(bare_world).check_all()
    troubled = await shown(bare_world, made["id"])
    assert "answers 500" in troubled["webhooks_problem"]
    assert troubled["webhooks_checked_at"] > made["webhooks_checked_at"]
    await bare_world.mend()
    await subscriptions(bare_world).check_all()
    assert (await shown(bare_world, made["id"]))["webhooks_problem"] == ""


async def test_a_refused_token_makes_the_connection_wait(bare_world: World) -> None:
    made = await connect(bare_world)
    await bare_world.fault(bare_world.ninja, kind="status", status=403, body={"message": "Invalid token", "errors": {}})
    await subscriptions(bare_world).check_all()
    waiting = await shown(bare_world, made["id"])
    assert (waiting["state"], "Invalid token" in waiting["webhooks_problem"]) == ("needs_reconnect", True)
    await bare_world.forget_calls()
    await subscriptions(bare_world).check_all()
    assert await bare_world.calls(bare_world.ninja) == []


async def test_what_was_installed_for_a_connection_deleted_meanwhile_goes_again(bare_world: World) -> None:
    made = await connect(bare_world)
    async with AsyncSession(bare_world.service.engine) as session:
        row = await session.get_one(Connection, made["id"])
    assert (await bare_world.admin.delete(f"/api/v1/connections/{made['id']}")).status_code == 204
    await subscriptions(bare_world)._bring_in_order(row)
    assert await hooks(bare_world, "active,archived") == []


async def test_a_vendor_that_cannot_reach_us_is_said_with_what_to_set(bare_world: World) -> None:
    made = await connect(bare_world, install_webhooks=False)
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE connections SET base_url = 'https://invoices.example.com'"))
    answer = await bare_world.admin.post(f"/api/v1/connections/{made['id']}/webhooks/install")
    assert answer.status_code == 422
    assert "CROSSLEDGER_PUBLIC_URL" in answer.json()["detail"]
    assert "CROSSLEDGER_PUBLIC_URL" in (await shown(bare_world, made["id"]))["webhooks_problem"]


@pytest.mark.parametrize(
    ("public_url", "base_url", "reached"),
    [
        ("http://127.0.0.1:8000", "https://invoicing.co", False),
        ("http://localhost:8000", "http://10.0.0.7", False),
        ("http://[::1]:8000", "https://invoicing.co", False),
        ("http://sync.localhost", "https://invoicing.co", False),
        ("http://127.0.0.1:8000", "http://localhost:9000", True),
        ("https://sync.example.com", "https://invoicing.co", True),
        ("http://10.0.0.5:8000", "http://10.0.0.7", True),
    ],
)
async def test_a_public_url_that_is_only_this_machine_reaches_only_this_machine(
    bare_world: World, public_url: str, base_url: str, reached: bool
) -> None:
    sealed = bare_world.service.connections.vault.seal({"api_token": "t0ken"})
    row = Connection(provider="invoice_ninja", base_url=base_url, sealed=sealed)
    obstacle = Subscriptions(bare_world.service.connections, public_url).obstacle(row)
    assert (obstacle == "") is reached


async def test_no_answer_shows_the_key_or_the_secret_again(bare_world: World) -> None:
    made = await connect(bare_world)
    url = f"/api/v1/connections/{made['id']}"
    answers = [
        await bare_world.admin.get(url),
        await bare_world.admin.get(f"{url}/webhooks"),
        await bare_world.admin.post(f"{url}/webhooks/install"),
        await bare_world.admin.delete(f"{url}/webhooks"),
    ]
    key = made["webhooks"]["url"].split("/")[-2]
    for answer in answers:
        assert answer.status_code == 200
        assert not any(secret in answer.text for secret in (key, made["webhooks"]["secret"], SERVICE))


async def test_the_database_holds_the_secrets_sealed(bare_world: World) -> None:
    made = await connect(bare_world)
    async with AsyncSession(bare_world.service.engine) as session:
        row = await session.get_one(Connection, made["id"])
    key, secret = made["webhooks"]["url"].split("/")[-2], made["webhooks"]["secret"]
    assert bare_world.service.connections.webhook_secrets(row) == WebhookSecrets(key, secret)
    assert key not in row.webhook_sealed + repr(row.data)
    assert secret not in row.webhook_sealed
    highlevel = await connect_highlevel(bare_world)
    async with AsyncSession(bare_world.service.engine) as session:
        assert (await session.get_one(Connection, highlevel["id"])).webhook_sealed == ""


async def test_a_check_of_all_goes_on_past_one_that_breaks(bare_world: World) -> None:
    made = await connect(bare_world)
    first = (await hooks(bare_world))[0]
    await bare_world.ninja.post("/api/v1/webhooks/bulk", json={"action": "archive", "ids": [first["id"]]})
    async with bare_world.service.engine.begin() as connection:
        sealed = bare_world.service.connections.vault.seal({"api_token": "t0ken"})
        columns = "(provider, base_url, sealed, webhook_sealed, webhooks_managed)"
        broken = f"INSERT INTO connections {columns} VALUES ('invoice_ninja', :url, :sealed, :sealed, true)"  # noqa: S608
        await connection.execute(text(broken), {"url": bare_world.ninja_url, "sealed": sealed})
    await subscriptions(bare_world).check_all()
    assert len(await hooks(bare_world)) == len(EVENTS)
    assert (await shown(bare_world, made["id"]))["state"] == ConnectionState.ACTIVE


async def test_the_worker_looks_every_hour(bare_world: World) -> None:
    registry = bare_world.service.queue.periodic_registry
    periodic = {task.task.name: task.cron for task in registry.periodic_tasks.values()}
    assert periodic["check_webhooks"] == "23 * * * *"
