"""Edges of the generic client: what leaves, and what becomes of odd answers."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from app.errors import AnswerLost, Duplicate, Forbidden, Gone, Rejected, Retry, Unsupported, Wait
from app.providers.http import Wire
from app.providers.invoice_ninja.resources import table
from app.providers.invoice_ninja.resources.emails import bulk_and_email_customer, email_customer
from app.providers.invoice_ninja.resources.payments import NewPayment, pay, refund
from app.providers.invoice_ninja.resources.resource import Resource
from app.providers.invoice_ninja.resources.spec import T
from app.providers.invoice_ninja.resources.statements import statement
from app.providers.invoice_ninja.wire import InvoiceNinjaDialect, api_root
from tests.providers.invoice_ninja.conftest import BASE, OpenGate
from tests.providers.invoice_ninja.recordings import FIXTURES, answer, page

DAY = date(2026, 11, 20)
HTML = httpx.Response(200, headers={"Content-Type": "text/html"}, text="<!DOCTYPE html><html></html>")


@pytest.fixture
def wire(http: httpx.AsyncClient) -> Wire:
    return Wire(http, api_root(BASE), InvoiceNinjaDialect(token="t0ken"), OpenGate())


def row(path: str, **changed: Any) -> dict[str, Any]:
    """The record of the resource that was recorded when it was made, changed."""
    for line in (FIXTURES / "resources.jsonl").read_text().splitlines():
        of, case, recorded = json.loads(line)
        if of == path and case.endswith(("/create", "/create_applied", "/token_create", "status_create")):
            return {**recorded, **changed}
    raise LookupError(path)


def one(record: Mapping[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"data": record})


def sent(route: respx.Route) -> Any:
    return json.loads(route.calls.last.request.content)


async def listed(resource: Resource[T], **query: Any) -> list[str]:
    return [record.id async for record in resource.each(**query)]


# Lists


async def test_pages_are_counted_and_filters_travel_to_each(wire: Wire, ninja: respx.MockRouter) -> None:
    pages = [page(row("products", id=id_), total_pages=2) for id_ in ("a", "b")]
    route = ninja.get("/products").mock(side_effect=[httpx.Response(200, json=each) for each in pages])
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert await listed(Resource(wire, table.PRODUCTS), updated_since=since) == ["a", "b"]
    for number, call in enumerate(route.calls, 1):
        query = dict(call.request.url.params)
        assert query["updated_at"] == str(int(since.timestamp()) - 1)
        assert (query["status"], query["sort"], query["page"]) == ("active,archived", "id|asc", str(number))


async def test_a_page_that_comes_again_is_noticed(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.get("/products").respond(json=page(row("products"), total_pages=3))
    with pytest.raises(Retry, match="same page"):
        await listed(Resource(wire, table.PRODUCTS))


async def test_what_an_ignored_filter_lets_through_is_left_out(wire: Wire, ninja: respx.MockRouter) -> None:
    old, deleted = row("products", id="old", updated_at=5), row("products", id="deleted", is_deleted=True)
    ninja.get("/products").respond(json=page(old, deleted, row("products", id="new")))
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert await listed(Resource(wire, table.PRODUCTS), updated_since=since) == ["new"]


async def test_only_what_is_exactly_equal_is_found(wire: Wire, ninja: respx.MockRouter) -> None:
    near = [row("invoices", id=po, po_number=po) for po in ("PO-1", "PO-11", "po-1")]
    route = ninja.get("/invoices").respond(json=page(*near))
    found = await Resource(wire, table.INVOICES).find("po_number", "PO-1")
    assert [each.id for each in found] == ["PO-1"]
    assert route.calls.last.request.url.params["filter"] == "PO-1"


async def test_nothing_is_asked_with_an_empty_filter_or_one_that_is_not_known(wire: Wire) -> None:
    invoices = Resource(wire, table.INVOICES)
    assert await invoices.find("number", "") == []
    with pytest.raises(Unsupported):
        await invoices.find("footer", "x")


@pytest.mark.parametrize("id_", ["", "..", "a/b", "a?b"])
async def test_nothing_but_an_id_becomes_part_of_the_url(wire: Wire, id_: str) -> None:
    with pytest.raises(Gone):
        await Resource(wire, table.CLIENTS).get(id_)


async def test_another_record_than_the_one_asked_for_is_refused(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.get("/products/a").mock(one(row("products", id="b")))
    with pytest.raises(Rejected, match="another one"):
        await Resource(wire, table.PRODUCTS).get("a")


async def test_an_amount_is_read_from_the_text_of_the_answer(wire: Wire, ninja: respx.MockRouter) -> None:
    text = json.dumps({"data": row("products", id="a")})
    text = text.replace('"price": 100.5', '"price": 12345678901234567.89')
    ninja.get("/products/a").mock(httpx.Response(200, headers={"Content-Type": "application/json"}, text=text))
    assert (await Resource(wire, table.PRODUCTS).get("a")).price == Decimal("12345678901234567.89")


# Writes


@pytest.mark.parametrize("missing", ["client_id", "date", "is_amount_discount"])
async def test_an_invoice_must_say_what_the_product_would_guess(wire: Wire, missing: str) -> None:
    values = {"client_id": "c", "date": DAY, "is_amount_discount": False}
    del values[missing]
    with pytest.raises(Rejected, match=missing):
        await Resource(wire, table.INVOICES).create(values)


@pytest.mark.parametrize(
    "flag", ["send_email", "mark_sent", "paid", "cancel", "email_receipt", "auto_bill", "amount_paid", "send_now"]
)
@pytest.mark.parametrize("value", [True, "true"])
async def test_saving_does_nothing_but_save(wire: Wire, flag: str, value: Any) -> None:
    values = {"client_id": "c", "date": DAY, "is_amount_discount": False, flag: value}
    with pytest.raises(Unsupported):
        await Resource(wire, table.INVOICES).create(values)


async def test_a_create_whose_answer_was_lost_is_looked_up_by_number(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.post("/invoices").respond(500, json={"message": "Server Error"})
    ninja.get("/invoices").respond(json=page(row("invoices", id="ours", number="N-1", client_id="c")))
    values = {"client_id": "c", "date": DAY, "is_amount_discount": False, "number": "N-1"}
    assert (await Resource(wire, table.INVOICES).create(values)).id == "ours"


@pytest.mark.parametrize("found", [{"number": "N-11", "client_id": "c"}, {"number": "N-1", "client_id": "other"}])
async def test_what_is_found_by_number_must_be_ours(wire: Wire, ninja: respx.MockRouter, found: dict[str, str]) -> None:
    ninja.post("/invoices").respond(500, json={"message": "Server Error"})
    ninja.get("/invoices").respond(json=page(row("invoices", **found)))
    values = {"client_id": "c", "date": DAY, "is_amount_discount": False, "number": "N-1"}
    with pytest.raises(AnswerLost):
        await Resource(wire, table.INVOICES).create(values)


@pytest.mark.parametrize(("status", "errors"), [(422, {"number": ["The number has already been taken."]}), (409, {})])
async def test_a_taken_number_says_whose_it_is(
    wire: Wire, ninja: respx.MockRouter, status: int, errors: dict[str, Any]
) -> None:
    ninja.post("/projects").respond(status, json={"message": "", "errors": errors})
    ninja.get("/projects").respond(json=page(row("projects", id="theirs", number="7")))
    with pytest.raises(Duplicate) as refused:
        await Resource(wire, table.PROJECTS).create({"client_id": "c", "name": "n", "number": "7"})
    assert refused.value.existing == "theirs"


async def test_an_update_of_a_client_sends_its_settings_and_everybodys_id_back(
    wire: Wire, ninja: respx.MockRouter
) -> None:
    client = row("clients")
    jane, bob = client["contacts"]
    ninja.get(f"/clients/{client['id']}").mock(one(client))
    route = ninja.put(f"/clients/{client['id']}").mock(one(client))
    changes = {
        "settings": {"payment_terms": "14"},
        "contacts": [{"id": bob["id"], "phone": "1"}, {"email": "n@x.example"}],
    }
    await Resource(wire, table.CLIENTS).update(client["id"], changes)
    assert sent(route) == {
        "settings": {**client["settings"], "payment_terms": "14"},
        "contacts": [
            {"id": jane["id"], "is_primary": True, "send_email": True},
            {"id": bob["id"], "is_primary": False, "send_email": False, "phone": "1"},
            {"email": "n@x.example"},
        ],
    }


async def test_a_contact_goes_only_by_name_and_the_last_one_never(wire: Wire, ninja: respx.MockRouter) -> None:
    client = row("clients")
    jane, bob = (contact["id"] for contact in client["contacts"])
    ninja.get(f"/clients/{client['id']}").mock(one(client))
    route = ninja.put(f"/clients/{client['id']}").mock(one(client))
    clients = Resource(wire, table.CLIENTS)
    await clients.update(client["id"], {}, dropped=[bob])
    assert [contact["id"] for contact in sent(route)["contacts"]] == [jane]
    with pytest.raises(Rejected, match="last contact"):
        await clients.update(client["id"], {"contacts": []}, dropped=[bob, jane])


@pytest.mark.parametrize("changes", [{"contacts": [{"id": "stranger"}]}, {"contacts": []}])
async def test_an_id_of_another_clients_contact_never_travels(
    wire: Wire, ninja: respx.MockRouter, changes: dict[str, Any]
) -> None:
    client = row("clients")
    ninja.get(f"/clients/{client['id']}").mock(one(client))
    with pytest.raises(Rejected, match="stranger"):
        await Resource(wire, table.CLIENTS).update(client["id"], changes, dropped=["stranger"])


async def test_an_update_of_a_task_sends_its_time_and_number_back(wire: Wire, ninja: respx.MockRouter) -> None:
    task = row("tasks")
    ninja.get(f"/tasks/{task['id']}").mock(one(task))
    route = ninja.put(f"/tasks/{task['id']}").mock(one(task))
    await Resource(wire, table.TASKS).update(task["id"], {"description": "x"})
    assert sent(route) == {"description": "x", "time_log": task["time_log"], "number": task["number"]}


async def test_an_update_of_a_bill_says_its_date_and_what_its_discount_is(wire: Wire, ninja: respx.MockRouter) -> None:
    quote = row("quotes")
    ninja.get(f"/quotes/{quote['id']}").mock(one(quote))
    route = ninja.put(f"/quotes/{quote['id']}").mock(one(quote))
    await Resource(wire, table.QUOTES).update(quote["id"], {"discount": Decimal("2.50")})
    assert sent(route) == {"discount": 2.5, "date": quote["date"], "is_amount_discount": quote["is_amount_discount"]}


async def test_a_number_is_never_taken_away(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.get("/clients/a").mock(one(row("clients", id="a")))
    with pytest.raises(Rejected, match="counted anew"):
        await Resource(wire, table.CLIENTS).update("a", {"number": None})


async def test_an_update_of_a_webhook_says_its_address_and_event_again(wire: Wire, ninja: respx.MockRouter) -> None:
    hook = row("webhooks")
    ninja.get(f"/webhooks/{hook['id']}").mock(one(hook))
    route = ninja.put(f"/webhooks/{hook['id']}").mock(one(hook))
    await Resource(wire, table.WEBHOOKS).update(hook["id"], {"rest_method": "put"})
    assert sent(route) == {"rest_method": "put", "target_url": hook["target_url"], "event_id": hook["event_id"]}


async def test_a_deletion_that_did_nothing_is_noticed(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.delete("/products/a").mock(one(row("products", id="a")))
    with pytest.raises(Forbidden):
        await Resource(wire, table.PRODUCTS).delete("a")


# Actions


async def test_a_bulk_action_that_did_nothing_is_noticed(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.post("/clients/bulk").mock(answer("errors_permission_bulk_client"))
    client_id = row_id("errors_permission_bulk_client")
    result = await Resource(wire, table.CLIENTS).bulk("archive", [client_id, "gone"])
    assert (result.done, [each.id for each in result.undone], result.missing) == ([], [client_id], ["gone"])
    with pytest.raises(Gone):
        result.demand_all()
    with pytest.raises(Forbidden):
        (await Resource(wire, table.CLIENTS).bulk("archive", [client_id])).demand_all()


def row_id(case: str) -> str:
    id_: str = answer(case).json()["data"][0]["id"]
    return id_


async def test_the_answer_of_a_bulk_action_is_asked_for_whole(wire: Wire, ninja: respx.MockRouter) -> None:
    ids = [f"p{n}" for n in range(30)]
    rows = [row("products", id=id_, archived_at=1) for id_ in ids]
    route = ninja.post("/products/bulk").respond(json=page(*rows))
    assert len((await Resource(wire, table.PRODUCTS).bulk("archive", ids)).demand_all()) == 30
    assert route.calls.last.request.url.params["per_page"] == "30"


async def test_a_word_that_the_product_does_not_know_is_not_sent(wire: Wire) -> None:
    with pytest.raises(Unsupported):
        await Resource(wire, table.INVOICES).bulk("explode", ["a"])


async def test_the_same_action_within_a_second_waits(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.post("/invoices/bulk").respond(400, json={"message": "Duplicate request"})
    with pytest.raises(Wait) as waiting:
        await Resource(wire, table.INVOICES).bulk("mark_sent", ["a"])
    assert waiting.value.seconds == 1


async def test_an_unknown_id_in_a_bulk_action_is_gone(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.post("/clients/bulk").mock(answer("clients_bulk_bad_id"))
    with pytest.raises(Gone):
        await Resource(wire, table.CLIENTS).bulk("archive", ["notahash"])


EMAILING = [(spec, action) for spec in table.ALL for action in spec.emailing]


@pytest.mark.parametrize(("spec", "action"), EMAILING, ids=[f"{spec.path}-{action}" for spec, action in EMAILING])
async def test_nothing_is_e_mailed_in_passing(wire: Wire, spec: Any, action: str) -> None:
    with pytest.raises(Unsupported, match="write to the customer"):
        await Resource(wire, spec).bulk(action, ["a"])
    with pytest.raises(Rejected, match="nobody asked"):
        await bulk_and_email_customer(Resource(wire, spec), action, ["a"], emails_customer=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("spec", table.ALL, ids=[spec.path for spec in table.ALL])
def test_no_word_for_an_e_mail_is_among_the_quiet_actions(spec: Any) -> None:
    loud = {"email", "send_email", "mark_paid", "send_now", "start", "auto_bill", "template", "bulk_download"}
    assert not loud & spec.actions.keys()


async def test_an_e_mail_leaves_only_when_it_is_meant(wire: Wire, ninja: respx.MockRouter) -> None:
    route = ninja.post("/emails").mock(one(row("invoices")))
    invoices = Resource(wire, table.INVOICES)
    with pytest.raises(Rejected, match="nobody asked"):
        await email_customer(invoices, "a", emails_customer=1)  # type: ignore[arg-type]
    await email_customer(invoices, "a", subject="s", emails_customer=True)
    assert sent(route) == {
        "entity": "invoice",
        "entity_id": "a",
        "template": "email_template_invoice",
        "subject": "s",
    }
    assert route.call_count == 1
    with pytest.raises(Unsupported):
        await email_customer(Resource(wire, table.PRODUCTS), "a", emails_customer=True)


# Payments

PAYMENT = NewPayment(
    client_id="c", amount=Decimal("19.99"), date=DAY, reference="ref-1", key="key-1", invoices={"i": Decimal("9.99")}
)


async def test_a_payment_says_its_key_and_keeps_silent(wire: Wire, ninja: respx.MockRouter) -> None:
    route = ninja.post("/payments").mock(one(row("payments")))
    await pay(Resource(wire, table.PAYMENTS), PAYMENT)
    assert route.calls.last.request.url.params["email_receipt"] == "false"
    assert sent(route) == {
        "client_id": "c",
        "amount": 19.99,
        "date": "2026-11-20",
        "transaction_reference": "ref-1",
        "idempotency_key": "key-1",
        "invoices": [{"invoice_id": "i", "amount": 9.99}],
    }


TAKEN = {"message": "", "errors": {"idempotency_key": ["The idempotency key has already been taken."]}}


@pytest.mark.parametrize(("status", "said"), [(422, TAKEN), (500, {"message": "Server Error"})])
async def test_a_payment_that_was_made_before_is_found(
    wire: Wire, ninja: respx.MockRouter, status: int, said: dict[str, Any]
) -> None:
    ninja.post("/payments").respond(status, json=said)
    ours = {"transaction_reference": "ref-1", "client_id": "c", "amount": 19.99}
    near = [{**ours, "transaction_reference": "ref-11"}, {**ours, "client_id": "d"}, {**ours, "amount": 20}]
    rows = [row("payments", id=f"near{n}", **each) for n, each in enumerate(near)]
    ninja.get("/payments").respond(json=page(*rows, row("payments", id="ours", **ours)))
    assert (await pay(Resource(wire, table.PAYMENTS), PAYMENT)).id == "ours"


async def test_a_payment_that_cannot_be_found_again_stays_lost(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.post("/payments").respond(500, json={"message": "Server Error"})
    ninja.get("/payments").respond(json=page())
    with pytest.raises(AnswerLost):
        await pay(Resource(wire, table.PAYMENTS), PAYMENT)


@pytest.mark.parametrize("wrong", [{"reference": ""}, {"key": ""}, {"key": "k" * 65}])
def test_a_payment_can_always_be_found_again(wrong: dict[str, str]) -> None:
    given: dict[str, Any] = {"client_id": "c", "amount": Decimal(1), "date": DAY, "reference": "r", "key": "k"}
    with pytest.raises(ValueError, match="reference"):
        NewPayment(**(given | wrong))


async def test_a_refund_whose_answer_was_lost_is_compared(wire: Wire, ninja: respx.MockRouter) -> None:
    before, after = (one(row("payments", id="p", refunded=amount)) for amount in (1, 4.5))
    get = ninja.get("/payments/p").mock(side_effect=[before, after, after, before, before])
    route = ninja.post("/payments/refund").respond(502, text="")
    payments = Resource(wire, table.PAYMENTS)
    assert (await refund(payments, "p", DAY, {"i": Decimal("3.5")})).refunded == Decimal("4.5")
    assert (sent(route)["send_email"], sent(route)["gateway_refund"]) == (False, False)
    with pytest.raises(AnswerLost):
        await refund(payments, "p", DAY, {"i": Decimal("3.5")})
    assert (get.call_count, route.call_count) == (5, 2)


async def test_a_refund_that_did_nothing_is_noticed(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.get("/payments/p").mock(one(row("payments", id="p", refunded=0)))
    ninja.post("/payments/refund").mock(one(row("payments", id="p")))
    with pytest.raises(Rejected, match="counts 0"):
        await refund(Resource(wire, table.PAYMENTS), "p", DAY, {"i": Decimal(3)})


# Versions, files


@pytest.mark.parametrize("spec", [table.LOCATIONS, table.TAGS], ids=["locations", "tags"])
@pytest.mark.parametrize("refusal", [HTML, answer("errors_route_404_post")], ids=["html", "404"])
async def test_what_this_version_has_not_is_unsupported(
    wire: Wire, ninja: respx.MockRouter, spec: Any, refusal: httpx.Response
) -> None:
    ninja.get(f"/{spec.path}").mock(refusal)
    ninja.get("/ping").respond(json={"company_name": "x"})
    with pytest.raises(Unsupported, match=f"since {spec.since}"):
        await listed(Resource(wire, spec))


async def test_a_wrong_address_is_not_taken_for_an_old_version(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.get("/locations").mock(HTML)
    ninja.get("/ping").mock(HTML)
    with pytest.raises(Rejected, match="base URL"):
        await listed(Resource(wire, table.LOCATIONS))


async def test_a_location_of_a_newer_version_is_read(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.get("/locations").respond(json=page({"id": "l", "client_id": "c", "city": "Bern", "tax_data": {}}))
    assert await listed(Resource(wire, table.LOCATIONS)) == ["l"]


async def test_a_file_that_was_not_kept_is_noticed(wire: Wire, ninja: respx.MockRouter) -> None:
    client = row("clients", id="a")
    ninja.get("/clients/a").mock(one(client))
    route = ninja.post("/clients/a/upload").mock(one(client))
    with pytest.raises(Rejected, match="keeps no new file"):
        await Resource(wire, table.CLIENTS).upload("a", "a.txt", b"x", "text/plain", customer_may_see=False)
    form = route.calls.last.request.content
    assert b'name="documents[]"; filename="a.txt"' in form
    assert b'name="is_public"\r\n\r\n0' in form
    with pytest.raises(Unsupported):
        await Resource(wire, table.TOKENS).upload("a", "a", b"", "text/plain", customer_may_see=False)


async def test_a_statement_that_is_no_pdf_is_refused(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.post("/client_statement").respond(json={"message": "email queued"})
    with pytest.raises(Rejected, match="application/pdf"):
        await statement(wire, "c", DAY, DAY)


def test_the_password_is_sent_only_where_it_is_given_and_never_shown() -> None:
    dialect = InvoiceNinjaDialect(token="t", password="pa55")
    assert dialect.headers()["X-API-PASSWORD"] == "pa55"
    assert "pa55" not in repr(dialect)
    assert "X-API-PASSWORD" not in InvoiceNinjaDialect(token="t").headers()
