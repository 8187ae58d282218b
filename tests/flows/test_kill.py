"""The service, a worker or the database die without a warning. The long version is in `make bench`."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.bench.killing import QUICK, Outcome, survived
from tests.flows.driver import Postman, Site, installed


async def test_nothing_is_lost_or_doubled_when_the_service_is_killed_under_load() -> None:
    found = await survived(rounds=3, fleet=False, longest=1.2, forks=True)
    assert found.acked
    assert found.clean, _told(found)


async def test_nothing_is_lost_or_doubled_when_a_worker_is_killed_under_load() -> None:
    found = await survived(rounds=3, fleet=True, longest=1.2, forks=True)
    assert found.acked
    assert found.clean, _told(found)


def _told(found: Outcome) -> str:
    return f"lost {found.lost}, twice {found.twice}, alone {found.alone}, differing {found.differing}, {found}"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with installed(forks=True, **QUICK) as site:
        yield site


async def test_the_service_comes_back_by_itself_when_its_postgresql_is_killed(site: Site) -> None:
    contact = await site.add_contact(firstName="Jane", lastName="Doe", email="jane@acme.example")
    service = await site.serve()
    await site.connect()
    postman = Postman()
    before = site.postmaster()
    os.kill(before, signal.SIGKILL)
    statuses = await _posted_until_taken(site, postman, contact)
    assert set(statuses) <= {202, 429}
    assert service.process.poll() is None
    assert site.postmaster() != before
    later = await site.add_contact(firstName="Joe", lastName="Roe", email="joe@acme.example")
    headers, body = postman.delivery(later, "ContactCreate")
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as sender:
        assert (await sender.post("/webhooks/highlevel", headers=headers, content=body)).status_code == 202
    await site.at_rest(60)
    assert {client["custom_value4"] for client in await site.clients()} == {contact, later}


async def _posted_until_taken(site: Site, postman: Postman, contact: str) -> list[int]:
    """What one sender was told from the moment of the kill on, until an event was stored again."""
    statuses: list[int] = []
    async with httpx.AsyncClient(base_url=site.url, timeout=30, trust_env=False) as sender, asyncio.timeout(60):
        while statuses[-1:] != [202]:
            headers, body = postman.delivery(contact, "ContactCreate")
            statuses.append((await sender.post("/webhooks/highlevel", headers=headers, content=body)).status_code)
            await asyncio.sleep(0.1)
    return statuses
