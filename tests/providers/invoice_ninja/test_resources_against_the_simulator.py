"""Every resource of the simulated Invoice Ninja, over real HTTP: the traps that only a server can spring."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.errors import Duplicate, Forbidden, Gone, Reconnect, Rejected, Unsupported, Wait
from app.providers.http import Wire
from app.providers.invoice_ninja.resources import table
from app.providers.invoice_ninja.resources.emails import bulk_and_email_customer, email_customer
from app.providers.invoice_ninja.resources.parties import Client
from app.providers.invoice_ninja.resources.payments import NewPayment, pay, refund
from app.providers.invoice_ninja.resources.resource import Resource
from app.providers.invoice_ninja.resources.spec import Spec, T
from app.providers.invoice_ninja.resources.statements import statement, statics
from app.providers.invoice_ninja.resources.values import TimeEntry
from app.providers.invoice_ninja.wire import InvoiceNinjaDialect, api_root
from app.sandbox.processes import Simulator
from tests.providers.invoice_ninja.conftest import OpenGate

DAY = date(2026, 11, 20)
LINES = [{"product_key": "A", "quantity": Decimal("3"), "cost": Decimal("33.33"), "notes": "x"}]
BILL = {"date": DAY, "is_amount_discount": False, "line_items": LINES}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start("invoice-ninja") as running:
        yield running


@pytest.fixture
async def wire(simulator: Simulator, http: httpx.AsyncClient) -> Wire:
    (await http.post(f"{simulator.url}/_control/reset")).raise_for_status()
    return wire_of("service", simulator, http)


def wire_of(who: str, simulator: Simulator, http: httpx.AsyncClient, **more: str) -> Wire:
    dialect = InvoiceNinjaDialect(token=f"sandbox-ninja-{who}-token", **more)
    return Wire(http, api_root(simulator.url), dialect, OpenGate())


@pytest.fixture
async def client(wire: Wire) -> Client:
    jane, bob = {"first_name": "Jane", "email": "jane@x.example"}, {"first_name": "Bob", "email": "bob@x.example"}
    settings = {"currency_id": "3", "payment_terms": "14"}
    values = {"name": "Acme", "contacts": [jane, bob], "settings": settings}
    return await Resource(wire, table.CLIENTS).create(values)


async def ids(resource: Resource[T], **query: Any) -> list[str]:
    return [record.id async for record in resource.each(**query)]


async def e_mails(simulator: Simulator, http: httpx.AsyncClient) -> list[str]:
    state = (await http.get(f"{simulator.url}/_control/state")).json()
    return [each["what"] for each in state.get("state", state).get("emails", [])]


async def example(wire: Wire, spec: Spec[Any], client: Client) -> dict[str, Any]:
    """What a new one of the resource needs."""
    match spec.path:
        case "invoices" | "quotes" | "credits":
            return {"client_id": client.id, **BILL}
        case "recurring_invoices":
            return {"client_id": client.id, "frequency_id": "5", "is_amount_discount": False, "line_items": LINES}
        case "purchase_orders":
            vendor = await Resource(wire, table.VENDORS).create({"name": "Mill"})
            return {"vendor_id": vendor.id, **BILL}
        case "payments":
            return {"client_id": client.id, "date": DAY, "amount": Decimal("12.34")}
        case "projects":
            return {"client_id": client.id, "name": "Website"}
        case "webhooks":
            return {"target_url": "https://x.example/h", "event_id": "1"}
        case "products":
            return {"product_key": "A", "price": Decimal("100.05")}
    return {"name": "New"}


EDITABLE: list[Spec[Any]] = [
    spec for spec in table.ALL if spec.path not in ("locations", "tags", "documents", "tokens")
]


@pytest.mark.parametrize("spec", EDITABLE, ids=[spec.path for spec in EDITABLE])
async def test_a_record_lives_and_dies(wire: Wire, client: Client, spec: Spec[Any]) -> None:
    resource = Resource(wire, spec)
    made = await resource.create(await example(wire, spec, client))
    assert (await resource.get(made.id)).id == made.id
    assert made.id in await ids(resource)

    (await resource.bulk("archive", [made.id])).demand_all()
    assert made.id in await ids(resource, lifecycle=["archived"])
    (await resource.bulk("restore", [made.id])).demand_all()
    await resource.delete(made.id)
    assert made.id not in await ids(resource)
    assert made.id in await ids(resource, lifecycle=["deleted"])


BILLS: list[Spec[Any]] = [table.INVOICES, table.QUOTES, table.CREDITS, table.RECURRING_INVOICES, table.PURCHASE_ORDERS]


@pytest.mark.parametrize("spec", BILLS, ids=[spec.path for spec in BILLS])
async def test_an_update_of_a_bill_keeps_its_lines_its_discount_and_its_cents(
    wire: Wire, client: Client, spec: Spec[Any]
) -> None:
    bills = Resource(wire, spec)
    made = await bills.create({**await example(wire, spec, client), "discount": Decimal(10)})
    assert made.amount == Decimal("89.99")
    after = await bills.update(made.id, {"public_notes": "thanks"})
    assert (after.amount, after.date, after.is_amount_discount) == (made.amount, made.date, False)
    assert (after.public_notes, after.line_items) == ("thanks", made.line_items)


async def test_an_update_of_a_client_keeps_currency_terms_and_contacts(wire: Wire, client: Client) -> None:
    clients = Resource(wire, table.CLIENTS)
    jane, bob = client.contacts
    await clients.update(client.id, {"city": "Bern"})
    after = await clients.update(
        client.id, {"contacts": [{"id": bob.id, "phone": "1"}], "settings": {"language_id": "2"}}
    )
    assert [(each.id, each.email, each.phone) for each in after.contacts] == [
        (jane.id, jane.email, ""),
        (bob.id, bob.email, "1"),
    ]
    assert {"currency_id": "3", "payment_terms": "14", "language_id": "2"}.items() <= after.settings.items()
    assert (after.city, after.number) == ("Bern", client.number)


async def test_a_new_person_of_a_vendor_drives_nobody_out(wire: Wire) -> None:
    vendors = Resource(wire, table.VENDORS)
    made = await vendors.create({"name": "Mill", "contacts": [{"email": "a@x.example"}]})
    after = await vendors.update(made.id, {"contacts": [{"email": "b@x.example"}]})
    assert [person.email for person in after.contacts] == ["a@x.example", "b@x.example"]
    assert after.contacts[0].id == made.contacts[0].id


async def test_an_update_of_a_task_keeps_its_time_and_number(wire: Wire) -> None:
    tasks = Resource(wire, table.TASKS)
    entry = TimeEntry(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2, tzinfo=UTC), note="n")
    made = await tasks.create({"description": "Call", "time_log": [entry], "rate": Decimal("75.50")})
    after = await tasks.update(made.id, {"description": "Called"})
    assert (after.time_log, after.number, after.rate) == ((entry,), made.number, Decimal("75.5"))
    more = TimeEntry(start=datetime(2026, 1, 3, tzinfo=UTC))
    assert (await tasks.update(made.id, {"time_log": [entry, more]})).time_log == (entry, more)


async def test_only_what_changed_since_is_listed(wire: Wire, client: Client) -> None:
    clients = Resource(wire, table.CLIENTS)
    assert await ids(clients, updated_since=datetime.now(UTC)) == [client.id]
    assert await ids(clients, updated_since=datetime.now(UTC) + timedelta(minutes=1)) == []


async def test_all_pages_are_read(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.providers.invoice_ninja.resources.resource.PER_PAGE", 2)
    products = Resource(wire, table.PRODUCTS)
    made = [(await products.create({"product_key": f"P{n}"})).id for n in range(5)]
    assert await ids(products) == made


async def test_a_taken_number_names_the_one_that_has_it(wire: Wire, client: Client) -> None:
    invoices = Resource(wire, table.INVOICES)
    first = await invoices.create({"client_id": client.id, **BILL, "number": "HL-1"})
    with pytest.raises(Duplicate) as refused:
        await invoices.create({"client_id": client.id, **BILL, "number": "HL-1"})
    assert refused.value.existing == first.id
    assert [each.id for each in await invoices.find("number", "HL-1")] == [first.id]


async def test_the_life_of_an_invoice(wire: Wire, client: Client) -> None:
    invoices = Resource(wire, table.INVOICES)
    made = await invoices.create({"client_id": client.id, **BILL})
    assert (made.balance, made.status_id) == (Decimal(0), "1")
    (sent,) = (await invoices.bulk("mark_sent", [made.id])).demand_all()
    assert (sent.balance, sent.status_id) == (Decimal("99.99"), "2")
    with pytest.raises(Wait):
        await invoices.bulk("mark_sent", [made.id])
    (cancelled,) = (await invoices.bulk("cancel", [made.id])).demand_all()
    assert cancelled.status_id == "5"


async def test_a_draft_that_cannot_be_cancelled_is_said_to_be_undone(wire: Wire, client: Client) -> None:
    invoices = Resource(wire, table.INVOICES)
    made = await invoices.create({"client_id": client.id, **BILL})
    result = await invoices.bulk("cancel", [made.id])
    assert [each.id for each in result.undone] == [made.id]


async def test_a_quote_becomes_an_invoice(wire: Wire, client: Client) -> None:
    quotes = Resource(wire, table.QUOTES)
    made = await quotes.create({"client_id": client.id, **BILL})
    (approved,) = (await quotes.bulk("approve", [made.id])).demand_all()
    (converted,) = (await quotes.bulk("convert_to_invoice", [made.id])).demand_all()
    assert (approved.status_id, converted.status_id) == ("3", "4")
    invoice = await Resource(wire, table.INVOICES).get(converted.invoice_id)
    assert (invoice.amount, invoice.status_id) == (Decimal("99.99"), "1")


async def test_issue_sdk_php_33_paying_twice_pays_once_and_a_refund_gives_back(wire: Wire, client: Client) -> None:
    invoices, payments = Resource(wire, table.INVOICES), Resource(wire, table.PAYMENTS)
    invoice = await invoices.create({"client_id": client.id, **BILL})
    payment = NewPayment(
        client_id=client.id,
        amount=Decimal("50.01"),
        date=DAY,
        reference="txn-1",
        key="k-1",
        invoices={invoice.id: Decimal("49.99")},
    )
    first = await pay(payments, payment)
    assert (first.amount, first.applied) == (Decimal("50.01"), Decimal("49.99"))
    assert (await pay(payments, payment)).id == first.id
    assert (await invoices.get(invoice.id)).balance == Decimal("50")

    refunded = await refund(payments, first.id, DAY, {invoice.id: Decimal("9.99")})
    assert (refunded.refunded, refunded.status_id) == (Decimal("9.99"), "5")
    assert (await invoices.get(invoice.id)).balance == Decimal("59.99")


async def test_equal_payments_within_a_second_wait(wire: Wire, client: Client) -> None:
    payments = Resource(wire, table.PAYMENTS)
    given: dict[str, Any] = {"client_id": client.id, "amount": Decimal(3), "date": DAY}
    await pay(payments, NewPayment(**given, reference="a", key="a"))
    with pytest.raises(Wait):
        await pay(payments, NewPayment(**given, reference="b", key="b"))


async def test_without_the_permission_nothing_is_done_and_that_is_said(
    wire: Wire, client: Client, simulator: Simulator, http: httpx.AsyncClient
) -> None:
    clients = Resource(wire_of("restricted", simulator, http), table.CLIENTS)
    with pytest.raises(Forbidden):
        (await clients.bulk("archive", [client.id])).demand_all()
    with pytest.raises(Forbidden):
        await clients.update(client.id, {"city": "Bern"})


async def test_what_is_deleted_cannot_be_edited(wire: Wire, client: Client) -> None:
    clients = Resource(wire, table.CLIENTS)
    await clients.delete(client.id)
    with pytest.raises(Gone):
        await clients.update(client.id, {"city": "Bern"})


UPLOADING = [spec for spec in EDITABLE if spec.has_documents]


@pytest.mark.parametrize("spec", UPLOADING, ids=[spec.path for spec in UPLOADING])
async def test_a_file_is_kept_with_a_record(wire: Wire, client: Client, spec: Spec[Any]) -> None:
    resource = Resource(wire, spec)
    made = await resource.create(await example(wire, spec, client))
    after = await resource.upload(made.id, "a b.txt", b"\x00\xff", "text/plain", customer_may_see=False)
    (document,) = after.documents
    assert (document.name, document.size, document.is_public) == ("a b.txt", 2, False)
    assert await ids(Resource(wire, table.DOCUMENTS)) == [document.id]


async def test_a_statement_is_a_pdf(wire: Wire, client: Client) -> None:
    assert (await statement(wire, client.id, DAY, DAY)).startswith(b"%PDF")
    with pytest.raises(Rejected):
        await statement(wire, "unknown", DAY, DAY)


async def test_the_fixed_tables(wire: Wire) -> None:
    tables = await statics(wire)
    assert "826" in {country.id for country in tables.countries}


async def test_a_token_is_made_with_the_password_shown_once_and_refused_when_deleted(
    wire: Wire, simulator: Simulator, http: httpx.AsyncClient
) -> None:
    with pytest.raises(Rejected, match="password"):
        await Resource(wire, table.TOKENS).create({"name": "bridge"})
    tokens = Resource(wire_of("service", simulator, http, password="sandbox-password"), table.TOKENS)
    made = await tokens.create({"name": "bridge"})
    assert len(made.token) == 64
    assert (await tokens.get(made.id)).token != made.token

    theirs = replace(wire, dialect=InvoiceNinjaDialect(token=made.token))
    await Resource(theirs, table.CLIENTS).find("number", "1")
    await tokens.delete(made.id)
    with pytest.raises(Reconnect):
        await Resource(theirs, table.CLIENTS).find("number", "1")


@pytest.mark.parametrize("spec", [table.LOCATIONS, table.TAGS], ids=["locations", "tags"])
async def test_this_version_has_neither_locations_nor_tags(wire: Wire, spec: Spec[Any]) -> None:
    with pytest.raises(Unsupported, match="since"):
        await ids(Resource(wire, spec))
    with pytest.raises(Unsupported, match="since"):
        await Resource(wire, spec).create({"name": "x", "entity_type": "task"})


async def test_issue_invoiceninja_2077_whatever_is_done_the_customer_hears_nothing(
    wire: Wire, client: Client, simulator: Simulator, http: httpx.AsyncClient
) -> None:
    """In a company that tells its customers of every payment."""
    company = (await wire.write("POST", "/companies/current"))["data"]["id"]
    await wire.write("PUT", f"/companies/{company}", {"settings": {"client_manual_payment_notification": True}})
    for spec in EDITABLE:
        resource = Resource(wire, spec)
        made = await resource.create(await example(wire, spec, client))
        await resource.update(made.id, {name: getattr(made, name) for name in spec.sends_back})
        for action in spec.actions:
            await resource.bulk(action, [made.id])
    invoice = await Resource(wire, table.INVOICES).create({"client_id": client.id, **BILL})
    one = NewPayment(
        client_id=client.id, amount=Decimal(1), date=DAY, reference="r", key="k", invoices={invoice.id: Decimal(1)}
    )
    payments = Resource(wire, table.PAYMENTS)
    await refund(payments, (await pay(payments, one)).id, DAY, {invoice.id: Decimal(1)})
    await statement(wire, client.id, DAY, DAY)
    assert await e_mails(simulator, http) == []


async def test_the_customer_hears_what_is_meant_for_him(
    wire: Wire, client: Client, simulator: Simulator, http: httpx.AsyncClient
) -> None:
    invoices = Resource(wire, table.INVOICES)
    made = await invoices.create({"client_id": client.id, **BILL})
    (emailed,) = (await bulk_and_email_customer(invoices, "email", [made.id], emails_customer=True)).demand_all()
    await email_customer(invoices, made.id, emails_customer=True)
    assert emailed.status_id == "2"
    assert await e_mails(simulator, http) == ["invoice", "invoice"]
