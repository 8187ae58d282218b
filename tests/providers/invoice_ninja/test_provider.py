import json
from typing import Any, get_type_hints

import httpx
import pytest
import respx

from app.errors import Forbidden, Reconnect, Rejected, Retry
from app.providers.base import Access, Account, Provider, Support
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.sync.objects import ContactSettings
from tests.providers.invoice_ninja.conftest import BASE, OpenGate
from tests.providers.invoice_ninja.recordings import answer, body, client, page


def reachable(ninja: respx.MockRouter) -> None:
    ninja.post("/companies/current").mock(answer("company_current"))
    ninja.get("/statics").mock(answer("statics"))
    headers = {"X-APP-VERSION": "5.10.42"}
    ninja.get("/clients").respond(json=page(client()), headers=headers)
    ninja.post("/refresh").mock(answer("refresh"))
    ninja.get("/task_statuses").respond(json={"data": [{"id": "s1", "name": "Backlog"}, {"id": "s4", "name": "Done"}]})
    ninja.get("/users").respond(json={"data": [{"id": "u1", "email": "Ada@Example.com"}]})
    ninja.get("/group_settings").respond(json={"data": [{"id": "g1", "name": "Gold"}]})
    ninja.get("/tags").mock(answer("errors_route_404"))


def standing(**changed: Any) -> dict[str, Any]:
    """The recorded user, with other rights."""
    user = {**body("refresh")["data"][0], **changed}
    return {"data": [user]}


CLERK = {"is_owner": False, "is_admin": False}


def access(base_url: str = BASE, **secrets: str) -> Access:
    return Access(base_url=base_url, account_id="", secrets={"api_token": "t0ken", **secrets})


async def test_a_probe_learns_who_the_account_is(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    reachable(ninja)
    profile = await InvoiceNinja().probe(access(), http)
    assert profile.account_id == "fjrV06c7Qwf5sKa8FVrQq6agf96TLBgo"
    assert profile.label == "Untitled Company"
    assert profile.facts == {
        "version": "5.10.42",
        "company": "Untitled Company",
        "currency": "USD",
        "country": "US",
        "timezone": "Pacific/Midway",
        "user": "owner",
        "hosting": "own server",
        "webhooks": "allowed",
        "clients": "1",
        "task tags": "no",
    }
    assert list(profile.warnings) == []


async def test_issue_invoiceninja_2272_a_probe_keeps_the_table_of_countries(
    http: httpx.AsyncClient, ninja: respx.MockRouter
) -> None:
    reachable(ninja)
    data = (await InvoiceNinja().probe(access(), http)).data
    assert data["countries"]["826"] == "GB"
    assert json.loads(json.dumps(data)) == data


async def test_issue_invoiceninja_11301_two_installations_are_two_accounts_although_their_ids_are_equal(
    http: httpx.AsyncClient, ninja: respx.MockRouter
) -> None:
    """Without HASH_SALT company 1 is VolejRejNm everywhere: section 1."""
    reachable(ninja)
    assert (await InvoiceNinja().probe(access(), http)).account_id != "VolejRejNm"


async def test_a_probe_writes_nothing_and_asks_for_one_client_only(
    http: httpx.AsyncClient, ninja: respx.MockRouter
) -> None:
    reachable(ninja)
    await InvoiceNinja().probe(access(), http)
    calls = [(call.request.method, call.request.url.path) for call in ninja.calls]
    assert calls == [
        ("POST", "/api/v1/companies/current"),
        ("GET", "/api/v1/statics"),
        ("GET", "/api/v1/clients"),
        ("POST", "/api/v1/refresh"),
        ("GET", "/api/v1/task_statuses"),
        ("GET", "/api/v1/users"),
        ("GET", "/api/v1/group_settings"),
        ("GET", "/api/v1/tags"),
    ]
    assert ninja.calls[0].request.content == b""
    assert ninja.calls[2].request.url.params["per_page"] == "1"
    asked = ninja.calls[3].request.url.params
    assert (asked["current_company"], int(asked["updated_at"]) > 1_700_000_000) == ("true", True)
    assert ninja.calls[3].request.content == b""


async def test_a_probe_learns_statuses_and_users_where_it_may(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    reachable(ninja)
    learned = (await InvoiceNinja().probe(access(), http)).data
    assert learned["task_statuses"] == {"s1": "Backlog", "s4": "Done"}
    assert learned["users"] == {"u1": "ada@example.com"}
    ninja.get("/users").mock(answer("errors_permission_create_client"))
    assert "users" not in (await InvoiceNinja().probe(access(), http)).data


async def test_a_probe_learns_the_client_groups_and_whether_tasks_have_tags(
    http: httpx.AsyncClient, ninja: respx.MockRouter
) -> None:
    reachable(ninja)
    profile = await InvoiceNinja().probe(access(), http)
    assert (profile.data["groups"], profile.facts["task tags"]) == ({"g1": "Gold"}, "no")
    assert profile.data["task_tags"] is False
    tags = ninja.get("/tags").respond(json={"data": [{"id": "t1", "name": "urgent"}]})
    ninja.get("/group_settings").mock(answer("errors_permission_create_client"))
    profile = await InvoiceNinja().probe(access(), http)
    assert (profile.data["groups"], profile.facts["task tags"]) == ({}, "yes")
    assert profile.data["task_tags"] is True
    # A newer version refuses a list without it.
    assert tags.calls.last.request.url.params["entity_type"] == "App\\Models\\Task"


@pytest.mark.parametrize("base_url", [BASE, f"{BASE}/", f"{BASE}/api/v1", f"{BASE}/api/v1/"])
async def test_a_base_url_works_with_and_without_its_end(
    http: httpx.AsyncClient, ninja: respx.MockRouter, base_url: str
) -> None:
    reachable(ninja)
    assert (await InvoiceNinja().probe(access(base_url), http)).label == "Untitled Company"


async def test_a_company_without_a_name_has_a_label(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    reachable(ninja)
    ninja.post("/companies/current").respond(json={"data": {"company_key": "k", "settings": {"currency_id": 99}}})
    profile = await InvoiceNinja().probe(access(), http)
    assert (profile.label, "currency" in profile.facts) == ("Invoice Ninja", False)


@pytest.mark.parametrize(
    ("permissions", "lacks"),
    [
        ("", ["see clients", "make clients", "change clients"]),
        ("view_client,view_invoice", ["make clients", "change clients"]),
        ("view_client,create_client", ["change clients"]),
        ("create_all, edit_all", []),
        ("edit_client,create_client", []),
        ("view_all", ["make clients", "change clients"]),
        ("edit_client_portal", ["see clients", "make clients", "change clients"]),
        (None, ["see clients", "make clients", "change clients"]),
    ],
)
async def test_what_the_tokens_user_may_not_do_is_told(
    http: httpx.AsyncClient, ninja: respx.MockRouter, permissions: str | None, lacks: list[str]
) -> None:
    reachable(ninja)
    ninja.post("/refresh").respond(json=standing(**CLERK, permissions=permissions))
    profile = await InvoiceNinja().probe(access(), http)
    said = [what for what in ("see clients", "make clients", "change clients") if what in " ".join(profile.warnings)]
    assert said == lacks
    assert "is no administrator" in profile.warnings[-1]
    assert (profile.data["is_admin"], profile.facts["user"]) == (False, "user with permissions")
    assert profile.facts["webhooks"] == "to be entered by an administrator"


@pytest.mark.parametrize(("plan", "warned"), [("", True), ("free", True), ("pro", False), ("enterprise", False)])
async def test_a_hosted_account_without_a_paid_plan_is_warned_of(
    http: httpx.AsyncClient, ninja: respx.MockRouter, plan: str, warned: bool
) -> None:
    reachable(ninja)
    ninja.post("/refresh").respond(json=standing(account={"plan": plan, "is_hosted": True}))
    profile = await InvoiceNinja().probe(access(), http)
    assert any("paid plans only" in warning for warning in profile.warnings) is warned
    assert profile.facts["hosting"] == "hosted"
    assert profile.facts["webhooks"] == ("not on this plan" if warned else "allowed")


@pytest.mark.parametrize(
    "refused",
    [
        httpx.Response(403, json={"message": "Pro / Free accounts only the owner can log in. Please upgrade"}),
        httpx.Response(200, json={"data": []}),
        httpx.Response(200, json={"something": "else"}),
        httpx.Response(200, html="<p>the web application</p>"),
        httpx.Response(500, json={"message": "Server Error"}),
        httpx.Response(429, json={"message": "Too many requests"}),
        httpx.Response(200, json=standing(company={"company_key": "another", "settings": {}})),
    ],
)
async def test_rights_that_cannot_be_read_are_left_out_and_the_token_is_good(
    http: httpx.AsyncClient, ninja: respx.MockRouter, refused: httpx.Response
) -> None:
    reachable(ninja)
    ninja.post("/refresh").mock(refused)
    profile = await InvoiceNinja().probe(access(), http)
    assert (list(profile.warnings), "is_admin" in profile.data, "user" in profile.facts) == ([], False, False)


async def test_no_token_is_in_a_profile(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    """/refresh answers with the user's tokens."""
    reachable(ninja)
    ninja.post("/refresh").respond(json=standing(token={"token": "a-whole-token"}))
    assert "a-whole-token" not in repr(await InvoiceNinja().probe(access(), http))


async def test_a_wrong_token_waits_for_a_person(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    ninja.post("/companies/current").mock(answer("errors_invalid_token"))
    with pytest.raises(Reconnect, match="Invalid token"):
        await InvoiceNinja().probe(access(), http)


@pytest.mark.parametrize("secrets", [{}, {"api_token": ""}, {"api_token": " \n"}])
async def test_a_missing_token_is_not_tried(
    http: httpx.AsyncClient, ninja: respx.MockRouter, secrets: dict[str, str]
) -> None:
    with pytest.raises(Reconnect, match="missing"):
        await InvoiceNinja().probe(Access(base_url=BASE, account_id="", secrets=secrets), http)
    assert not ninja.calls


async def test_a_token_pasted_with_a_line_end_works(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    reachable(ninja)
    await InvoiceNinja().probe(access(api_token="t0ken\n", api_secret=" s "), http)
    headers = ninja.calls.last.request.headers
    assert (headers["X-API-TOKEN"], headers["X-API-SECRET"]) == ("t0ken", "s")


async def test_a_user_who_may_not_see_clients_is_forbidden(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    ninja.post("/companies/current").mock(answer("company_current"))
    ninja.get("/statics").mock(answer("statics"))
    ninja.get("/clients").mock(answer("errors_permission_create_client"))
    with pytest.raises(Forbidden):
        await InvoiceNinja().probe(access(), http)


@pytest.mark.parametrize("case", ["errors_route_404", "errors_validation_without_xrw_and_accept"])
async def test_a_page_instead_of_the_api_says_what_to_check(
    http: httpx.AsyncClient, ninja: respx.MockRouter, case: str
) -> None:
    ninja.post("/companies/current").mock(answer(case))
    with pytest.raises(Rejected, match="check the base URL"):
        await InvoiceNinja().probe(access(), http)


@pytest.mark.parametrize("status", [404, 405])
async def test_another_web_server_says_what_to_check(
    http: httpx.AsyncClient, ninja: respx.MockRouter, status: int
) -> None:
    ninja.post("/companies/current").respond(status, html="<h1>nginx</h1>")
    with pytest.raises(Rejected, match="check the base URL"):
        await InvoiceNinja().probe(access(), http)


async def test_json_of_something_else_is_rejected(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    ninja.post("/companies/current").respond(json={"ok": True})
    with pytest.raises(Rejected, match="in a form we do not know"):
        await InvoiceNinja().probe(access(), http)


async def test_a_server_that_is_down_is_tried_later(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    ninja.post("/companies/current").mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(Retry, match="cannot be reached"):
        await InvoiceNinja().probe(access(), http)


async def test_a_probe_whose_answer_is_lost_is_no_lost_write(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    """POST /companies/current only reads."""
    ninja.post("/companies/current").mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(Retry) as failure:
        await InvoiceNinja().probe(access(), http)
    assert type(failure.value) is Retry


def test_it_is_a_provider_and_what_it_opens_is_an_account(http: httpx.AsyncClient) -> None:
    provider: Provider = InvoiceNinja()
    account: Account = provider.open(access(), OpenGate(), http)
    assert account.records("contact", ContactSettings()).fields()
    assert provider.name == "invoice_ninja"
    assert get_type_hints(InvoiceNinja).keys() <= get_type_hints(Provider).keys()


def test_every_capability_that_is_missing_says_why() -> None:
    capabilities = InvoiceNinja.capabilities
    assert capabilities["contact"].support is Support.NATIVE
    assert all(c.reason for c in capabilities.values() if c.support is Support.NONE)


def test_every_slot_field_is_a_field_of_the_contact(http: httpx.AsyncClient) -> None:
    names = InvoiceNinja().open(access(), OpenGate(), http).records("contact", ContactSettings()).fields()
    assert set(InvoiceNinja.slot_fields) <= set(names)
