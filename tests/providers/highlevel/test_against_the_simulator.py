"""Our client against the simulated HighLevel, over real HTTP."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.errors import Duplicate, Forbidden, Gone, Reconnect, Rejected
from app.providers.addresses import Reach
from app.providers.base import Access, KeyKind, MatchKey, OpenGate
from app.providers.client import make_client
from app.providers.highlevel.businesses import Businesses
from app.providers.highlevel.contacts import Contacts
from app.providers.highlevel.provider import HighLevel
from app.sandbox.processes import Simulator
from tests.providers.highlevel.recorded import check_documented

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
HERE = "sandboxLocation0001"
ELSEWHERE = "sandboxLocation0002"
SERVICE = "sandbox-highlevel-service-token"
VALUES = {
    "company": "North Quay ApS",
    "first_name": "Mira",
    "last_name": "Andersen",
    "email": "mira@northquay.example",
    "phone": "+4532101234",
    "address1": "Havnegade 12",
    "city": "København",
    "postal_code": "1058",
    "country": "DK",
    "website": "https://northquay.example",
    "custom.vat_number": "DK10101010",
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start("highlevel") as running:
        yield running


@pytest.fixture
async def http(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(Reach.PRIVATE_TOO) as client:
        (await client.post(f"{simulator.url}/_control/reset")).raise_for_status()
        client.event_hooks["request"].append(_check)
        yield client


@pytest.fixture
async def contacts(simulator: Simulator, http: httpx.AsyncClient) -> Contacts:
    given = access(simulator)
    profile = await HighLevel().probe(given, http)
    opened = Access(base_url=given.base_url, account_id=profile.account_id, secrets=given.secrets, data=profile.data)
    account = HighLevel().open(opened, OpenGate(), http)
    return Contacts(account.wire, account.location_id, account.data)


@pytest.fixture
def businesses(contacts: Contacts) -> Businesses:
    return Businesses(contacts.wire, contacts.location_id)


async def _check(request: httpx.Request) -> None:
    if not request.url.path.startswith("/_control"):
        check_documented(request)


def access(simulator: Simulator, token: str = SERVICE, location: str = HERE) -> Access:
    return Access(base_url=simulator.url, account_id=location, secrets={"private_token": token})


async def control(simulator: Simulator, http: httpx.AsyncClient, path: str, body: Any) -> Any:
    answer = await http.post(f"{simulator.url}/_control/{path}", json=body)
    return answer.raise_for_status().json()


async def test_a_probe_reads_the_location(simulator: Simulator, http: httpx.AsyncClient) -> None:
    profile = await HighLevel().probe(access(simulator), http)
    assert (profile.account_id, profile.label) == (HERE, "Sandbox location 1")
    assert profile.facts["timezone"] == "America/New_York"
    assert "contact.vat_number" in [each["key"] for each in profile.data["custom_fields"]]


async def test_a_wrong_token_waits_for_a_person(simulator: Simulator, http: httpx.AsyncClient) -> None:
    with pytest.raises(Reconnect):
        await HighLevel().probe(access(simulator, token="wrong"), http)


async def test_a_token_of_another_location_is_refused_with_a_cure(
    simulator: Simulator, http: httpx.AsyncClient
) -> None:
    with pytest.raises(Forbidden, match=f"made in location {ELSEWHERE}"):
        await HighLevel().probe(access(simulator, location=ELSEWHERE), http)


async def test_what_was_created_is_fetched_equal(contacts: Contacts) -> None:
    made = await contacts.create(VALUES)
    fetched = await contacts.fetch(made.id)
    assert VALUES.items() <= fetched.values.items()
    assert made.values == fetched.values
    assert made.created_at == fetched.created_at


async def test_issue_highlevel_api_docs_246_only_a_fetch_says_when_a_contact_was_updated(
    contacts: Contacts,
) -> None:
    made = await contacts.create(VALUES)
    assert made.updated_at is None
    assert (await contacts.fetch(made.id)).updated_at is not None


@pytest.mark.parametrize(
    "key",
    [
        MatchKey(KeyKind.EMAIL, VALUES["email"]),
        MatchKey(KeyKind.PHONE, "+45 32 10 12 34"),
        MatchKey(KeyKind.NAME, "mira andersen"),
    ],
    ids=str,
)
async def test_a_contact_is_found_by_each_key(contacts: Contacts, key: MatchKey) -> None:
    made = await contacts.create(VALUES)
    await contacts.create({"first_name": "Mirabel", "last_name": "Andersen", "phone": "+4532101235"})
    assert [record.id for record in await contacts.find(key)] == [made.id]


async def test_a_contact_is_found_by_the_id_that_the_other_side_keeps(contacts: Contacts) -> None:
    made = await contacts.create(VALUES)
    assert [record.id for record in await contacts.find(MatchKey(KeyKind.SLOT, made.id))] == [made.id]
    assert await contacts.find(MatchKey(KeyKind.SLOT, "nobodyHere0000000001")) == []


async def test_an_update_changes_what_it_is_given_and_keeps_the_tags(
    simulator: Simulator, http: httpx.AsyncClient, contacts: Contacts
) -> None:
    made = await contacts.create(VALUES)
    headers = {"Authorization": f"Bearer {SERVICE}", "Version": "2021-07-28"}
    await http.post(f"{simulator.url}/contacts/{made.id}/tags", json={"tags": ["wholesale"]}, headers=headers)
    updated = await contacts.update(made, {"city": "Aarhus", "custom.vat_number": "DK20202020"})
    assert updated.values == {**made.values, "city": "Aarhus", "custom.vat_number": "DK20202020", "tags": "wholesale"}
    assert updated.raw["tags"] == ["wholesale"]


async def test_every_field_but_the_company_can_be_emptied(contacts: Contacts) -> None:
    made = await contacts.create(VALUES)
    emptied = dict.fromkeys(VALUES.keys() - {"company"}, "")
    await contacts.update(made, emptied)
    values = (await contacts.fetch(made.id)).values
    assert {name: value for name, value in values.items() if value} == {"company": "North Quay ApS"}


async def test_the_company_is_refused_by_an_update(http: httpx.AsyncClient, contacts: Contacts) -> None:
    made = await contacts.create(VALUES)
    http.event_hooks["request"].remove(_check)
    with pytest.raises(Rejected) as refused:
        await contacts.update(made, {"company": "South Quay ApS"})
    assert refused.value.fields.keys() == {"companyName"}


async def test_a_duplicate_names_the_contact_that_is_there(contacts: Contacts) -> None:
    made = await contacts.create(VALUES)
    with pytest.raises(Duplicate) as refused:
        await contacts.create({"first_name": "Other", "email": VALUES["email"]})
    assert refused.value.existing == made.id


@pytest.mark.parametrize("status", [400, 404])
async def test_a_deleted_contact_is_gone(
    simulator: Simulator, http: httpx.AsyncClient, contacts: Contacts, status: int
) -> None:
    await control(simulator, http, "settings", {"missing_contact_status": status})
    made = await contacts.create(VALUES)
    headers = {"Authorization": f"Bearer {SERVICE}", "Version": "2021-07-28"}
    await http.delete(f"{simulator.url}/contacts/{made.id}", headers=headers)
    with pytest.raises(Gone):
        await contacts.fetch(made.id)
    assert await contacts.find(MatchKey(KeyKind.EMAIL, VALUES["email"])) == []


async def test_a_business_is_made_changed_found_and_joined(businesses: Businesses, contacts: Contacts) -> None:
    made = await businesses.create({"name": "North Quay", "city": "København", "country": "DK", "phone": ""})
    changed = await businesses.update(made, {"address1": "Havnegade 12", "city": ""})
    assert (changed.values["address1"], changed.values["city"], changed.values["country"]) == ("Havnegade 12", "", "DK")
    assert [each.id for each in await businesses.find(MatchKey(KeyKind.IDENTITY, "north quay"))] == [made.id]
    person = await contacts.create({"first_name": "Mira", "email": "mira@northquay.example"}, parent=made.id)
    assert person.parent == made.id
    assert (await contacts.move(person.id, parent="", values={})).parent == ""
    with pytest.raises(Gone):
        await businesses.fetch("63771dcac1116f0e21de8e12")


async def test_every_contact_and_every_business_is_read_page_by_page(
    businesses: Businesses, contacts: Contacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.providers.highlevel.businesses.PAGE", 2)
    monkeypatch.setattr("app.providers.highlevel.contacts.EACH_PAGE", 2)
    for number in range(5):
        await businesses.create({"name": f"Business {number}"})
        await contacts.create({"first_name": f"Contact {number}", "email": f"c{number}@northquay.example"})
    names = [each.values["name"] async for each in businesses.each(BEGINNING)]
    assert sorted(names) == [f"Business {number}" for number in range(5)]
    emails = [each.values["email"] async for each in contacts.each(BEGINNING)]
    assert len(emails) == len(set(emails))
    assert {f"c{number}@northquay.example" for number in range(5)} <= set(emails)
