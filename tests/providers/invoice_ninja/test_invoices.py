"""What leaves for Invoice Ninja where money is concerned, and what becomes of answers that differ from it."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import respx

from app.errors import Conflict, Duplicate, Rejected
from app.providers.http import Wire
from app.providers.invoice_ninja.invoices import Invoices
from app.providers.invoice_ninja.payments import Payments
from app.providers.invoice_ninja.wire import InvoiceNinjaDialect, api_root
from app.sync.canonical import document_of
from app.sync.objects import InvoiceSettings
from tests.providers.invoice_ninja.conftest import BASE, OpenGate
from tests.providers.invoice_ninja.test_resources import one, row, sent

CLIENT, MIRROR, THEIRS = "VolejRejNm", "Wpmbk5ezJn", "64f1a2b3c4d5e6f708192a3b"
DATA: Mapping[str, Any] = {"currencies": {"1": "USD", "3": "EUR"}, "currency_id": "1", "timezone": "Europe/Berlin"}
WORK = {"product_key": "Work", "notes": "In May", "quantity": 3, "cost": 49.99, "discount": 0}
TEXT = (
    '{"currency":"USD","discount":"","lines":[{"discount":"","label":"Work","note":"In May","price":"49.99",'
    '"quantity":"3","taxes":[]}],"taxes":[],"total":"149.97"}'
)
VALUES = {"number": "7", "issued": "2026-11-20", "due": "", "document": TEXT, "status": "sent"}


@pytest.fixture
def wire(http: httpx.AsyncClient) -> Wire:
    return Wire(http, api_root(BASE), InvoiceNinjaDialect(token="t0ken"), OpenGate())


@pytest.fixture
def invoices(wire: Wire) -> Invoices:
    return Invoices(wire, DATA, InvoiceSettings())


def mirror(**changed: Any) -> dict[str, Any]:
    made = {"id": MIRROR, "client_id": CLIENT, "number": "7", "status_id": "1", "amount": 149.97, "balance": 0}
    line = {**row("invoices")["line_items"][0], **WORK, **dict.fromkeys(("tax_name1", "tax_name2", "tax_name3"), "")}
    own = {"custom_value4": THEIRS, "line_items": [line], "date": "2026-11-20", "is_amount_discount": False}
    client = {"client": row("clients", id=CLIENT, settings={"currency_id": "1"})}
    return row("invoices", **{**made, **own, "paid_to_date": 0, "discount": 0, **client, **changed})


def client_of(currency_id: str) -> httpx.Response:
    return one(row("clients", id=CLIENT, settings={"currency_id": currency_id}))


async def test_a_mirror_says_all_that_its_sum_is_made_of(invoices: Invoices, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{CLIENT}").mock(return_value=client_of("1"))
    made = ninja.post("/invoices").mock(return_value=one(mirror()))
    sent_ = {"data": [mirror(status_id="2", balance=149.97)], "meta": {"pagination": {"total": 1, "total_pages": 1}}}
    bulk = ninja.post("/invoices/bulk").mock(return_value=httpx.Response(200, json=sent_))
    record = await invoices.create(VALUES, slot=THEIRS, parent=CLIENT)
    body = sent(made)
    assert (body["client_id"], body["number"], body["custom_value4"]) == (CLIENT, "7", THEIRS)
    assert (body["date"], body["is_amount_discount"], body["uses_inclusive_taxes"]) == ("2026-11-20", False, False)
    (line,) = body["line_items"]
    assert (line["product_key"], line["quantity"], line["cost"], line["tax_name1"]) == ("Work", 3, 49.99, "")
    assert json.loads(bulk.calls.last.request.content) == {"action": "mark_sent", "ids": [MIRROR]}
    assert (record.values["status"], record.slot) == ("sent", THEIRS)
    assert document_of(record.values["document"]) == document_of(TEXT)


async def test_a_mirror_that_comes_to_another_sum_is_deleted_again(invoices: Invoices, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{CLIENT}").mock(return_value=client_of("1"))
    ninja.post("/invoices").mock(return_value=one(mirror(amount=149.98)))
    gone = ninja.delete(f"/invoices/{MIRROR}").mock(return_value=one(mirror(is_deleted=True, archived_at=1)))
    with pytest.raises(Conflict, match=r"149\.98 USD of what comes to 149\.97 USD; the draft was deleted again"):
        await invoices.create(VALUES, slot=THEIRS, parent=CLIENT)
    assert gone.called


async def test_an_edit_that_comes_to_another_sum_is_put_back(invoices: Invoices, ninja: respx.MockRouter) -> None:
    ninja.get(f"/invoices/{MIRROR}").mock(return_value=one(mirror()))
    put = ninja.put(f"/invoices/{MIRROR}").mock(side_effect=[one(mirror(amount=150.01)), one(mirror())])
    current = await invoices.fetch(MIRROR)
    changed = TEXT.replace("49.99", "50").replace("149.97", "150.00")
    with pytest.raises(Conflict, match=r"150\.01 USD of what comes to 150\.00 USD; the lines before were put back"):
        await invoices.update(current, {"document": changed}, slot=THEIRS)
    assert [json.loads(call.request.content)["line_items"][0]["cost"] for call in put.calls] == [50, 49.99]


async def test_nothing_is_converted(invoices: Invoices, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{CLIENT}").mock(return_value=client_of("3"))
    with pytest.raises(Conflict, match=r"149\.97 USD, and the client in Invoice Ninja is billed in EUR"):
        await invoices.create(VALUES, slot=THEIRS, parent=CLIENT)


async def test_a_currency_that_is_not_known_is_not_guessed(invoices: Invoices, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{CLIENT}").mock(return_value=client_of("99"))
    with pytest.raises(Rejected, match="currency 99"):
        await invoices.create(VALUES, slot=THEIRS, parent=CLIENT)


TAKEN = httpx.Response(422, json={"message": "invalid", "errors": {"number": ["The number has already been taken."]}})


def listed(*records: Mapping[str, Any]) -> httpx.Response:
    meta = {"pagination": {"total": len(records), "total_pages": 1}}
    return httpx.Response(200, json={"data": list(records), "meta": meta})


@pytest.mark.parametrize(
    ("there", "failure"),
    [
        ({"custom_value4": ""}, Duplicate),  # the same client, number and sum, and nobody's mirror: the partner
        ({"custom_value4": "", "client_id": "Opnel5aKBz"}, None),
        ({"custom_value4": "", "amount": 150}, None),
        ({"custom_value4": "64f1a2b3c4d5e6f708192aff"}, None),
    ],
)
async def test_a_number_that_is_taken_is_the_partner_only_where_client_and_sum_are_the_same(
    invoices: Invoices, ninja: respx.MockRouter, there: dict[str, Any], failure: type[Exception] | None
) -> None:
    other = mirror(id="mRlPGrdWzj", **there)
    ninja.get(f"/clients/{CLIENT}").mock(return_value=client_of("1"))
    ninja.get("/invoices").mock(return_value=listed(other))
    ninja.get("/invoices/mRlPGrdWzj").mock(return_value=one(other))
    own = mirror(number=f"HL-{THEIRS}")
    made = ninja.post("/invoices").mock(side_effect=[TAKEN, one(own)])
    values = {**VALUES, "status": "draft"}
    if failure:
        with pytest.raises(failure):
            await invoices.create(values, slot=THEIRS, parent=CLIENT)
    else:
        record = await invoices.create(values, slot=THEIRS, parent=CLIENT)
        assert (record.id, sent(made)["number"]) == (MIRROR, f"HL-{THEIRS}")


async def test_a_cancelled_invoice_owes_no_payment(wire: Wire, ninja: respx.MockRouter) -> None:
    ninja.get(f"/invoices/{MIRROR}").mock(return_value=one(mirror(status_id="5")))
    with pytest.raises(Conflict, match="is cancelled"):
        await Payments(wire, DATA).create(
            {"amount": "50.00 USD", "paid_on": "2026-11-21"}, slot=f"{THEIRS}/{THEIRS}", parent=MIRROR
        )
