from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import respx

from app.errors import Rejected, Retry
from app.providers.base import Access, KeyKind, MatchKey
from app.providers.invoice_ninja.clients import MOST_ALIKE, PER_PAGE, Clients
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.sync.objects import ContactSettings
from app.sync.records import Presence
from tests.providers.invoice_ninja.conftest import DATA, OpenGate
from tests.providers.invoice_ninja.recordings import answer, client, page

ACME, JANE, BOB = "VolejRejNm", "VolejRejNm", "Wpmbk5ezJn"
SLOT = MatchKey(KeyKind.SLOT, "ghl_contact_id:abc123")


def asked(route: respx.Route) -> dict[str, str]:
    return dict(route.calls.last.request.url.params)


async def test_a_client_is_found_by_its_slot(account: Clients, ninja: respx.MockRouter) -> None:
    route = ninja.get("/clients").mock(answer("clients_list_filter_custom_value"))
    [record] = await account.find(SLOT)
    assert (record.id, record.slot, record.part) == (ACME, SLOT.value, JANE)
    assert asked(route)["filter"] == SLOT.value
    assert asked(route)["status"] == "active,archived"


async def test_a_loose_filter_finds_only_what_is_equal(account: Clients, ninja: respx.MockRouter) -> None:
    """`filter` is LIKE over many fields: "hl_1" is in "hl_12" and in a name as well."""
    others = [
        {**client(), "id": "longer1234", "custom_value1": "hl_12"},
        {**client(), "id": "named12345", "name": "hl_1", "custom_value1": ""},
        {**client(), "id": "elsewhere1", "custom_value1": "", "custom_value2": "hl_1"},
        {**client(), "id": "othercase1", "custom_value1": "HL_1"},
        {**client(), "id": "theone1234", "custom_value1": "hl_1"},
    ]
    ninja.get("/clients").respond(json=page(*others))
    found = await account.find(MatchKey(KeyKind.SLOT, "hl_1"))
    assert [record.id for record in found] == ["theone1234"]


@pytest.mark.parametrize("kind", KeyKind)
async def test_a_filter_that_was_ignored_matches_nothing(
    account: Clients, ninja: respx.MockRouter, kind: KeyKind
) -> None:
    """Recorded: an unknown filter name returns everything."""
    everything = client("clients_list_by_custom_value1_unsupported")
    ninja.get("/clients").respond(json=page(everything))
    assert await account.find(MatchKey(kind, "+15550109999")) == []


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("value", ["", " ", "\n"])
async def test_an_empty_key_is_never_asked_for(
    account: Clients, ninja: respx.MockRouter, kind: KeyKind, value: str
) -> None:
    """An empty filter returns every client, and blank contacts would match each other."""
    assert await account.find(MatchKey(kind, value)) == []
    assert not ninja.calls


async def test_a_phone_without_digits_is_never_asked_for(account: Clients, ninja: respx.MockRouter) -> None:
    assert await account.find(MatchKey(KeyKind.PHONE, "ask Jane")) == []
    assert not ninja.calls


async def test_a_second_contact_is_found_by_its_email_and_its_values_come(
    account: Clients, ninja: respx.MockRouter
) -> None:
    route = ninja.get("/clients").mock(answer("clients_list_by_email"))
    [record] = await account.find(MatchKey(KeyKind.EMAIL, "BOB@Acme.Example"))
    assert (record.part, record.values["first_name"]) == (BOB, "Bob")
    assert asked(route)["email"] == "BOB@Acme.Example"


async def test_a_plus_in_an_email_is_encoded(account: Clients, ninja: respx.MockRouter) -> None:
    """A bare + becomes a blank there and nothing matches: section 4."""
    route = ninja.get("/clients").respond(json=page())
    await account.find(MatchKey(KeyKind.EMAIL, "jane+crm@acme.example"))
    assert b"email=jane%2Bcrm%40acme.example" in route.calls.last.request.url.query


async def test_a_recorded_email_with_capitals_is_found(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get("/clients").respond(json=page(client("clients_create_email_whitespace_case")))
    assert await account.find(MatchKey(KeyKind.EMAIL, "mixedcase@x.example"))


async def test_an_archived_contact_of_a_client_does_not_match(account: Clients, ninja: respx.MockRouter) -> None:
    left = client()
    left["contacts"][1]["archived_at"] = 1795219789
    ninja.get("/clients").respond(json=page(left))
    assert await account.find(MatchKey(KeyKind.EMAIL, "bob@acme.example")) == []


async def test_a_deleted_client_in_a_list_is_dropped(account: Clients, ninja: respx.MockRouter) -> None:
    """Recorded: deleted clients are in lists by default, and ?email= finds them."""
    ninja.get("/clients").mock(answer("clients_list_by_email_deleted"))
    assert await account.find(MatchKey(KeyKind.EMAIL, "del@x.example")) == []


async def test_issue_invoiceninja_2077_an_archived_client_is_found_and_says_so(
    account: Clients, ninja: respx.MockRouter
) -> None:
    ninja.get("/clients").respond(json=page({**client(), "archived_at": 1795219790}))
    [record] = await account.find(SLOT)
    assert record.presence is Presence.ARCHIVED


@pytest.mark.parametrize("written", ["+442079460000", "+44 (0)20 7946-0000", "+44 20 7946 0000"])
async def test_issue_highlevel_api_docs_223_a_phone_is_found_however_it_is_written(
    account: Clients, ninja: respx.MockRouter, written: str
) -> None:
    """LIKE on the whole number would miss "+44 20 7946 0000"; its last digits do not."""
    route = ninja.get("/clients").mock(answer("clients_list_by_email"))
    [record] = await account.find(MatchKey(KeyKind.PHONE, written))
    assert record.part == JANE
    assert asked(route)["filter"] == "0000"


async def test_a_phone_with_the_same_last_digits_is_another_phone(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get("/clients").mock(answer("clients_list_by_email"))
    assert await account.find(MatchKey(KeyKind.PHONE, "+442079470000")) == []


async def test_a_client_is_found_by_its_whole_name_only(account: Clients, ninja: respx.MockRouter) -> None:
    others = [{**client(), "id": "holding123", "name": "Acme Ltd Holding"}, {**client(), "name": "ACME ltd "}]
    route = ninja.get("/clients").respond(json=page(*others))
    found = await account.find(MatchKey(KeyKind.NAME, "Acme Ltd"))
    assert [record.id for record in found] == [ACME]
    assert asked(route)["name"] == "Acme Ltd"


async def test_issue_numbersearch_68_all_candidates_come_and_none_is_picked(
    account: Clients, ninja: respx.MockRouter
) -> None:
    ninja.get("/clients").respond(json=page(client(), {**client(), "id": "twin123456"}))
    assert [record.id for record in await account.find(SLOT)] == [ACME, "twin123456"]


async def test_pages_are_counted_here_and_every_page_carries_the_filter(
    account: Clients, ninja: respx.MockRouter
) -> None:
    """links.next drops per_page, sort and filters: section 4."""
    pages = [page(client(), total_pages=2), page({**client(), "id": "second1234"}, total_pages=2)]
    route = ninja.get("/clients").mock(side_effect=[httpx.Response(200, json=each) for each in pages])
    assert len(await account.find(SLOT)) == 2
    queries = [dict(call.request.url.params) for call in route.calls]
    assert [query["page"] for query in queries] == ["1", "2"]
    assert {(q["filter"], q["per_page"], q["sort"], q["status"]) for q in queries} == {
        (SLOT.value, str(PER_PAGE), "id|asc", "active,archived")
    }


async def test_issue_pipedream_21941_the_same_page_for_ever_ends(account: Clients, ninja: respx.MockRouter) -> None:
    route = ninja.get("/clients").respond(json=page(client(), total_pages=9))
    with pytest.raises(Retry, match="same page"):
        await account.find(SLOT)
    assert route.call_count == 2


async def test_an_empty_page_before_the_last_one_is_no_end(account: Clients, ninja: respx.MockRouter) -> None:
    route = ninja.get("/clients").respond(json=page(total_pages=9))
    with pytest.raises(Retry, match="before the last one"):
        await account.find(SLOT)
    assert route.call_count == 1


async def test_too_many_similar_clients_are_refused_and_not_cut_off(account: Clients, ninja: respx.MockRouter) -> None:
    """A match on a page that was not read would be a second client for one person."""

    def endless(request: httpx.Request) -> httpx.Response:
        number = request.url.params["page"]
        clients = [{**client(), "id": f"client{number}x{each}"} for each in range(PER_PAGE)]
        return httpx.Response(200, json=page(*clients, total_pages=999))

    route = ninja.get("/clients").mock(side_effect=endless)
    with pytest.raises(Rejected, match="too many"):
        await account.find(SLOT)
    assert route.call_count == MOST_ALIKE // PER_PAGE + 1


@pytest.mark.parametrize("data", [{}, {"slot_field": "custom_value2"}])
async def test_the_slot_is_compared_in_the_chosen_field_only(
    access: Access, http: httpx.AsyncClient, ninja: respx.MockRouter, data: Mapping[str, Any]
) -> None:
    other = Access(base_url=access.base_url, account_id="key", secrets=access.secrets, data=data)
    ninja.get("/clients").mock(answer("clients_list_filter_custom_value"))
    assert data != DATA
    assert await InvoiceNinja().open(other, OpenGate(), http).records("contact", ContactSettings()).find(SLOT) == []
