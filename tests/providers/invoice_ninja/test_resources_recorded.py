"""Every recorded answer, read with the typed models: nothing is lost, no amount is a float."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from app.errors import Rejected
from app.providers.invoice_ninja.resources.billing import Invoice, Payment, RecurringInvoice
from app.providers.invoice_ninja.resources.parties import Client
from app.providers.invoice_ninja.resources.statements import Statics
from app.providers.invoice_ninja.resources.table import ALL
from app.providers.invoice_ninja.resources.values import TimeEntry, outgoing, time_log
from app.providers.invoice_ninja.resources.work import Task
from app.providers.invoice_ninja.wire import parse
from tests.providers.invoice_ninja.recordings import FIXTURES, body

SPECS = {spec.path: spec for spec in ALL}
LINES = (FIXTURES / "resources.jsonl").read_text().splitlines()
ROWS = [tuple(json.loads(line, parse_float=Decimal)) for line in LINES]


def first(path: str, case: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(row for path_, case_, row in ROWS if (path_, case_) == (path, case))
    return found


def floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from floats(each)


def typed_amounts(model: BaseModel, row: Mapping[str, Any]) -> Iterator[tuple[Decimal, Any]]:
    """Each amount of a record beside what the answer says, lines and parts included."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Decimal):
            yield value, row[name]
        elif isinstance(value, tuple):
            for inner, raw in zip(value, row.get(name) or (), strict=False):
                if isinstance(inner, BaseModel) and isinstance(raw, dict):
                    yield from typed_amounts(inner, raw)


@pytest.mark.parametrize(("path", "case", "row"), ROWS, ids=[f"{path}-{case}" for path, case, _ in ROWS])
def test_a_recorded_record_is_read_without_loss(path: str, case: str, row: dict[str, Any]) -> None:
    record = SPECS[path].model.model_validate(row)
    kept = record.model_dump()
    assert row.keys() <= kept.keys()
    assert list(floats(kept)) == []
    for ours, theirs in typed_amounts(record, row):
        assert ours == Decimal(str(theirs))
    assert record.created_at == datetime.fromtimestamp(row["created_at"], UTC)
    assert record.lifecycle == ("deleted" if row["is_deleted"] else "archived" if row["archived_at"] else "active")


def test_every_recorded_resource_has_rows() -> None:
    never_run = {"locations", "vendors", "credits", "purchase_orders", "tags", "documents"}
    assert {path for path, _, _ in ROWS} == SPECS.keys() - never_run


def test_the_amounts_of_an_invoice_are_exact() -> None:
    invoice = Invoice.model_validate(first("invoices", "invoices/create"))
    assert (invoice.amount, invoice.total_taxes) == (Decimal("271.88"), Decimal("38.19"))
    assert [line.cost for line in invoice.line_items] == [Decimal("100.5"), Decimal("49.99")]
    assert sum(line.gross_line_total for line in invoice.line_items) == Decimal("284.18")
    assert (invoice.date, invoice.due_date, invoice.partial_due_date) == (date(2026, 11, 20), date(2026, 12, 20), None)


def test_a_recurring_invoices_next_day_is_read_from_its_datetime() -> None:
    recurring = RecurringInvoice.model_validate(first("recurring_invoices", "recurring_invoices/create"))
    assert (recurring.next_send_date, recurring.date) == (date(2026, 12, 1), None)


def test_a_tasks_time_is_read_from_the_text_and_written_as_one() -> None:
    row = first("tasks", "tasks/create")
    task = Task.model_validate(row)
    assert task.date == date(2026, 11, 20)
    assert task.time_log[0] == TimeEntry(
        start=datetime.fromtimestamp(1795211800, UTC), end=datetime.fromtimestamp(1795215400, UTC), note="first hour"
    )
    assert json.loads(time_log(task.time_log)) == json.loads(row["time_log"])


def test_a_running_entry_has_no_end_and_a_short_one_no_note() -> None:
    running, short = Task.model_validate({"id": "a", "rate": 0, "time_log": '[[10, 0, "n"], [5, 6]]'}).time_log
    assert (running.end, running.note) == (None, "n")
    assert (short.note, short.is_billable) == ("", True)
    assert time_log([running]) == '[[10, 0, "n", true]]'


@pytest.mark.parametrize("broken", ["5", "{", '["a"]', "[[100000000000000000000, 0]]"])
def test_a_time_log_that_nobody_can_read_is_refused_by_name(broken: str) -> None:
    with pytest.raises(Rejected, match="time_log"):
        parse(Task, {"id": "a", "rate": 0, "time_log": broken})


def test_a_repr_opens_no_door() -> None:
    client = Client.model_validate(first("clients", "clients/create"))
    assert client.contacts[0].link
    assert repr(client) == f"Client(id='{client.id}', number='0001')"
    assert client.contacts[0].link not in repr(client.contacts)


def test_a_bool_is_no_amount() -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Payment.model_validate({**first("payments", "payments/create_applied"), "amount": True})


def test_the_fixed_tables_are_read() -> None:
    tables = Statics.model_validate(body("statics"))
    assert next(each.name for each in tables.countries if each.iso_3166_2 == "GB") == "United Kingdom"
    assert next(each.code for each in tables.currencies if each.id == "1") == "USD"


@pytest.mark.parametrize("amount", ["0.1", "1234567890.12", "99999999999.99", "-0.005", "100.50", "7", "1E+2"])
def test_an_amount_leaves_with_every_digit(amount: str) -> None:
    text = json.dumps(outgoing({"amount": Decimal(amount)}))
    assert json.loads(text, parse_float=Decimal)["amount"] == Decimal(amount)


def test_an_amount_with_more_digits_than_a_number_holds_does_not_leave() -> None:
    with pytest.raises(Rejected, match="more digits"):
        outgoing([Decimal("12345678901234567.89")])


def test_days_and_moments_leave_as_the_product_writes_them() -> None:
    sent = outgoing({"date": date(2026, 1, 2), "at": datetime(2026, 1, 2, tzinfo=UTC)})
    assert sent == {"date": "2026-01-02", "at": 1767312000}
    with pytest.raises(ValueError, match="time zone"):
        outgoing(datetime(2026, 1, 2))  # noqa: DTZ001
