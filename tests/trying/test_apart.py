"""The sandbox and the real world: neither reaches the other, and what is taken away is the sandbox alone."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.errors import Rejected
from app.providers.client import make_client, make_sandbox_client
from app.providers.sandboxed import ADDRESSES, Ports, is_sandbox
from app.sandbox.highlevel.config import Config
from app.sandbox.highlevel.webhooks import Signer
from app.settings import Settings
from tests.conftest import LOCATION, World, until
from tests.ports import free_port
from tests.trying.conftest import House

TABLES = (
    "connections", "bridges", "links", "activities", "events", "runs", "channels", "alerts", "users",
)  # fmt: skip


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """With real accounts beside it, which are on this machine in these tests."""
    real = "world" in request.fixturenames
    return settings.model_copy(update={"allow_private_addresses": real, "port": free_port()})


async def test_no_other_address_of_this_machine_is_called_while_it_runs(house: House) -> None:
    await house.begin()
    stage = house.service.sandbox.stage
    assert stage
    own = [str(each.base_url).rstrip("/") for each in stage.people.values()]
    elsewhere = f"http://127.0.0.1:{free_port()}"
    for url in (*own, *(each.replace("127.0.0.1", "localhost") for each in own), elsewhere, house.url):
        answer = await house.admin.post("/api/v1/connections", json=_company(url))
        assert (answer.status_code, answer.json()["title"]) == (422, "Rejected"), url
        assert "private network" in answer.json()["detail"]
    assert len(await house.rows("connections")) == 2


@pytest.mark.parametrize(
    "url", [*ADDRESSES.values(), "http://INVOICE-NINJA.sandbox.invalid.", "https://x.sandbox.invalid:81/api"]
)
async def test_an_account_of_the_sandbox_is_not_connected_by_hand(house: House, url: str) -> None:
    await house.begin()
    answer = await house.admin.post("/api/v1/connections", json=_company(url))
    assert answer.status_code == 422
    assert "begin the sandbox" in answer.json()["detail"]
    assert len(await house.rows("connections")) == 2


async def test_only_the_sandboxs_client_knows_its_names_and_it_knows_nothing_else() -> None:
    ports = Ports()
    async with make_client() as ordinary, make_sandbox_client(ports) as own:
        with pytest.raises(httpx.ConnectError):
            await own.get(ADDRESSES["highlevel"])
        ports.open({"highlevel": 1, "invoice_ninja": 1})
        with pytest.raises((httpx.ConnectError, Rejected)):
            await ordinary.get(ADDRESSES["highlevel"])
        for url in ("http://127.0.0.1:1", "http://highlevel.sandbox.invalid:81", "http://sandbox.invalid"):
            with pytest.raises(Rejected):
                await own.get(url)


def test_an_address_of_the_sandbox_is_known_however_it_is_written() -> None:
    known = (*ADDRESSES.values(), "https://HIGHLEVEL.Sandbox.Invalid.:8443/x", "http://sandbox.invalid")
    others = ("https://sandbox.invalid.example", "http://127.0.0.1", "https://notsandbox.invalid", "", "http://[")
    assert [is_sandbox(each) for each in (*known, *others)] == [True] * len(known) + [False] * len(others)


async def test_an_account_of_the_sandbox_is_never_bridged_with_a_real_one(world: World) -> None:
    shown = await begin(world)
    pairs = (
        (shown["crm_connection_id"], world.billing_connection_id),
        (world.crm_connection_id, shown["billing_connection_id"]),
    )
    for crm, billing in pairs:
        body = {"name": "x", "crm_connection_id": crm, "billing_connection_id": billing, "live": True}
        answer = await world.admin.post("/api/v1/bridges", json=body)
        assert answer.status_code == 422
        assert "never bridged" in answer.json()["detail"]
    assert len(await world.rows("bridges")) == 2


async def test_it_works_beside_real_accounts_and_taking_it_away_touches_nothing_of_theirs(world: World) -> None:
    await world.add_contact(firstName="Jane", lastName="Real", email="jane@real.example")
    await until(world.clients)
    await world.quiet()
    before = await everything(world)
    await begin(world)
    await until(lambda: _links(world, 8))
    await world.quiet()
    assert [each["display_name"] for each in await world.clients()] == ["Jane Real"]
    assert (await world.admin.delete("/api/v1/sandbox")).status_code == 204
    assert await everything(world) == before
    await world.add_contact(firstName="Joe", lastName="Real", email="joe@real.example")
    await until(lambda: _clients(world, 2))


async def test_a_delivery_of_the_sandbox_reaches_its_own_account_only(world: World) -> None:
    """Both HighLevel accounts have the same location id: it is a simulator's, too."""
    await begin(world)
    stage = world.service.sandbox.stage
    assert stage
    body = b'{"type":"ContactUpdate","locationId":"%s","id":"x1","webhookId":"w1"}' % LOCATION.encode()
    real = Signer(Config().signing_seed).headers(body, Config())
    async with httpx.AsyncClient(base_url=world.url, trust_env=False) as sender:
        for path, headers, status in (
            (f"/webhooks/sandbox/{stage.key}/ContactUpdate", real, 401),
            ("/webhooks/sandbox/wrong/ContactUpdate", real, 401),
            ("/webhooks/highlevel", {}, 401),
            ("/webhooks/highlevel", real, 202),
        ):
            assert (await sender.post(path, content=body, headers=headers)).status_code == status, path
    (event,) = [each for each in await world.rows("events") if each["external_id"] == "x1"]
    assert event["connection_id"] == world.crm_connection_id


async def begin(world: World) -> dict[str, Any]:
    answer = await world.admin.post("/api/v1/sandbox")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def everything(world: World) -> dict[str, Any]:
    async with world.service.engine.connect() as connection:
        return {
            table: (await connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))).all()  # noqa: S608
            for table in TABLES
        }


def _company(url: str) -> dict[str, str]:
    return {"provider": "invoice_ninja", "name": "x", "api_token": "sandbox-ninja-service-token", "base_url": url}


async def _links(world: World, count: int) -> bool:
    return len([each for each in await world.rows("links") if each["state"] == "ok"]) == count


async def _clients(world: World, count: int) -> bool:
    return len(await world.clients()) == count
