from typing import Any

import pytest

from tests.sandbox.bench import HERE, Bench, documented

WHERE: dict[str, Any] = {"altId": HERE, "altType": "location"}
ITEM = {"name": "Crane day", "currency": "EUR", "amount": 400.1, "qty": 3}
VAT = {"_id": "vat22", "name": "VAT", "rate": 22}
USER = "sandboxUser000000001"


def wanted(bench: Bench, **values: Any) -> dict[str, Any]:
    ada = {"locationId": HERE, "firstName": "Ada", "email": "ada@yard.example", "phone": "+12125550147"}
    contact = bench.http.post("/contacts/upsert", json=ada).json()["contact"]["id"]
    return {
        **WHERE,
        "name": "April",
        "businessDetails": {"name": "Cranes Ltd"},
        "currency": "EUR",
        "items": [ITEM],
        "discount": {"type": "fixed", "value": 0},
        "contactDetails": {"id": contact, "name": "Ada", "email": "ada@yard.example", "phoneNo": "+12125550147"},
        "issueDate": "2031-04-30",
        "sentTo": {"email": ["ada@yard.example"]},
        "liveMode": False,
        **values,
    }


def made(bench: Bench, **values: Any) -> str:
    return str(bench.api("POST", "/invoices/", wanted(bench, **values))["_id"])


def bo(bench: Bench) -> dict[str, str]:
    contact = bench.contact(firstName="Bo")
    return {"id": contact, "name": "Bo", "email": "bo@yard.example", "phoneNo": "+12125550148"}


def read(bench: Bench, invoice: str) -> dict[str, Any]:
    return dict(bench.api("GET", f"/invoices/{invoice}", **WHERE))


def payment(**values: Any) -> dict[str, Any]:
    card = {"card": {"brand": "visa", "last4": "0000"}, "cheque": {"number": ""}}
    return {**WHERE, "mode": "bank_transfer", **card, "notes": "", **values}


@pytest.mark.parametrize(
    ("values", "summary", "total"),
    [
        ({}, (1200.3, 0, 0), 1200.3),
        ({"discount": {"type": "percentage", "value": 10}}, (1200.3, 120.03, 0), 1080.27),
        ({"discount": {"type": "fixed", "value": 200.3}}, (1200.3, 200.3, 0), 1000),
        ({"items": [{**ITEM, "taxes": [VAT]}]}, (1200.3, 0, 264.07), 1464.37),
        ({"items": [{**ITEM, "taxes": [VAT], "taxInclusive": True}]}, (1200.3, 0, 0), 1200.3),
        ({"items": [ITEM, {**ITEM, "amount": 0.1, "qty": 1}]}, (1200.4, 0, 0), 1200.4),
    ],
)
def test_totals_are_computed(
    bench: Bench, values: dict[str, Any], summary: tuple[float, float, float], total: float
) -> None:
    invoice = read(bench, made(bench, **values))
    assert tuple(invoice["totalSummary"].values()) == summary
    assert (invoice["total"], invoice["amountDue"], invoice["amountPaid"]) == (total, total, 0)


def test_an_invoice_is_made_read_changed_and_deleted(bench: Bench) -> None:
    body = wanted(bench)
    invoice = bench.api("POST", "/invoices/", body)
    assert (invoice["status"], invoice["invoiceNumber"], invoice["title"]) == ("draft", "1", "INVOICE")
    assert "totalSummary" not in invoice
    assert bench.api("GET", "/invoices/generate-invoice-number", **WHERE) == {"invoiceNumber": 2}
    path = f"/invoices/{invoice['_id']}"
    lines = {"invoiceItems": [{**ITEM, "qty": 1}], "dueDate": "2031-05-30"}
    kept = {name: body[name] for name in ("name", "currency", "issueDate")}
    changed = bench.api("PUT", path, {**WHERE, **kept, **lines})
    assert (changed["total"], changed["dueDate"]) == (400.1, "2031-05-30")
    assert changed["contactDetails"] == body["contactDetails"]
    assert bench.api("DELETE", path, **WHERE)["_id"] == invoice["_id"]
    assert bench.ask("GET", path, **WHERE).status_code == 404


def test_issue_highlevel_api_docs_16_an_invoice_needs_a_phone_and_an_email(bench: Bench) -> None:
    body = wanted(bench)
    for field in ("phoneNo", "email"):
        details = {**body["contactDetails"], field: ""}
        answer = bench.ask("POST", "/invoices/", {**body, "contactDetails": details})
        assert answer.status_code == 422
        assert answer.json()["message"] == [f"contactDetails.{field} should not be empty"]
        del details[field]
        answer = bench.ask("POST", "/invoices/", {**body, "contactDetails": details})
        assert answer.json()["message"] == [f"contactDetails.{field} must be a string"]


def test_the_list_wants_a_limit_and_an_offset(bench: Bench) -> None:
    first, second, third = made(bench), made(bench, name="May", contactDetails=bo(bench)), made(bench)
    assert bench.ask("GET", "/invoices/", **WHERE, limit=2).status_code == 422
    found = bench.api("GET", "/invoices/", **WHERE, limit=2, offset=0)
    rest = bench.api("GET", "/invoices/", **WHERE, limit=2, offset=2)
    assert [each["_id"] for each in found["invoices"] + rest["invoices"]] == [third, second, first]
    assert found["total"] == 3
    (may,) = bench.api("GET", "/invoices/", **WHERE, limit=9, offset=0, search="may")["invoices"]
    assert may["_id"] == second
    own = may["contactDetails"]["id"]
    assert bench.api("GET", "/invoices/", **WHERE, limit=9, offset=0, contactId=own)["total"] == 1
    assert bench.api("GET", "/invoices/", **WHERE, limit=9, offset=0, status="paid")["total"] == 0


def test_sending_counts_the_mails_and_sends_none(bench: Bench) -> None:
    invoice = made(bench)
    order = {**WHERE, "userId": USER, "liveMode": False}
    for action in ("send_manually", "sms_and_email"):
        sent = bench.api("POST", f"/invoices/{invoice}/send", {**order, "action": action})
        assert sent["invoice"]["status"] == "sent"
    mails = [
        {"invoiceId": invoice, "kind": "email", "to": "ada@yard.example"},
        {"invoiceId": invoice, "kind": "sms", "to": "+12125550147"},
    ]
    assert bench.control("GET", "mails") == {"count": 2, "mails": mails}
    stranger = {**order, "action": "email", "userId": "nobody"}
    assert bench.ask("POST", f"/invoices/{invoice}/send", stranger).status_code == 400


def test_payments_are_recorded_until_nothing_is_due(bench: Bench) -> None:
    invoice = made(bench)
    path = f"/invoices/{invoice}/record-payment"
    part = bench.api("POST", path, payment(amount=200.3))["invoice"]
    assert (part["status"], part["amountPaid"], part["amountDue"]) == ("partially_paid", 200.3, 1000)
    assert bench.ask("POST", path, payment(amount=1000.01)).status_code == 400
    full = bench.api("POST", path, payment())["invoice"]
    assert (full["status"], full["amountPaid"], full["amountDue"]) == ("paid", 1200.3, 0)
    without_card = {name: value for name, value in payment().items() if name != "card"}
    assert bench.ask("POST", path, without_card).status_code == 422
    listed = bench.api("GET", "/payments/transactions", **WHERE, entityId=invoice)
    assert [each["amount"] for each in listed["data"]] == [200.3, 1000]
    assert listed["totalCount"] == 2
    one = bench.api("GET", f"/payments/transactions/{listed['data'][0]['_id']}", **WHERE)
    assert (one["invoiceId"], one["status"]) == (invoice, "succeeded")


def test_an_invoice_tells_without_type_and_location(bench: Bench) -> None:
    body = wanted(bench)
    bench.events()
    invoice = bench.api("POST", "/invoices/", body)["_id"]
    ((event, told),) = bench.events()
    assert event == "InvoiceCreate"
    assert {"type", "locationId"} & told.keys() == set()
    assert (told["_id"], told["altId"], told["status"]) == (invoice, HERE, "draft")
    assert (told["totalSummary"], told["total"]) == ({"subTotal": 1200.3, "discount": 0}, 1200.3)
    assert documented(told)["contactDetails"] == body["contactDetails"]
    bench.control("PATCH", f"objects/invoices/{invoice}", {"name": "May"})
    bench.control("POST", f"invoices/{invoice}/send")
    assert bench.names() == ["InvoiceSent", "InvoiceUpdate"]
    bench.control("POST", f"invoices/{invoice}/pay", {"amount": 100})
    bench.control("POST", f"invoices/{invoice}/pay")
    states = [(event, told["status"], told["amountDue"]) for event, told in bench.events()]
    assert states == [("InvoicePaid", "paid", 0), ("InvoicePartiallyPaid", "partially_paid", 1100.3)]
    bench.api("DELETE", f"/invoices/{invoice}", **WHERE)
    assert bench.names() == ["InvoiceDelete"]


def test_a_void_invoice_is_not_paid_and_a_paid_one_not_changed(bench: Bench) -> None:
    void, paid = made(bench), made(bench)
    bench.control("POST", f"invoices/{paid}/pay")
    bench.events()
    assert bench.api("POST", f"/invoices/{void}/void", WHERE)["status"] == "void"
    assert bench.names() == ["InvoiceVoid"]
    assert bench.ask("POST", f"/invoices/{void}/record-payment", payment()).status_code == 400
    assert bench.ask("POST", f"/invoices/{paid}/void", WHERE).status_code == 400
    lines = {"invoiceItems": [ITEM], "dueDate": "2031-05-30", "issueDate": "2031-04-30"}
    assert bench.ask("PUT", f"/invoices/{paid}", {**WHERE, "name": "x", "currency": "EUR", **lines}).status_code == 400


def test_an_invoice_of_another_location_is_out_of_reach(bench: Bench) -> None:
    invoice = made(bench)
    other: dict[str, Any] = {"altId": "sandboxLocation0002", "altType": "location"}
    assert bench.ask("GET", f"/invoices/{invoice}", **other).status_code == 403
    agency = {"Authorization": "Bearer sandbox-highlevel-company-token"}
    assert bench.ask("GET", f"/invoices/{invoice}", headers=agency, **other).status_code == 400


def test_a_person_writes_an_invoice_for_a_contact(bench: Bench) -> None:
    contact = bench.contact(firstName="Ada", email="ada@yard.example", phone="+12125550147")
    invoice = bench.control("POST", "objects/invoices", {"contactId": contact, "invoiceItems": [ITEM]})
    assert read(bench, invoice["_id"])["contactDetails"]["email"] == "ada@yard.example"
    assert bench.control("GET", "objects")["invoices"] == 1
    assert bench.http.post(f"/_control/invoices/{invoice['_id']}/eat").status_code == 400
