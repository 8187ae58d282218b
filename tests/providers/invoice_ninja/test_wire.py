from typing import Any

import httpx
import pytest
import respx

from app.errors import AnswerLost, CrossledgerError, Forbidden, Gone, Reconnect, Rejected, Retry
from app.providers.http import Wire
from app.providers.invoice_ninja.wire import (
    Client,
    ClientAnswer,
    ClientPage,
    InvoiceNinjaDialect,
    Statics,
    api_root,
    parse,
)
from tests.providers.invoice_ninja.conftest import BASE, OpenGate
from tests.providers.invoice_ninja.recordings import answer, body, client


@pytest.fixture
def wire(http: httpx.AsyncClient) -> Wire:
    return Wire(http, api_root(BASE), InvoiceNinjaDialect(token="t0ken"), OpenGate())


def refused(case: str) -> CrossledgerError:
    recorded = answer(case)
    return InvoiceNinjaDialect(token="t0ken").refusal(recorded.status_code, recorded.json())


async def test_a_call_carries_the_token_and_asks_for_json_twice(wire: Wire, ninja: respx.MockRouter) -> None:
    route = ninja.get("/clients").mock(answer("clients_list_by_email"))
    await wire.get("/clients")
    sent = route.calls.last.request.headers
    assert sent["X-API-TOKEN"] == "t0ken"
    assert sent["Accept"] == "application/json"
    assert sent["X-Requested-With"] == "XMLHttpRequest"
    assert sent["User-Agent"].startswith("Crossledger/")
    assert "X-API-SECRET" not in sent


def test_the_secret_of_a_self_hosted_server_travels_where_there_is_one() -> None:
    assert InvoiceNinjaDialect(token="t", secret="s").headers()["X-API-SECRET"] == "s"


def test_neither_the_token_nor_the_secret_is_in_the_dialects_repr() -> None:
    shown = repr(InvoiceNinjaDialect(token="t0ken", secret="s3cret"))
    assert "t0ken" not in shown
    assert "s3cret" not in shown


@pytest.mark.parametrize("case", ["errors_invalid_token", "errors_no_token"])
def test_403_is_a_bad_token_and_waits_for_a_person(case: str) -> None:
    failure = refused(case)
    assert isinstance(failure, Reconnect)
    assert "Invalid token" in failure.reason


def test_401_is_a_missing_permission_and_no_reason_to_reconnect() -> None:
    failure = refused("errors_permission_create_client")
    assert isinstance(failure, Forbidden)
    assert failure.status == 401
    assert "This action is unauthorized." in failure.reason


def test_an_unknown_record_is_gone_although_the_status_is_400() -> None:
    assert isinstance(refused("errors_entity_not_found"), Gone)


def test_a_numeric_id_that_is_unknown_is_gone_as_well() -> None:
    failure = InvoiceNinjaDialect(token="t").refusal(400, {"message": "Record with value 1 not found"})
    assert isinstance(failure, Gone)


def test_a_deleted_record_cannot_be_edited_and_says_what_to_do() -> None:
    failure = refused("clients_update_deleted")
    assert isinstance(failure, Gone)
    assert "restored" in failure.reason


def test_a_duplicate_guard_is_tried_again_a_second_later() -> None:
    failure = refused("invoices_duplicate_request")
    assert isinstance(failure, Retry)
    assert not isinstance(failure, AnswerLost)
    assert failure.after == 1


def test_a_refusal_that_is_a_bare_string_is_understood() -> None:
    failure = refused("webhooks_unknown_event")
    assert isinstance(failure, Rejected)
    assert "Invalid event" in failure.reason


def test_a_validation_error_names_the_vendors_fields() -> None:
    failure = refused("clients_error_invalid_email")
    assert isinstance(failure, Rejected)
    assert failure.status == 422
    assert failure.fields == {"contacts.0.email": "The contacts.0.email must be a valid email address."}
    assert "must be a valid email address" in failure.reason


def test_a_complaint_may_be_a_sentence_instead_of_a_list() -> None:
    failure = refused("invoices_error_update_locked")
    assert isinstance(failure, Rejected)
    assert failure.fields == {"number": "This invoice is locked and unable to be modified"}
    assert "locked" in failure.reason


@pytest.mark.parametrize("errors", [None, [], "no", {"name": None}, {"name": []}, {}])
def test_no_shape_of_complaints_breaks_the_refusal(errors: Any) -> None:
    failure = InvoiceNinjaDialect(token="t").refusal(422, {"message": "Invalid.", "errors": errors})
    assert isinstance(failure, Rejected)
    assert str(failure)


def test_a_wanted_password_is_said_so() -> None:
    failure = refused("clients_purge_no_password")
    assert isinstance(failure, Rejected)
    assert "password" in failure.reason
    assert failure.status == 412


def test_a_route_that_this_version_does_not_have_is_said_so() -> None:
    dialect, recorded = InvoiceNinjaDialect(token="t"), answer("errors_route_404_post")
    dialect.pause(recorded.status_code, recorded.headers)
    failure = dialect.refusal(recorded.status_code, recorded.json())
    assert isinstance(failure, Rejected)
    assert "not supported by this version of Invoice Ninja (5.10.42)" in failure.reason


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 422])
def test_a_4xx_page_comes_from_something_else_than_the_api(status: int) -> None:
    """A 403 page of a firewall must not switch the connection off as if the token were bad."""
    failure = InvoiceNinjaDialect(token="t").refusal(status, None)
    assert type(failure) is Rejected
    assert "check the base URL" in failure.reason


@pytest.mark.parametrize("said", [[], "", 7, {"message": None}, {"message": ["x"]}, {}])
def test_a_refusal_without_words_is_still_named(said: Any) -> None:
    for status in (400, 401, 403, 404, 412, 418, 422):
        assert str(InvoiceNinjaDialect(token="t").refusal(status, said))


async def test_the_web_app_instead_of_json_is_rejected(wire: Wire, ninja: respx.MockRouter) -> None:
    """An unknown GET path under /api/v1 is 200 text/html."""
    ninja.get("/nope").mock(answer("errors_route_404"))
    with pytest.raises(Rejected, match="check the base URL"):
        await wire.get("/nope")


async def test_a_redirect_is_not_followed_with_the_token(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.post("/clients").mock(answer("errors_validation_without_xrw_and_accept"))
    with pytest.raises(Rejected, match="302"):
        await wire.write("POST", "/clients", {})
    assert ninja.calls.call_count == 1


async def test_issue_invoiceninja_8264_too_many_requests_closes_the_gate_for_a_minute(
    http: httpx.AsyncClient, ninja: respx.MockRouter
) -> None:
    """Its limits are per minute, and its 429 carries no Retry-After: section 7."""
    gate = OpenGate()
    ninja.get("/clients").mock(answer("errors_throttled_route_call5"))
    wire = Wire(http, api_root(BASE), InvoiceNinjaDialect(token="t0ken"), gate)
    with pytest.raises(Retry):
        await wire.get("/clients")
    assert gate.closed_for == [60]


def test_a_proxy_that_says_how_long_is_believed() -> None:
    dialect = InvoiceNinjaDialect(token="t")
    assert dialect.pause(429, {"retry-after": "7"}) == 7
    assert dialect.pause(503, {"retry-after": "300"}) == 300


@pytest.mark.parametrize("status", [200, 400, 403, 422, 500, 503])
def test_other_answers_close_nothing(status: int) -> None:
    assert InvoiceNinjaDialect(token="t").pause(status, {}) is None


async def test_maintenance_is_tried_later(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.get("/clients").mock(answer("errors_maintenance_503"))
    with pytest.raises(Retry, match="Service Unavailable"):
        await wire.get("/clients")


async def test_a_500_to_a_write_may_have_been_done(wire: Wire, ninja: respx.MockRouter) -> None:
    """Losers of a race for a number get 500, and POST /users without a User-Agent 500 after the user was made."""
    ninja.post("/clients").respond(500, json={"message": "Server Error"})
    with pytest.raises(AnswerLost):
        await wire.write("POST", "/clients", {})


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("https://ninja.example", "https://ninja.example/api/v1"),
        ("https://ninja.example/", "https://ninja.example/api/v1"),
        ("  https://ninja.example/api/v1  ", "https://ninja.example/api/v1"),
        ("https://ninja.example/api/v1/", "https://ninja.example/api/v1"),
        ("https://ninja.example/api/v1/clients?page=2", "https://ninja.example/api/v1"),
        ("https://ninja.example/#/dashboard", "https://ninja.example/api/v1"),
        ("https://example.com/ninja/", "https://example.com/ninja/api/v1"),
        ("https://example.com/ninja/api/v1", "https://example.com/ninja/api/v1"),
        ("http://127.0.0.1:8490", "http://127.0.0.1:8490/api/v1"),
        ("https://user:word@ninja.example", "https://ninja.example/api/v1"),
    ],
)
def test_a_base_url_works_in_every_form_a_person_pastes(given: str, root: str) -> None:
    assert api_root(given) == root


@pytest.mark.parametrize(
    "given", ["", "ninja.example", "ftp://ninja.example", "https://", "https://[", "https://x:y", "/api/v1"]
)
def test_a_base_url_without_a_server_is_rejected_with_what_to_write(given: str) -> None:
    with pytest.raises(Rejected, match="base URL"):
        api_root(given)


def test_a_client_is_kept_whole_with_words_we_do_not_know() -> None:
    recorded = {**client(), "a_word_of_next_year": {"x": [1, None]}}
    recorded["contacts"][1]["nickname"] = "Bobby"
    assert Client.model_validate(recorded).model_dump() == recorded


def test_an_empty_object_that_php_writes_as_a_list_is_an_empty_object() -> None:
    assert Client.model_validate({**client(), "settings": []}).settings == {}


@pytest.mark.parametrize("word", ["id", "settings", "contacts"])
def test_a_client_that_could_not_be_updated_safely_is_refused(word: str) -> None:
    """Without settings the currency would be reset, without contacts they would be replaced: section 3."""
    partial = client()
    del partial[word]
    with pytest.raises(Rejected, match=rf"data\.{word}"):
        parse(ClientAnswer, {"data": partial})


def test_a_contact_without_an_id_is_refused() -> None:
    odd = client()
    odd["contacts"][1]["id"] = ""
    with pytest.raises(Rejected, match=r"contacts\.1\.id"):
        parse(ClientAnswer, {"data": odd})


def test_an_answer_in_an_unknown_form_is_named_without_its_values() -> None:
    with pytest.raises(Rejected) as failure:
        parse(ClientPage, {"data": [{**client(), "archived_at": "private-value"}]})
    assert "private-value" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_issue_invoiceninja_2272_the_fixed_tables_are_read_by_id() -> None:
    statics = parse(Statics, body("statics"))
    assert {c.id: c.iso_3166_2 for c in statics.countries}["826"] == "GB"
    assert {c.id: c.code for c in statics.currencies}["1"] == "USD"
