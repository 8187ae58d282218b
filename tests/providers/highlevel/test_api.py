from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import respx

from app.errors import AnswerLost, Duplicate, Forbidden, Gone, Reconnect, Rejected, Retry, Unsupported
from app.providers.base import KeyKind, MatchKey, Records
from app.providers.client import make_client
from app.providers.highlevel.wire import BASE_URL
from app.sync.records import Presence
from tests.providers.highlevel.recorded import (
    CONTACT,
    LOCATION,
    NOW,
    TOKEN,
    CountingGate,
    account,
    answer,
    check_documented,
    load,
    sent,
)

EMAIL = MatchKey(KeyKind.EMAIL, "mira@northquay.example")
PHONE = MatchKey(KeyKind.PHONE, "+45 32 10 12 34")
NAME = MatchKey(KeyKind.NAME, "Mira Andersen")
NEW = {"first_name": "Mira", "email": "mira@northquay.example", "city": "", "custom.vat_number": "DK10101010"}


@pytest.fixture
def gate() -> CountingGate:
    return CountingGate()


@pytest.fixture
async def contacts(gate: CountingGate) -> AsyncIterator[Records]:
    async with make_client() as client:
        yield account(client, gate)


@pytest.fixture
def highlevel() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=BASE_URL, assert_all_called=False) as router:
        yield router
        for call in router.calls:
            check_documented(call.request)


async def test_fetch_asks_for_one_contact_with_token_and_version(
    contacts: Records, highlevel: respx.MockRouter, gate: CountingGate
) -> None:
    route = highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    record = await contacts.fetch(CONTACT)
    headers = route.calls.last.request.headers
    assert (headers["authorization"], headers["version"]) == (f"Bearer {TOKEN}", "2021-07-28")
    assert headers["accept"] == "application/json"
    assert record.values["email"] == "mira@northquay.example"
    assert (gate.passed, gate.closed) == ([False], [])


@pytest.mark.parametrize(
    ("case", "status", "named"),
    [
        ("gone_400", 400, Gone),
        ("gone_404", 404, Gone),
        ("not_gone_unknown_route_404", 404, Rejected),
        ("refused_token_401", 401, Reconnect),
        ("refused_scope_401", 401, Forbidden),
        ("refused_location_403", 403, Forbidden),
    ],
)
async def test_a_refused_fetch_is_named(
    contacts: Records, highlevel: respx.MockRouter, case: str, status: int, named: type[Exception]
) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer(case, status))
    with pytest.raises(named):
        await contacts.fetch(CONTACT)


async def test_a_login_page_with_404_does_not_say_that_the_contact_is_gone(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    highlevel.get(f"/contacts/{CONTACT}").respond(404, html="<html>nothing here</html>")
    with pytest.raises(Rejected):
        await contacts.fetch(CONTACT)


async def test_a_deleted_contact_that_is_still_answered_is_returned_as_deleted(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    body = load("contact")
    body["contact"]["deleted"] = True
    highlevel.get(f"/contacts/{CONTACT}").respond(json=body)
    assert (await contacts.fetch(CONTACT)).presence is Presence.DELETED


async def test_a_contact_of_another_location_is_refused(contacts: Records, highlevel: respx.MockRouter) -> None:
    body = load("contact")
    body["contact"]["locationId"] = "LocSomeoneElse000001"
    highlevel.get(f"/contacts/{CONTACT}").respond(json=body)
    with pytest.raises(Rejected, match="another HighLevel location"):
        await contacts.fetch(CONTACT)


async def test_what_cannot_be_an_id_is_never_put_into_a_path(contacts: Records, highlevel: respx.MockRouter) -> None:
    with pytest.raises(Gone):
        await contacts.fetch("../locations/x")
    assert not highlevel.calls


async def test_find_by_email_asks_exactly_and_fetches_what_it_found(
    contacts: Records, highlevel: respx.MockRouter, gate: CountingGate
) -> None:
    search = highlevel.post("/contacts/search").mock(return_value=answer("search_one"))
    fetched = answer("contact")
    fetched.headers["X-RateLimit-Daily-Remaining"] = "199876"
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=fetched)
    found = await contacts.find(EMAIL)
    assert sent(search.calls.last.request) == {
        "locationId": LOCATION,
        "pageLimit": 20,
        "filters": [{"field": "email", "operator": "eq", "value": "mira@northquay.example"}],
    }
    assert [record.id for record in found] == [CONTACT]
    assert found[0].values["custom.vat_number"] == "DK10101010"
    assert (gate.passed, gate.left) == ([False, False], [199_876])


@pytest.mark.parametrize("key", [EMAIL, PHONE, NAME], ids=str)
async def test_what_a_loose_search_brings_is_compared_again(
    contacts: Records, highlevel: respx.MockRouter, key: MatchKey
) -> None:
    highlevel.post("/contacts/search").mock(return_value=answer("search_loose"))
    assert await contacts.find(key) == []


async def test_a_contact_that_has_changed_since_it_was_indexed_does_not_match(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    """The search index lags "a few seconds" (contracts/ghl, section 4)."""
    body = load("contact")
    body["contact"]["email"] = "moved@northquay.example"
    highlevel.post("/contacts/search").mock(return_value=answer("search_one"))
    highlevel.get(f"/contacts/{CONTACT}").respond(json=body)
    assert await contacts.find(EMAIL) == []


async def test_a_hit_that_is_gone_by_now_is_no_candidate(contacts: Records, highlevel: respx.MockRouter) -> None:
    highlevel.post("/contacts/search").mock(return_value=answer("search_one"))
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("gone_400", 400))
    assert await contacts.find(EMAIL) == []


async def test_find_by_phone_asks_for_the_international_form(contacts: Records, highlevel: respx.MockRouter) -> None:
    search = highlevel.post("/contacts/search").mock(return_value=answer("search_one"))
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    assert [record.id for record in await contacts.find(PHONE)] == [CONTACT]
    assert sent(search.calls.last.request)["filters"] == [{"field": "phone", "operator": "eq", "value": "+4532101234"}]


async def test_issue_highlevel_api_docs_289_a_phone_that_the_filter_misses_is_searched_as_text(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    search = highlevel.post("/contacts/search").mock(side_effect=[answer("search_none"), answer("search_one")])
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    assert [record.id for record in await contacts.find(PHONE)] == [CONTACT]
    assert sent(search.calls.last.request) == {"locationId": LOCATION, "pageLimit": 20, "query": "+4532101234"}


async def test_find_by_name_searches_and_compares_the_full_name(contacts: Records, highlevel: respx.MockRouter) -> None:
    search = highlevel.post("/contacts/search").mock(return_value=answer("search_one"))
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    assert [record.id for record in await contacts.find(NAME)] == [CONTACT]
    assert sent(search.calls.last.request)["query"] == "Mira Andersen"


async def test_a_name_is_cut_to_what_a_search_takes(contacts: Records, highlevel: respx.MockRouter) -> None:
    search = highlevel.post("/contacts/search").mock(return_value=answer("search_none"))
    await contacts.find(MatchKey(KeyKind.NAME, "n" * 100))
    assert len(sent(search.calls.last.request)["query"]) == 75


async def test_find_by_slot_fetches_the_id_that_the_other_side_keeps(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    assert [record.id for record in await contacts.find(MatchKey(KeyKind.SLOT, CONTACT))] == [CONTACT]


async def test_a_slot_that_points_nowhere_finds_nothing(contacts: Records, highlevel: respx.MockRouter) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("gone_400", 400))
    assert await contacts.find(MatchKey(KeyKind.SLOT, CONTACT)) == []
    assert await contacts.find(MatchKey(KeyKind.SLOT, "see the blue folder")) == []


async def test_create_sends_only_what_has_a_value(
    contacts: Records, highlevel: respx.MockRouter, gate: CountingGate
) -> None:
    route = highlevel.post("/contacts/").mock(return_value=answer("contact", 201))
    record = await contacts.create(NEW)
    assert sent(route.calls.last.request) == {
        "locationId": LOCATION,
        "firstName": "Mira",
        "email": "mira@northquay.example",
        "customFields": [{"id": "CufVatNumber00000001", "field_value": "DK10101010"}],
    }
    assert record.id == CONTACT
    assert gate.passed == [True]


async def test_a_duplicate_is_refused_with_the_other_contacts_id(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    highlevel.post("/contacts/").mock(return_value=answer("refused_duplicate_400", 400))
    search = highlevel.post("/contacts/search")
    with pytest.raises(Duplicate) as refused:
        await contacts.create(NEW)
    assert refused.value.existing == "ConAlreadyThere00001"
    assert not search.called


async def test_issue_highlevel_api_docs_64_a_refused_contact_that_was_created_all_the_same_is_found(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    highlevel.post("/contacts/").mock(return_value=answer("refused_values_422", 422))
    highlevel.post("/contacts/search").mock(return_value=answer("search_one"))
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    assert (await contacts.create(NEW)).id == CONTACT


@pytest.mark.parametrize(
    "changed",
    [
        {"dateAdded": (NOW - timedelta(minutes=3)).isoformat()},
        {"dateAdded": None},
        {"firstName": "Mirabel"},
        {"customFields": []},
    ],
    ids=["made earlier", "made who knows when", "another name", "without the VAT number"],
)
async def test_issue_highlevel_api_docs_64_somebody_elses_contact_is_not_taken_for_ours(
    contacts: Records, highlevel: respx.MockRouter, changed: dict[str, Any]
) -> None:
    body = load("contact")
    body["contact"] |= changed
    highlevel.post("/contacts/").mock(return_value=answer("refused_values_422", 422))
    highlevel.post("/contacts/search").mock(return_value=answer("search_one"))
    highlevel.get(f"/contacts/{CONTACT}").respond(json=body)
    with pytest.raises(Rejected, match="email must be an email"):
        await contacts.create(NEW)


async def test_a_refusal_stands_where_nothing_was_created(contacts: Records, highlevel: respx.MockRouter) -> None:
    highlevel.post("/contacts/").mock(return_value=answer("refused_values_400", 400))
    search = highlevel.post("/contacts/search").mock(return_value=answer("search_none"))
    with pytest.raises(Rejected, match="phone is not valid"):
        await contacts.create(NEW)
    assert search.call_count == 1


async def test_without_email_and_phone_a_refusal_is_believed(contacts: Records, highlevel: respx.MockRouter) -> None:
    highlevel.post("/contacts/").mock(return_value=answer("refused_values_422", 422))
    search = highlevel.post("/contacts/search")
    with pytest.raises(Rejected):
        await contacts.create({"first_name": "Mira"})
    assert not search.called


async def test_a_missing_scope_created_nothing(contacts: Records, highlevel: respx.MockRouter) -> None:
    highlevel.post("/contacts/").mock(return_value=answer("refused_scope_401", 401))
    search = highlevel.post("/contacts/search")
    with pytest.raises(Forbidden):
        await contacts.create(NEW)
    assert not search.called


@pytest.mark.parametrize(
    "lost",
    [httpx.Response(502, html="<html>"), httpx.Response(201, json={"ok": True}), httpx.ReadTimeout("slow")],
    ids=["502", "unreadable", "timeout"],
)
async def test_a_create_whose_outcome_cannot_be_read_is_a_lost_answer(
    contacts: Records, highlevel: respx.MockRouter, lost: Any
) -> None:
    highlevel.post("/contacts/").mock(side_effect=[lost])
    with pytest.raises(AnswerLost):
        await contacts.create(NEW)


async def test_a_refused_token_says_which_connection_it_was(contacts: Records, highlevel: respx.MockRouter) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("refused_token_401", 401))
    with pytest.raises(Reconnect) as refused:
        await contacts.fetch(CONTACT)
    assert refused.value.connection == 7


async def test_too_many_requests_waits_as_long_as_asked(
    contacts: Records, highlevel: respx.MockRouter, gate: CountingGate
) -> None:
    highlevel.get(f"/contacts/{CONTACT}").respond(429, headers={"Retry-After": "7"}, json={"message": "Too Many"})
    with pytest.raises(Retry) as refused:
        await contacts.fetch(CONTACT)
    assert refused.value.after == 7
    assert gate.closed == [7]


async def test_issue_monica_2119_update_sends_only_the_given_values_and_never_the_tags(
    contacts: Records, highlevel: respx.MockRouter, gate: CountingGate
) -> None:
    """PUT overwrites all tags with those it is given (contracts/ghl, section 4)."""
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    route = highlevel.put(f"/contacts/{CONTACT}").mock(return_value=answer("contact_after_put_without_date_updated"))
    current = await contacts.fetch(CONTACT)
    updated = await contacts.update(current, {"city": "Aarhus", "state": ""})
    assert sent(route.calls.last.request) == {"city": "Aarhus", "state": ""}
    assert updated.values["city"] == "Aarhus"
    assert gate.passed == [False, True]


def with_more_ways_to_reach() -> Any:
    body = load("contact")
    body["contact"]["additionalEmails"] = [{"email": "second@northquay.example"}]
    body["contact"]["additionalPhones"] = [{"phone": "+4532109999", "phoneLabel": "Home"}]
    return body


async def test_issue_highlevel_api_docs_59_additional_emails_and_phones_are_never_sent(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    highlevel.get(f"/contacts/{CONTACT}").respond(json=with_more_ways_to_reach())
    route = highlevel.put(f"/contacts/{CONTACT}").respond(json={"succeded": True, **with_more_ways_to_reach()})
    await contacts.update(await contacts.fetch(CONTACT), {"email": "new@northquay.example", "phone": "+4532101235"})
    assert sent(route.calls.last.request) == {"email": "new@northquay.example", "phone": "+4532101235"}


async def test_issue_highlevel_api_docs_331_a_contact_is_its_first_email_and_phone(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    """Whether the additional ones are shown or not, and also where they are what a search has found."""
    contact = with_more_ways_to_reach()
    highlevel.post("/contacts/search").respond(json={"contacts": [contact["contact"]], "total": 1})
    highlevel.get(f"/contacts/{CONTACT}").respond(json=contact)
    record = await contacts.fetch(CONTACT)
    assert (record.values["email"], record.values["phone"]) == ("mira@northquay.example", "+4532101234")
    assert await contacts.find(MatchKey(KeyKind.EMAIL, "second@northquay.example")) == []


async def test_issue_highlevel_api_docs_246_an_answer_to_a_write_without_date_updated_is_read(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    highlevel.put(f"/contacts/{CONTACT}").mock(return_value=answer("contact_after_put_without_date_updated"))
    updated = await contacts.update(await contacts.fetch(CONTACT), {"city": "Aarhus"})
    assert updated.updated_at is None


async def test_an_update_that_answers_without_the_contact_is_read_back(
    contacts: Records, highlevel: respx.MockRouter
) -> None:
    highlevel.put(f"/contacts/{CONTACT}").respond(json={"succeded": True})
    route = highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    current = await contacts.fetch(CONTACT)
    assert (await contacts.update(current, {"city": "København"})).values["city"] == "København"
    assert route.call_count == 2


@pytest.mark.parametrize("spelling", ["succeded", "succeeded"])
async def test_an_update_that_did_not_succeed_is_refused(
    contacts: Records, highlevel: respx.MockRouter, spelling: str
) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    highlevel.put(f"/contacts/{CONTACT}").respond(json={spelling: False})
    with pytest.raises(Rejected):
        await contacts.update(await contacts.fetch(CONTACT), {"city": "Aarhus"})


async def test_an_update_of_a_contact_that_is_gone_says_so(contacts: Records, highlevel: respx.MockRouter) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    highlevel.put(f"/contacts/{CONTACT}").mock(return_value=answer("gone_400", 400))
    with pytest.raises(Gone):
        await contacts.update(await contacts.fetch(CONTACT), {"city": "Aarhus"})


async def test_contacts_cannot_be_archived_and_nothing_pretends(contacts: Records, highlevel: respx.MockRouter) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=answer("contact"))
    current = await contacts.fetch(CONTACT)
    for impossible in (contacts.archive, contacts.restore):
        with pytest.raises(Unsupported, match="HighLevel contacts cannot be archived"):
            await impossible(current)


def test_the_fields_are_the_plain_ones_and_the_locations_own(contacts: Records) -> None:
    assert {"email", "company", "custom.vat_number"} <= contacts.fields().keys()
