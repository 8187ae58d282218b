"""New credentials replace the old ones only when they are proven, and nobody who works meanwhile is hurt."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.connections import Connections
from app.errors import Reconnect
from app.models import Connection
from app.providers.base import Profile
from tests.conftest import World, until

NEW = {
    "highlevel": {"private_token": "sandbox-highlevel-human-token"},
    "invoice_ninja": {"api_token": "sandbox-ninja-human-token"},
}
OLD = {
    "highlevel": {"private_token": "sandbox-highlevel-service-token"},
    "invoice_ninja": {"api_token": "sandbox-ninja-service-token"},
}
PROVIDERS = sorted(NEW)


def id_of(world: World, provider: str) -> int:
    return world.crm_connection_id if provider == "highlevel" else world.billing_connection_id


async def row_of(world: World, provider: str) -> Connection:
    async with AsyncSession(world.service.engine) as session:
        return await session.get_one(Connection, id_of(world, provider))


async def secrets(world: World, provider: str) -> Mapping[str, str]:
    return world.service.connections.vault.unseal((await row_of(world, provider)).sealed)


async def rotate(world: World, provider: str, new: Mapping[str, str]) -> int:
    url = f"/api/v1/connections/{id_of(world, provider)}/check"
    return (await world.admin.post(url, json=dict(new))).status_code


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_old_token_is_kept_until_the_new_one_is_proven(
    world: World, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Mapping[str, str]] = []
    check = Connections.check

    async def watched(self: Connections, provider_: str, **asked: Any) -> Profile:
        seen.append(await secrets(world, provider))
        profile = await check(self, provider_, **asked)
        seen.append(await secrets(world, provider))
        return profile

    monkeypatch.setattr(Connections, "check", watched)
    assert await rotate(world, provider, NEW[provider]) == 200
    assert seen == [OLD[provider], OLD[provider]]
    assert await secrets(world, provider) == NEW[provider]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_new_token_that_does_not_work_leaves_the_old_one_at_work(world: World, provider: str) -> None:
    wrong = dict.fromkeys(NEW[provider], "a-wrong-token")
    assert await rotate(world, provider, wrong) == 422
    row = await row_of(world, provider)
    assert (await secrets(world, provider), row.state, row.state_reason) == (OLD[provider], "active", "")
    contact = await world.add_contact(firstName="Jane", email="jane@example.com")
    await until(lambda: world.rows("links", crm_id=contact, state="ok"))


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_work_goes_on_while_a_token_is_replaced(world: World, provider: str) -> None:
    adding = [world.add_contact(firstName=f"P{n}", email=f"p{n}@example.com") for n in range(8)]
    *contacts, status = await asyncio.gather(*adding, rotate(world, provider, NEW[provider]))
    assert status == 200
    later = await world.add_contact(firstName="Last", email="last@example.com")
    for contact in (*contacts, later):
        await until(lambda contact=contact: world.rows("links", crm_id=contact, state="ok"))  # type: ignore[misc]
    assert (await row_of(world, provider)).state == "active"
    assert await world.rows("jobs") == []


async def test_the_old_token_may_be_deleted_as_soon_as_the_new_one_is_in(world: World) -> None:
    assert await rotate(world, "invoice_ninja", NEW["invoice_ninja"]) == 200
    tokens = (await world.ninja.get("/api/v1/tokens")).json()["data"]
    old = next(each["id"] for each in tokens if each["name"] == "service")
    gone = await world.ninja.delete(f"/api/v1/tokens/{old}", headers={"X-API-PASSWORD": "sandbox-password"})
    assert gone.status_code == 200
    contact = await world.add_contact(firstName="Jane", email="jane@example.com")
    await until(lambda: world.rows("links", crm_id=contact, state="ok"))
    assert (await row_of(world, "invoice_ninja")).state == "active"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_job_that_was_refused_with_the_old_token_does_not_stop_the_new_one(world: World, provider: str) -> None:
    used = await row_of(world, provider)
    assert await rotate(world, provider, NEW[provider]) == 200
    refusal = Reconnect("the old token is refused", id_of(world, provider))
    assert await world.service.connections.needs_reconnect(refusal, used) is False
    assert (await row_of(world, provider)).state == "active"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_check_of_the_old_token_that_ends_late_does_not_bring_it_back(
    world: World, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ten-minute look at waiting connections may run while a person enters a new token."""
    check = Connections.check

    async def overtaken(self: Connections, provider_: str, **asked: Any) -> Profile:
        monkeypatch.setattr(Connections, "check", check)
        profile = await check(self, provider_, **asked)
        await self.renew(id_of(world, provider), NEW[provider])
        assert await self.needs_reconnect(Reconnect("the new one is refused as well", id_of(world, provider)))
        return profile

    monkeypatch.setattr(Connections, "check", overtaken)
    await world.service.connections.renew(id_of(world, provider))
    assert await secrets(world, provider) == NEW[provider]
    assert (await row_of(world, provider)).state == "needs_reconnect"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_check_of_the_old_token_that_is_refused_late_does_not_stop_the_new_one(
    world: World, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Connections.check

    async def overtaken(self: Connections, provider_: str, **asked: Any) -> Profile:
        monkeypatch.setattr(Connections, "check", check)
        await self.renew(id_of(world, provider), NEW[provider])
        raise Reconnect("the old token is refused")

    monkeypatch.setattr(Connections, "check", overtaken)
    await world.admin.post(f"/api/v1/connections/{id_of(world, provider)}/check")
    assert (await row_of(world, provider)).state == "active"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_token_of_another_account_is_refused_and_the_old_one_kept(
    world: World, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await secrets(world, provider)

    async def another(self: Connections, provider_: str, **asked: Any) -> Profile:
        return Profile(account_id="another", label="Another Ltd")

    with monkeypatch.context() as patched:
        patched.setattr(Connections, "check", another)
        assert await rotate(world, provider, NEW[provider]) == 422
    assert await secrets(world, provider) == before
