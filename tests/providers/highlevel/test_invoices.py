"""What leaves for HighLevel where money is concerned, and what becomes of its answers."""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import respx

from app.errors import Conflict, Gone, Rejected, Retry, Several
from app.providers.base import KeyKind, MatchKey
from app.providers.client import make_client
from app.providers.highlevel.documents import day
from app.providers.highlevel.invoices import Invoices
from app.providers.highlevel.payments import Payments
from app.providers.highlevel.wire import BASE_URL, HighLevelDialect
from app.providers.http import Wire
from app.sync.canonical import text_of
from app.sync.documents import Document, DocumentKind, Line, Status, Tax
from app.sync.money import Money
from tests.providers.highlevel.recorded import CONTACT, LOCATION, TOKEN, CountingGate, check_documented, sent

INVOICE = "64f1a2b3c4d5e6f708192a3b"
PAID = "64f1a2b3c4d5e6f708192a3c"
WHERE = {"altId": LOCATION, "altType": "location"}
ZONE = {"timezone": "Pacific/Auckland"}
PERSON = {"id": CONTACT, "firstName": "Mira", "lastName": "Andersen", "email": "mira@northquay.example"}
PHONE = "+4532101234"
ITEM = {"name": "Work", "description": "In May", "currency": "EUR", "amount": 49.99, "qty": 3}
VAT = Tax("VAT", Decimal(20))


def raw(**changed: Any) -> dict[str, Any]:
    return {
        **WHERE,
        "_id": INVOICE,
        "status": "draft",
        "liveMode": True,
        "name": "Invoice 7",
        "invoiceNumber": "7",
        "currency": "EUR",
        "contactDetails": {"id": CONTACT},
        "issueDate": "2026-11-20",
        "dueDate": "2026-12-20",
        "invoiceItems": [ITEM],
        "discount": {"type": "fixed", "value": 0},
        "total": 149.97,
        "amountPaid": 0,
        "createdAt": "2026-11-20T10:00:00.000Z",
        "updatedAt": "2026-11-20T10:00:00.000Z",
        **changed,
    }


def transaction(**changed: Any) -> dict[str, Any]:
    return {
        "_id": PAID,
        "entityId": INVOICE,
        "invoiceId": INVOICE,
        "amount": 50,
        "currency": "EUR",
        "status": "succeeded",
        "liveMode": True,
        "fulfilledAt": "2026-11-20T23:30:00.000Z",
        "createdAt": "2026-11-20T23:30:00.000Z",
        **changed,
    }


def document(price: str = "49.99", *taxes: Tax) -> str:
    line = Line(label="Work", note="In May", quantity=Decimal(3), price=Decimal(price), currency="EUR", taxes=taxes)
    return text_of(
        Document(
            kind=DocumentKind.INVOICE,
            number="",
            currency="EUR",
            issued=date(2026, 11, 20),
            due=None,
            lines=(line,),
            paid=Money.zero("EUR"),
            status=Status.SENT,
        )
    )


@pytest.fixture
def highlevel() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=BASE_URL) as router:
        yield router
        for call in router.calls:
            check_documented(call.request)
            assert not call.request.url.path.endswith("/send")


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with make_client() as client:
        yield Wire(client, BASE_URL, HighLevelDialect(TOKEN), CountingGate())


@pytest.fixture
def invoices(wire: Wire) -> Invoices:
    return Invoices(wire, LOCATION, ZONE)


@pytest.fixture
def payments(wire: Wire) -> Payments:
    return Payments(wire, LOCATION, ZONE)


def ok(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


async def test_an_invoice_is_read_with_dates_as_dates_and_money_as_it_is(
    invoices: Invoices, highlevel: respx.MockRouter
) -> None:
    highlevel.get(f"/invoices/{INVOICE}").mock(return_value=ok(raw(issueDate="2026-11-20T23:30:00.000Z")))
    record = await invoices.fetch(INVOICE)
    assert (record.parent, record.values["issued"], record.values["due"]) == (CONTACT, "2026-11-21", "2026-12-20")
    assert (record.values["number"], record.values["total"]) == ("7", "149.97 EUR")
    assert (record.values["status"], record.values["void"], record.aside) == ("draft", "", "")


async def test_a_new_draft_says_what_is_documented_and_is_not_sent(
    invoices: Invoices, highlevel: respx.MockRouter
) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=ok({"contact": {**PERSON, "phone": PHONE}}))
    made = highlevel.post("/invoices/").mock(return_value=ok(raw(total=179.96)))
    highlevel.get(f"/invoices/{INVOICE}").mock(return_value=ok(raw(total=179.96)))
    values = {"number": "7", "issued": "2026-11-20", "due": "2026-12-20", "document": document("49.99", VAT)}
    await invoices.create(values, parent=CONTACT)
    body = sent(made.calls.last.request)
    (item,) = body["items"]
    assert (item["amount"], item["qty"], item["taxes"][0]["rate"], item["taxInclusive"]) == (49.99, 3, 20, False)
    assert (body["currency"], body["issueDate"], body["dueDate"]) == ("EUR", "2026-11-20", "2026-12-20")
    assert (body["invoiceNumber"], body["contactDetails"]["phoneNo"]) == ("7", PHONE)


async def test_a_draft_that_comes_to_another_sum_is_deleted_again(
    invoices: Invoices, highlevel: respx.MockRouter
) -> None:
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=ok({"contact": {**PERSON, "phone": PHONE}}))
    highlevel.post("/invoices/").mock(return_value=ok(raw(total=149.98)))
    gone = highlevel.delete(f"/invoices/{INVOICE}").mock(return_value=ok(raw()))
    with pytest.raises(Conflict, match=r"149\.98 EUR of what comes to 149\.97 EUR"):
        await invoices.create({"issued": "2026-11-20", "document": document()}, parent=CONTACT)
    assert gone.called


async def test_an_edit_that_comes_to_another_sum_is_put_back(invoices: Invoices, highlevel: respx.MockRouter) -> None:
    highlevel.get(f"/invoices/{INVOICE}").mock(return_value=ok(raw()))
    put = highlevel.put(f"/invoices/{INVOICE}").mock(side_effect=[ok(raw(total=150.01)), ok(raw())])
    current = await invoices.fetch(INVOICE)
    with pytest.raises(Conflict, match=r"150\.01 EUR of what comes to 150\.00 EUR"):
        await invoices.update(current, {"document": document("50")})
    bodies = [sent(call.request)["invoiceItems"][0]["amount"] for call in put.calls]
    assert bodies == [50, 49.99]


async def test_issue_highlevel_api_docs_16_a_contact_without_a_phone_has_no_invoice(
    invoices: Invoices, highlevel: respx.MockRouter
) -> None:
    """highlevel-api-docs#16"""
    highlevel.get(f"/contacts/{CONTACT}").mock(return_value=ok({"contact": PERSON}))
    with pytest.raises(Rejected, match="a contact with no phone"):
        await invoices.create({"issued": "2026-11-20", "document": document()}, parent=CONTACT)


@pytest.mark.parametrize("id_", ["", "../contacts", "a/b/c", "a b"])
async def test_what_is_no_id_is_never_asked_for(invoices: Invoices, payments: Payments, id_: str) -> None:
    for records in (invoices, payments):
        with pytest.raises(Gone):
            await records.fetch(id_)


async def test_an_invoice_of_test_mode_takes_no_part(invoices: Invoices, highlevel: respx.MockRouter) -> None:
    highlevel.get(f"/invoices/{INVOICE}").mock(return_value=ok(raw(liveMode=False)))
    assert "test mode" in (await invoices.fetch(INVOICE)).aside


async def test_the_payments_of_an_invoice_are_records_of_their_own(
    payments: Payments, highlevel: respx.MockRouter
) -> None:
    other = transaction(_id="64f1a2b3c4d5e6f708192a3d", entityId="64f1a2b3c4d5e6f708192aff")
    highlevel.get("/payments/transactions").mock(return_value=ok({"data": [transaction(), other]}))
    with pytest.raises(Several) as found:
        await payments.fetch(f"{INVOICE}/")
    assert found.value.ids == (f"{INVOICE}/{PAID}",)


async def test_a_payment_that_did_not_succeed_takes_no_part(payments: Payments, highlevel: respx.MockRouter) -> None:
    highlevel.get("/payments/transactions").mock(return_value=ok({"data": [transaction(status="failed")]}))
    record = await payments.fetch(f"{INVOICE}/{PAID}")
    assert (record.values["amount"], record.values["paid_on"]) == ("50.00 EUR", "2026-11-21")
    assert record.aside == "The payment is failed."


async def test_a_payment_that_the_list_does_not_show_yet_is_not_taken_for_gone(
    payments: Payments, highlevel: respx.MockRouter
) -> None:
    highlevel.get("/payments/transactions").mock(return_value=ok({"data": []}))
    single = highlevel.get(f"/payments/transactions/{PAID}").mock(return_value=ok(transaction()))
    assert (await payments.fetch(f"{INVOICE}/{PAID}")).values["amount"] == "50.00 EUR"
    single.mock(return_value=ok(transaction(entityId="x", invoiceId="x")))
    with pytest.raises(Gone):
        await payments.fetch(f"{INVOICE}/{PAID}")


async def test_a_payment_is_recorded_on_its_day_and_told_apart_from_those_before(
    payments: Payments, highlevel: respx.MockRouter
) -> None:
    before = transaction(_id="64f1a2b3c4d5e6f708192a3d", amount=20)
    pages = [ok({"data": [before]}), ok({"data": [before, transaction(amount=20)]})]
    highlevel.get("/payments/transactions").mock(side_effect=pages)
    highlevel.get(f"/invoices/{INVOICE}").mock(return_value=ok(raw(status="partially_paid", amountPaid=20)))
    wrote = highlevel.post(f"/invoices/{INVOICE}/record-payment").mock(return_value=ok({"success": True}))
    made = await payments.create({"amount": "20.00 EUR", "paid_on": "2026-11-21"}, parent=INVOICE)
    body = sent(wrote.calls.last.request)
    assert (made.id, body["amount"], body["mode"]) == (f"{INVOICE}/{PAID}", 20, "other")
    assert day(body["fulfilledAt"], ZoneInfo("Pacific/Auckland")) == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("invoice", "failure", "said"),
    [
        (raw(status="void"), Conflict, "void"),
        (raw(currency="EUR", total=30), Conflict, r"owes 30\.00 EUR"),
        (raw(currency="USD"), Conflict, "USD"),
        (raw(status="partially_paid", amountPaid=50), Retry, "does not show"),
    ],
)
async def test_money_that_does_not_belong_there_is_not_recorded(
    payments: Payments, highlevel: respx.MockRouter, invoice: dict[str, Any], failure: type[Exception], said: str
) -> None:
    highlevel.get("/payments/transactions").mock(return_value=ok({"data": []}))
    highlevel.get(f"/invoices/{INVOICE}").mock(return_value=ok(invoice))
    with pytest.raises(failure, match=said):
        await payments.create({"amount": "50.00 EUR", "paid_on": "2026-11-21"}, parent=INVOICE)


@pytest.mark.parametrize("values", [{}, {"amount": "50.00 EUR"}, {"paid_on": "2026-11-21"}])
async def test_what_the_field_map_leaves_out_is_said_and_not_guessed(
    payments: Payments, values: dict[str, str]
) -> None:
    with pytest.raises(Rejected, match="field map of payments"):
        await payments.create(values, parent=INVOICE)


async def test_payments_are_found_by_their_amount_and_currency(payments: Payments, highlevel: respx.MockRouter) -> None:
    dollars = transaction(_id="64f1a2b3c4d5e6f708192a3d", currency="USD")
    highlevel.get("/payments/transactions").mock(return_value=ok({"data": [transaction(), dollars]}))
    found = await payments.find(MatchKey(KeyKind.IDENTITY, "50.00 EUR", parent=INVOICE))
    assert [each.id for each in found] == [f"{INVOICE}/{PAID}"]
