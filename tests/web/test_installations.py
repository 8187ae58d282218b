"""INSTALL and UNINSTALL, from the simulator's signed deliveries to what becomes of the connections."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.sandbox.highlevel.store import COMPANY_ID
from tests.conftest import LOCATION, World, connect, subscribe, until
from tests.web.consent import agree, follow, token_of

SECOND = "sandboxLocation0002"


@pytest.fixture
async def told(bare_world: World) -> World:
    """The app's default webhook URL is registered, as the README says."""
    body = {"url": f"{bare_world.url}/webhooks/highlevel", "events": ["INSTALL", "UNINSTALL"]}
    (await bare_world.highlevel.post("/_control/webhooks", json=body)).raise_for_status()
    return bare_world


async def happened(world: World, what: str, location: str = "") -> dict[str, Any]:
    """HighLevel installs or uninstalls; the event that we were told, once it is settled."""
    before = {row["id"] for row in await events(world)}
    body = {"locationId": location} if location else {}
    (await world.highlevel.post(f"/_control/{what}", json=body)).raise_for_status()

    async def arrived() -> list[dict[str, Any]]:
        return [row for row in await events(world) if row["id"] not in before and row["kind"] == what.upper()]

    (row,) = await until(arrived)
    await settle(world)
    return next(each for each in await events(world) if each["id"] == row["id"])


async def settle(world: World) -> None:
    await world.service.worker.installations.settle()


async def events(world: World) -> list[dict[str, Any]]:
    return [row for row in await world.rows("events") if row["kind"] in ("INSTALL", "UNINSTALL")]


async def states(world: World) -> dict[str, str]:
    return {row["account_id"]: row["state"] for row in await world.rows("connections")}


async def tokens(world: World) -> int:
    async with world.service.engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM tokens")) or 0)


async def pick(world: World, browser: httpx.AsyncClient, *locations: str) -> None:
    answer = await follow(browser, await agree(browser, "agency"))
    form = {"csrf_token": token_of((await browser.get(answer.headers["location"])).text), "location": list(locations)}
    assert (await browser.post(answer.headers["location"], data=form)).status_code == 303


async def test_an_uninstall_disables_the_connection_and_forgets_its_tokens(
    told: World, browser: httpx.AsyncClient
) -> None:
    await follow(browser, await agree(browser, LOCATION))
    event = await happened(told, "uninstall", LOCATION)
    (row,) = await told.rows("connections")
    assert (event["state"], event["outcome"]) == ("done", "its connection is disabled")
    assert row["state"] == "disabled"
    assert "uninstalled in HighLevel" in row["state_reason"]
    assert await tokens(told) == 0
    assert "uninstalled in HighLevel" in (await browser.get("/connect")).text


async def test_a_disabled_connection_works_again_when_its_owner_agrees_anew(
    told: World, browser: httpx.AsyncClient
) -> None:
    await follow(browser, await agree(browser, LOCATION))
    await happened(told, "uninstall", LOCATION)
    await follow(browser, await agree(browser, LOCATION))
    assert await states(told) == {LOCATION: "active"}
    assert await tokens(told) == 1


async def test_an_uninstall_that_is_settled_after_a_new_consent_changes_nothing(
    told: World, browser: httpx.AsyncClient
) -> None:
    """HighLevel repeats deliveries, and a worker may be away for a while."""
    await follow(browser, await agree(browser, LOCATION))
    await told.highlevel.post("/_control/uninstall", json={"locationId": LOCATION})
    await until(lambda: _has(told, "UNINSTALL"))
    await follow(browser, await agree(browser, LOCATION))
    await settle(told)
    assert await states(told) == {LOCATION: "active"}
    assert await tokens(told) == 1


async def test_an_uninstall_leaves_a_private_token_alone(told: World) -> None:
    await connect(told)
    subscribed = {"url": f"{told.url}/webhooks/highlevel", "events": "all"}
    (await told.highlevel.post("/_control/webhooks", json=subscribed)).raise_for_status()
    event = await happened(told, "uninstall", LOCATION)
    assert event["outcome"] == "no connection was made by it"
    assert (await states(told))[LOCATION] == "active"


async def test_an_installation_that_was_never_claimed_is_forgotten(told: World, browser: httpx.AsyncClient) -> None:
    back = await agree(browser, LOCATION)
    async with httpx.AsyncClient(base_url=told.url, trust_env=False) as stranger:
        await follow(stranger, back.copy_remove_param("state"))
    assert await states(told) == {LOCATION: "pending"}
    event = await happened(told, "uninstall", LOCATION)
    assert event["outcome"] == "an installation that waited to be claimed is forgotten"
    assert (await states(told), await tokens(told)) == ({}, 0)


async def test_a_location_that_its_agency_installs_waits_to_be_claimed(told: World, browser: httpx.AsyncClient) -> None:
    await pick(told, browser, LOCATION)
    event = await happened(told, "install", SECOND)
    assert event["outcome"] == "it waits to be claimed"
    rows = {row["account_id"]: row for row in await told.rows("connections")}
    assert rows[SECOND]["state"] == "pending"

    page = await browser.get("/connect")
    claim = f"/connect/{rows[SECOND]['id']}/claim"
    assert (await browser.post(claim, data={"csrf_token": token_of(page.text)})).status_code == 303
    assert (await states(told))[SECOND] == "active"


async def test_an_install_of_what_is_connected_changes_nothing(told: World, browser: httpx.AsyncClient) -> None:
    await pick(told, browser, LOCATION)
    await told.forget_calls()
    event = await happened(told, "install", LOCATION)
    assert event["outcome"] == "it is connected already, or waits to be claimed"
    assert (await states(told))[LOCATION] == "active"


async def test_an_install_that_no_connected_agency_opens_is_left_to_the_browser(told: World) -> None:
    event = await happened(told, "install", SECOND)
    assert event["outcome"] == "no connected agency opens it; consent comes back by the browser"
    assert await states(told) == {}


async def test_an_install_is_tried_again_while_highlevel_is_in_trouble(told: World, browser: httpx.AsyncClient) -> None:
    await pick(told, browser, LOCATION)
    await told.fault(told.highlevel, kind="status", status=503, path="^/oauth/installedLocations", times=1)
    event = await happened(told, "install", SECOND)
    assert event["state"] == "pending"
    await settle(told)
    assert (await states(told))[SECOND] == "pending"


async def test_when_an_agency_uninstalls_its_locations_are_asked(told: World, browser: httpx.AsyncClient) -> None:
    await pick(told, browser, LOCATION, SECOND)
    event = await happened(told, "uninstall")
    assert event["external_id"] == COMPANY_ID
    assert await states(told) == {COMPANY_ID: "disabled", LOCATION: "needs_reconnect", SECOND: "needs_reconnect"}


async def test_what_happens_while_the_app_is_uninstalled_arrives_after_a_new_consent(
    told: World, browser: httpx.AsyncClient
) -> None:
    """A bridge survives: what Invoice Ninja says meanwhile waits."""
    await follow(browser, await agree(browser, LOCATION))
    (crm,) = await told.rows("connections")
    body = {"provider": "invoice_ninja", "name": "Company", "base_url": told.ninja_url, "install_webhooks": False}
    billing = await told.admin.post("/api/v1/connections", json={**body, "api_token": "sandbox-ninja-service-token"})
    await subscribe(told, billing.json()["webhooks"])
    pair = {"crm_connection_id": crm["id"], "billing_connection_id": billing.json()["id"]}
    assert (await told.admin.post("/api/v1/bridges", json={"name": "B", "live": True, **pair})).status_code == 201
    await happened(told, "uninstall", LOCATION)

    client = await told.add_client(name="Ada", contacts=[{"first_name": "Ada", "email": "ada@example.com"}])

    async def waits() -> bool:
        return [link["state"] for link in await told.rows("links")] == ["waiting"]

    await until(waits)
    await follow(browser, await agree(browser, LOCATION))

    async def linked() -> bool:
        return [(link["state"], link["billing_id"]) for link in await told.rows("links")] == [("ok", client["id"])]

    await until(linked)


async def _has(world: World, kind: str) -> bool:
    return any(row["kind"] == kind for row in await events(world))
