"""Our client against the simulated Invoice Ninja, over real HTTP: the traps that only a server can spring."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.errors import Forbidden, Reconnect
from app.providers.base import Access, KeyKind, MatchKey
from app.providers.invoice_ninja.clients import Clients
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.sandbox.processes import Simulator
from app.sync.records import Presence
from tests.providers.invoice_ninja.conftest import OpenGate

VALUES = {
    "name": "Acme Ltd",
    "first_name": "Jane",
    "email": "jane+crm@acme.example",
    "phone": "+442079460000",
    "country": "GB",
    "private_notes": "pays late\nbut pays",
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start("invoice-ninja") as running:
        yield running


@pytest.fixture
async def account(simulator: Simulator, http: httpx.AsyncClient) -> Clients:
    (await http.post(f"{simulator.url}/_control/reset")).raise_for_status()
    return await opened(simulator, http, "service")


def access(simulator: Simulator, who: str) -> Access:
    return Access(base_url=simulator.url, account_id="", secrets={"api_token": f"sandbox-ninja-{who}-token"})


async def opened(simulator: Simulator, http: httpx.AsyncClient, who: str) -> Clients:
    given = access(simulator, who)
    profile = await InvoiceNinja().probe(given, http)
    stored = Access(base_url=given.base_url, account_id=profile.account_id, secrets=given.secrets, data=profile.data)
    account = InvoiceNinja().open(stored, OpenGate(), http)
    return Clients(account.wire, account.data)


async def stored(simulator: Simulator, http: httpx.AsyncClient, client_id: str) -> dict[str, Any]:
    headers = {"X-API-TOKEN": "sandbox-ninja-human-token"}
    answer = await http.get(f"{simulator.url}/api/v1/clients/{client_id}", headers=headers)
    client: dict[str, Any] = answer.json()["data"]
    return client


async def test_a_probe_reads_the_company(simulator: Simulator, http: httpx.AsyncClient) -> None:
    profile = await InvoiceNinja().probe(access(simulator, "service"), http)
    assert (profile.label, profile.facts["currency"]) == ("Untitled Company", "USD")
    assert profile.facts["version"]
    assert profile.data["countries"]["826"] == "GB"


async def test_a_wrong_token_waits_for_a_person(simulator: Simulator, http: httpx.AsyncClient) -> None:
    with pytest.raises(Reconnect):
        await InvoiceNinja().probe(access(simulator, "wrong"), http)


async def test_what_was_created_is_fetched_equal(account: Clients) -> None:
    made = await account.create(VALUES, slot="hl_1")
    fetched = await account.fetch(made.id)
    assert VALUES.items() <= fetched.values.items()
    assert made.values == fetched.values
    assert fetched.slot == "hl_1"


@pytest.mark.parametrize(
    "key",
    [
        MatchKey(KeyKind.SLOT, "hl_1"),
        MatchKey(KeyKind.EMAIL, "Jane+CRM@acme.example"),
        MatchKey(KeyKind.PHONE, "+44 20 7946 0000"),
        MatchKey(KeyKind.NAME, "acme ltd"),
    ],
    ids=str,
)
async def test_a_client_is_found_by_each_key_and_its_neighbours_are_not(account: Clients, key: MatchKey) -> None:
    made = await account.create(VALUES, slot="hl_1")
    await account.create({"name": "Acme Ltd Holding", "email": "x@y.example"}, slot="hl_12")
    await account.create({})
    assert [record.id for record in await account.find(key)] == [made.id]


async def test_a_name_longer_than_its_column_reads_the_same_after_the_write_and_later(
    account: Clients,
) -> None:
    made = await account.create({"name": "n" * 300})
    assert made.values["name"] == (await account.fetch(made.id)).values["name"] == "n" * 191


async def test_issue_dockerfiles_439_an_update_keeps_the_currency_the_other_contacts_and_the_number(
    account: Clients, simulator: Simulator, http: httpx.AsyncClient
) -> None:
    headers = {"X-API-TOKEN": "sandbox-ninja-human-token"}
    contacts = [{"first_name": "Jane", "email": "jane@acme.example"}, {"first_name": "Bob", "email": "bob@x.example"}]
    by_hand: dict[str, Any] = {
        "name": "Acme",
        "settings": {"currency_id": "3", "payment_terms": "14"},
        "contacts": contacts,
    }
    answer = await http.post(f"{simulator.url}/api/v1/clients", json=by_hand, headers=headers)
    before = answer.json()["data"]

    current = await account.fetch(before["id"])
    current = await account.update(current, {"city": "Bern", "last_name": "Doe"}, slot="hl_1")
    await account.update(current, {"city": ""})

    after = await stored(simulator, http, before["id"])
    assert by_hand["settings"].items() <= after["settings"].items()
    assert after["number"] == before["number"]
    assert after["custom_value4"] == "hl_1"
    assert [(c["id"], c["email"], c["last_name"]) for c in after["contacts"]] == [
        (before["contacts"][0]["id"], "jane@acme.example", "Doe"),
        (before["contacts"][1]["id"], "bob@x.example", ""),
    ]


async def test_a_client_is_archived_found_and_restored(account: Clients) -> None:
    made = await account.create(VALUES, slot="hl_1")
    await account.archive(made)
    [found] = await account.find(MatchKey(KeyKind.SLOT, "hl_1"))
    assert found.presence is Presence.ARCHIVED
    await account.restore(found)
    assert (await account.fetch(made.id)).presence is Presence.ACTIVE


async def test_a_user_without_permission_is_told_so(
    account: Clients, simulator: Simulator, http: httpx.AsyncClient
) -> None:
    made = await account.create(VALUES)
    restricted = await opened(simulator, http, "restricted")
    with pytest.raises(Forbidden):
        await restricted.create(VALUES)
    with pytest.raises(Forbidden):
        await restricted.update(made, {"city": "Bern"})
    with pytest.raises(Forbidden):
        await restricted.archive(made)
