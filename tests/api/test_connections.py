"""Connecting accounts: checked first, sealed, shown without their secrets."""

import socket
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.providers.invoice_ninja.webhook import HANDLED, spoken
from tests.conftest import LOCATION, World, until

HIGHLEVEL_TOKEN = "sandbox-highlevel-service-token"
NINJA_TOKEN = "sandbox-ninja-service-token"
SECRET_HEADER = "X-Crossledger-Secret"


def highlevel(world: World, **changed: Any) -> dict[str, Any]:
    body = {
        "provider": "highlevel",
        "name": "Location",
        "location_id": LOCATION,
        "private_token": HIGHLEVEL_TOKEN,
        "base_url": world.highlevel_url,
    }
    return {**body, **changed}


def ninja(world: World, **changed: Any) -> dict[str, Any]:
    return {
        "provider": "invoice_ninja",
        "name": "Company",
        "base_url": world.ninja_url,
        "api_token": NINJA_TOKEN,
        "install_webhooks": False,
        **changed,
    }


async def connect(world: World, body: dict[str, Any]) -> httpx.Response:
    return await world.admin.post("/api/v1/connections", json=body)


async def test_a_highlevel_location_is_connected_with_both_ways_for_its_webhooks(bare_world: World) -> None:
    answer = await connect(bare_world, highlevel(bare_world))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["provider"], made["state"], made["account_id"]) == ("highlevel", "active", LOCATION)
    assert made["checked_at"].endswith("Z")
    assert made["webhooks"]["app_url"] == "http://127.0.0.1:8000/webhooks/highlevel"
    assert made["webhooks"]["url"].startswith("http://127.0.0.1:8000/webhooks/highlevel/workflow/")
    assert made["webhooks"]["header"] == SECRET_HEADER
    assert made["webhooks"]["events"] is None


async def test_an_invoice_ninja_company_is_connected_with_the_events_to_subscribe_to(bare_world: World) -> None:
    answer = await connect(bare_world, ninja(bare_world))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["account_id"]
    assert made["facts"]["version"]
    assert made["webhooks"]["url"].startswith("http://127.0.0.1:8000/webhooks/invoice-ninja/")
    assert made["webhooks"]["url"].endswith("/{event_id}")
    assert made["webhooks"]["events"] == {event_id: spoken(event_id) for event_id in HANDLED}
    assert made["webhooks"]["events"]["45"] == "client restored"


async def test_no_answer_ever_repeats_a_secret(world: World) -> None:
    """The webhook secrets are shown by the answer that made them, and by no other."""
    made = (await world.admin.post(f"/api/v1/connections/{world.billing_connection_id}/webhook-secrets")).json()
    key = made["url"].split("/")[-2]
    await world.add_contact(firstName="Jane", lastName="Roe", email="jane@example.com")
    await until(lambda: world.rows("links", state="ok"))
    paths = ["bridges", "events", "links", "activities", "jobs", "connections"]
    paths += [f"bridges/{world.bridge_id}", f"connections/{world.crm_connection_id}"]
    paths += [f"connections/{world.billing_connection_id}"]
    answers = [await world.admin.get(f"/api/v1/{path}") for path in paths]
    answers.append(await world.admin.post(f"/api/v1/connections/{world.crm_connection_id}/check"))
    for secrets in ({"private_token": "pit-wrong-one"}, {"api_token": "wrong-one-of-ninja"}):
        for id_ in (world.crm_connection_id, world.billing_connection_id):
            answers.append(await world.admin.post(f"/api/v1/connections/{id_}/check", json=secrets))
    said = "\n".join(answer.text for answer in answers)
    for secret in (HIGHLEVEL_TOKEN, NINJA_TOKEN, made["secret"], key, "pit-wrong-one", "wrong-one-of-ninja"):
        assert secret not in said
    assert "sealed" not in said
    assert "digest" not in said


@pytest.mark.parametrize("body", [highlevel, ninja])
async def test_the_same_account_is_not_connected_twice(bare_world: World, body: Any) -> None:
    assert (await connect(bare_world, body(bare_world))).status_code == 201
    once_more = body(bare_world)
    again = await connect(bare_world, {**once_more, "base_url": f" {once_more['base_url'].upper()}/ "})
    assert again.status_code == 409, again.text
    assert "connected already" in again.json()["detail"]
    assert len(await bare_world.rows("connections")) == 1


@pytest.mark.parametrize(
    ("body", "wrong"), [(highlevel, {"private_token": "pit-wrong"}), (ninja, {"api_token": "wrong-token"})]
)
async def test_a_wrong_token_is_refused_with_a_sentence_and_nothing_is_stored(
    bare_world: World, body: Any, wrong: dict[str, str]
) -> None:
    answer = await connect(bare_world, body(bare_world, **wrong))
    assert answer.status_code == 422, answer.text
    assert " " in answer.json()["detail"]
    assert await bare_world.rows("connections") == []


async def test_a_location_that_the_token_cannot_open_is_refused(bare_world: World) -> None:
    answer = await connect(bare_world, highlevel(bare_world, location_id="anotherLocation"))
    assert answer.status_code == 422, answer.text
    assert await bare_world.rows("connections") == []


@pytest.mark.parametrize("body", [highlevel, ninja])
async def test_an_address_where_nobody_answers_is_a_503_with_a_sentence(bare_world: World, body: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    answer = await connect(bare_world, body(bare_world, base_url=f"http://127.0.0.1:{port}"))
    assert answer.status_code == 503, answer.text
    assert "cannot be reached" in answer.json()["detail"]
    assert await bare_world.rows("connections") == []


@pytest.mark.parametrize("body", [highlevel, ninja])
async def test_an_address_that_is_not_the_vendors_api_is_refused_with_a_sentence(bare_world: World, body: Any) -> None:
    for url in (bare_world.url, f"{bare_world.ninja_url}/nowhere", f"{bare_world.highlevel_url}/nowhere"):
        answer = await connect(bare_world, body(bare_world, base_url=url))
        assert answer.status_code == 422, (url, answer.text)
    assert await bare_world.rows("connections") == []


NO_FIELDS: list[dict[str, str]] = [
    {"base_url": "ftp://example.com"},
    {"base_url": "example.com"},
    {"base_url": "https://"},
    {"base_url": "https://user:pass@example.com"},
    {"base_url": "https://example.com?token=1"},
    {"base_url": "https://example.com:99999"},
    {"base_url": "https://exa\x00mple.com"},
    {"api_token": ""},
    {"api_token": "two words"},
    {"api_token": "line\nbreak"},
    {"api_token": "tökén"},
    {"api_token": "x" * 5000},
    {"name": ""},
    {"name": "  "},
    {"name": "nul\x00"},
    {"name": "x" * 201},
    {"nmae": "misspelt"},
    {"private_token": "of the other vendor"},
]


async def test_a_field_that_cannot_be_right_is_refused_before_any_call(bare_world: World) -> None:
    await bare_world.forget_calls()
    for changed in NO_FIELDS:
        answer = await connect(bare_world, ninja(bare_world, **changed))
        assert answer.status_code == 422, (changed, answer.text)
    assert (await bare_world.ninja.get("/_control/requests")).json()["requests"] == []


async def test_a_connection_that_a_bridge_uses_is_not_deleted_and_the_bridge_is_named(world: World) -> None:
    for id_ in (world.crm_connection_id, world.billing_connection_id):
        answer = await world.admin.delete(f"/api/v1/connections/{id_}")
        assert answer.status_code == 409
        assert "“Bridge”" in answer.json()["detail"]
    assert len(await world.rows("connections")) == 2


async def test_a_deleted_connection_is_gone_with_its_credentials(bare_world: World) -> None:
    id_ = (await connect(bare_world, ninja(bare_world))).json()["id"]
    answer = await bare_world.admin.delete(f"/api/v1/connections/{id_}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await bare_world.admin.get(f"/api/v1/connections/{id_}")).status_code == 404
    async with bare_world.service.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM connections")) == 0


async def test_stored_credentials_that_are_refused_now_make_the_connection_wait(world: World) -> None:
    await world.fault(world.highlevel, kind="status", status=401, body={"statusCode": 401, "message": "Invalid JWT"})
    answer = await world.admin.post(f"/api/v1/connections/{world.crm_connection_id}/check")
    assert answer.status_code == 422
    shown = (await world.admin.get(f"/api/v1/connections/{world.crm_connection_id}")).json()
    assert shown["state"] == "needs_reconnect"
    assert shown["state_reason"]


async def test_new_credentials_that_are_refused_change_nothing(world: World) -> None:
    url = f"/api/v1/connections/{world.crm_connection_id}"
    before = (await world.admin.get(url)).json()
    assert (await world.admin.post(f"{url}/check", json={"private_token": "pit-wrong"})).status_code == 422
    assert (await world.admin.get(url)).json() == before
    assert (await world.admin.post(f"{url}/check")).status_code == 200


async def test_new_credentials_let_waiting_work_go_on(world: World) -> None:
    url = f"/api/v1/connections/{world.crm_connection_id}"
    await world.fault(world.highlevel, kind="status", status=401, body={"statusCode": 401, "message": "Invalid JWT"})
    assert (await world.admin.post(f"{url}/check")).status_code == 422
    client = await world.add_client(name="Rossi", contacts=[{"first_name": "Mia", "email": "mia@rossi.example"}])
    await until(lambda: world.rows("jobs", state="waiting"))
    await world.mend()
    answer = await world.admin.post(f"{url}/check", json={"private_token": HIGHLEVEL_TOKEN})
    assert (answer.status_code, answer.json()["state"], answer.json()["state_reason"]) == (200, "active", "")
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))


async def test_credentials_of_another_vendor_are_refused(world: World) -> None:
    answer = await world.admin.post(
        f"/api/v1/connections/{world.crm_connection_id}/check", json={"api_token": "some-token"}
    )
    assert answer.status_code == 422
    assert "highlevel has no api_token" in answer.json()["detail"]


async def test_new_webhook_secrets_work_and_the_old_ones_do_not(bare_world: World) -> None:
    made = (await connect(bare_world, ninja(bare_world))).json()
    old = made["webhooks"]
    new = (await bare_world.admin.post(f"/api/v1/connections/{made['id']}/webhook-secrets")).json()
    assert new["header"] == old["header"]
    assert new["events"] == old["events"]
    for shown, status in ((old, 401), (new, 202), ({**new, "secret": old["secret"]}, 401)):
        path = shown["url"].removeprefix("http://127.0.0.1:8000").replace("{event_id}", "1")
        answer = await bare_world.admin.post(
            path, json={"id": "abcdefghij"}, headers={shown["header"]: shown["secret"]}
        )
        assert answer.status_code == status


async def test_health_tells_what_came_last_and_that_there_is_no_limit(world: World) -> None:
    url = f"/api/v1/connections/{world.billing_connection_id}/health"
    client = await world.add_client(name="Rossi", contacts=[{"first_name": "Mia", "email": "mia@rossi.example"}])
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    told = (await world.admin.get(url)).raise_for_status().json()
    assert (told["budget"], told["token_expires_at"]) == (None, None)
    assert told["last_delivery"] == max(each["last_at"] for each in told["kinds"])
    came = {each["kind"] for each in await world.rows("events") if each["connection_id"] == world.billing_connection_id}
    assert {each["kind"] for each in told["kinds"]} == came - {"sweep", "poll"}
    assert {*told["missing"]} == {each for each in HANDLED.values() if each.endswith("_CLIENT")} - came
    assert (await world.admin.get("/api/v1/connections/999/health")).status_code == 404


async def test_what_never_came_is_what_the_bridges_objects_need(world: World) -> None:
    url = f"/api/v1/connections/{world.crm_connection_id}/health"
    assert (await world.admin.get(url)).json()["missing"] == ["Workflow"], "a token alone brings no app"
    await world.add_contact(firstName="Jane", lastName="Roe", email="jane@example.com")
    await until(lambda: world.rows("links", state="ok"))
    missing = ["ContactUpdate", "ContactDelete", "ContactTagUpdate", "ContactDndUpdate"]
    assert (await world.admin.get(url)).json()["missing"] == missing
    change = {"settings": {"note": {"enabled": True}}}
    (await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json=change)).raise_for_status()
    assert (await world.admin.get(url)).json()["missing"] == [*missing, "NoteCreate", "NoteUpdate", "NoteDelete"]
    (await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"enabled": False})).raise_for_status()
    assert (await world.admin.get(url)).json()["missing"] == []


async def test_the_age_of_a_token_begins_when_it_is_entered(bare_world: World) -> None:
    made = (await connect(bare_world, highlevel(bare_world))).json()
    url = f"/api/v1/connections/{made['id']}"
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE connections SET entered_at = NULL, created_at = '2026-01-02 00:00 UTC'"))
    for body, since in ((None, "2026-01-02"), ({"private_token": HIGHLEVEL_TOKEN}, made["created_at"][:10])):
        (await bare_world.admin.post(f"{url}/check", json=body)).raise_for_status()
        assert (await bare_world.admin.get(url)).json()["token_entered_at"].startswith(since)
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE connections SET auth = 'oauth'"))
    assert (await bare_world.admin.get(url)).json()["token_entered_at"] is None


async def test_connections_are_found_by_name_account_system_and_state(bare_world: World) -> None:
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO connections (provider, name, account_id, state) VALUES"
                " ('highlevel', 'Leeds', 'abc1', 'active'), ('highlevel', 'York', 'abc2', 'needs_reconnect'),"
                " ('invoice_ninja', 'Leeds 100% Ltd', 'xyz', 'active')"
            )
        )

    async def found(**asked: str) -> list[str]:
        answer = await bare_world.admin.get("/api/v1/connections", params=asked)
        return [row["name"] for row in answer.raise_for_status().json()["items"]]

    assert await found(name="LEEDS") == ["Leeds 100% Ltd", "Leeds"]
    assert await found(name="0%") == ["Leeds 100% Ltd"], "it is no pattern"
    assert await found(name="bc2") == await found(state="needs_reconnect") == ["York"]
    assert await found(name="leeds", provider="highlevel") == ["Leeds"]
    assert (await bare_world.admin.get("/api/v1/connections", params={"state": "lost"})).status_code == 422
