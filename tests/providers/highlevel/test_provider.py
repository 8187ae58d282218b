from collections.abc import Iterator
from dataclasses import replace

import pytest
import respx

from app.errors import Forbidden, Reconnect, Rejected, Retry, Unsupported
from app.providers.base import Access, KeyKind, MatchKey, Profile, Provider, Support
from app.providers.client import make_client
from app.providers.highlevel.api import HighLevelAccount
from app.providers.highlevel.provider import HighLevel
from app.providers.highlevel.wire import BASE_URL
from app.sync.objects import ContactSettings
from app.sync.records import Side
from tests.providers.highlevel.recorded import DATA, LOCATION, TOKEN, CountingGate, answer, check_documented, load, sent

ACCESS = Access(base_url=BASE_URL, account_id=LOCATION, secrets={"private_token": TOKEN})


@pytest.fixture
def highlevel() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=BASE_URL, assert_all_called=False) as router:
        router.get(f"/locations/{LOCATION}", name="location").mock(return_value=answer("location"))
        router.get(f"/locations/{LOCATION}/customFields", name="custom_fields").mock(
            return_value=answer("custom_fields")
        )
        router.get("/users/search", name="users").respond(json={"users": [{"id": "u1", "email": "Ada@Example.com"}]})
        stages = [{"id": "s1", "name": "Won"}]
        router.get("/opportunities/pipelines", name="pipelines").respond(
            json={"pipelines": [{"id": "p1", "name": "Sales", "stages": stages}]}
        )
        router.post("/contacts/search", name="search").mock(return_value=answer("search_one"))
        yield router
        for call in router.calls:
            check_documented(call.request)


async def probe(access: Access = ACCESS) -> Profile:
    provider: Provider = HighLevel()
    async with make_client() as client:
        return await provider.probe(access, client)


def test_what_the_provider_is() -> None:
    provider: Provider = HighLevel()
    assert (provider.name, provider.label, provider.side) == ("highlevel", "HighLevel", Side.CRM)
    assert provider.default_base_url == "https://services.leadconnectorhq.com"
    assert (provider.secret_names, provider.slot_fields) == (("private_token",), ())


def test_what_it_cannot_do_has_a_reason() -> None:
    for capability in HighLevel.capabilities.values():
        assert capability.support is Support.NATIVE or capability.reason


async def test_a_probe_learns_the_location_and_its_custom_fields(highlevel: respx.MockRouter) -> None:
    profile = await probe()
    assert (profile.account_id, profile.label) == (LOCATION, "North Quay")
    assert profile.facts == {"timezone": "Europe/Copenhagen", "country": "DK", "custom fields": "3"}
    pipelines = [{"id": "p1", "name": "Sales", "stages": [{"id": "s1", "name": "Won"}]}]
    learned = {"timezone": "Europe/Copenhagen", "users": {"u1": "ada@example.com"}, "pipelines": pipelines}
    assert profile.data == {**DATA, **learned}


async def test_a_probe_only_reads_and_asks_for_as_little_as_it_can(highlevel: respx.MockRouter) -> None:
    await probe()
    assert len(highlevel.calls) == 5
    asked = highlevel["users"].calls.last.request.url.params
    assert (asked["companyId"], asked["locationId"]) == ("CmpHarbour0000000001", LOCATION)
    assert highlevel["custom_fields"].calls.last.request.url.params["model"] == "contact"
    assert sent(highlevel["search"].calls.last.request) == {"locationId": LOCATION, "pageLimit": 1}


async def test_the_location_may_be_out_of_scope(highlevel: respx.MockRouter) -> None:
    highlevel["location"].mock(return_value=answer("refused_scope_401", 401))
    highlevel["pipelines"].mock(return_value=answer("refused_scope_401", 401))
    profile = await probe()
    assert (profile.label, profile.facts) == (LOCATION, {"custom fields": "3"})
    assert profile.data == {**DATA, "timezone": "UTC", "users": {}, "pipelines": []}


async def test_without_the_scope_for_users_nobody_is_assigned(highlevel: respx.MockRouter) -> None:
    highlevel["users"].mock(return_value=answer("refused_scope_401", 401))
    assert (await probe()).data["users"] == {}


async def test_a_refused_token_asks_for_another_one(highlevel: respx.MockRouter) -> None:
    highlevel["location"].mock(return_value=answer("refused_token_401", 401))
    with pytest.raises(Reconnect, match="access token is invalid"):
        await probe()
    assert len(highlevel.calls) == 1


async def test_issue_highlevel_api_docs_213_a_token_of_another_location_says_what_to_check(
    highlevel: respx.MockRouter,
) -> None:
    for route in ("location", "custom_fields", "search"):
        highlevel[route].mock(return_value=answer("refused_location_403", 403))
    with pytest.raises(Forbidden, match=f"does not have access.*made in location {LOCATION}"):
        await probe()


@pytest.mark.parametrize("route", ["custom_fields", "search"])
async def test_a_missing_scope_says_which_are_needed(highlevel: respx.MockRouter, route: str) -> None:
    highlevel[route].mock(return_value=answer("refused_scope_401", 401))
    with pytest.raises(Forbidden, match=r"not authorized for this scope.*contacts\.readonly.*Private Integrations"):
        await probe()


async def test_a_location_that_does_not_exist_says_where_its_id_is_found(highlevel: respx.MockRouter) -> None:
    highlevel["location"].respond(400, json={"statusCode": 400, "message": "Location not found"})
    with pytest.raises(Rejected, match="Location not found — check the location id"):
        await probe()


@pytest.mark.parametrize("account_id", ["", "../oauth/token", "a b"])
async def test_what_is_no_location_id_is_not_even_asked_for(highlevel: respx.MockRouter, account_id: str) -> None:
    with pytest.raises(Rejected, match="check the location id"):
        await probe(replace(ACCESS, account_id=account_id))
    assert not highlevel.calls


async def test_a_wrong_base_url_is_named(highlevel: respx.MockRouter) -> None:
    highlevel["location"].respond(200, html="<html>Sign in</html>")
    with pytest.raises(Rejected, match="check the base URL"):
        await probe()


async def test_a_probe_that_highlevel_cannot_answer_now_may_be_repeated(highlevel: respx.MockRouter) -> None:
    highlevel["location"].respond(503, json=load("refused_values_400"))
    with pytest.raises(Retry):
        await probe()


@pytest.mark.parametrize(
    "secrets", [{}, {"private_token": ""}, {"private_token": "  "}, {"private_token": "pit-“x”\npit"}]
)
async def test_without_a_token_nothing_is_opened(secrets: dict[str, str]) -> None:
    async with make_client() as client:
        with pytest.raises(Reconnect, match="token"):
            HighLevel().open(replace(ACCESS, secrets=secrets), CountingGate(), client)


async def test_an_open_account_works_on_its_location_through_its_gate(highlevel: respx.MockRouter) -> None:
    gate = CountingGate()
    async with make_client() as client:
        account = HighLevel().open(replace(ACCESS, data=DATA), gate, client)
        contacts = account.records("contact", ContactSettings())
        await contacts.find(MatchKey(KeyKind.EMAIL, "ada@example.com"))
    assert isinstance(account, HighLevelAccount)
    assert gate.passed == [False]
    assert "custom.vat_number" in contacts.fields()
    assert TOKEN not in repr(account)
    with pytest.raises(Unsupported, match="contact"):
        account.records("estimate", ContactSettings())
