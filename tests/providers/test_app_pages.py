"""Where people see a record in its vendor's own app."""

import pytest

from app.providers.base import Provider
from app.providers.highlevel.provider import HighLevel
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.sync.objects import OBJECTS

OWN = "https://books.example/ninja"
AT_HIGHLEVEL = {
    ("contact", "c1"): "contacts/detail/c1",
    ("task", "c1/t1"): "contacts/detail/c1",
    ("task", "/t1"): None,
    ("note", "c1/n1"): "contacts/detail/c1",
    ("notice", "c1/n1"): "contacts/detail/c1",
    ("balance", "c1"): "contacts/detail/c1",
    ("recurring", "c1"): "contacts/detail/c1",
    ("opportunity", "o1"): "opportunities/list",
    ("contact", ""): None,
    ("contact", "a?b#c"): "contacts/detail/a%3Fb%23c",
    **{(object_, "x1"): None for object_ in ("business", "appointment", "product", "invoice")},
    ("payment", "i1/p1"): None,
}
AT_INVOICE_NINJA = {
    ("contact", "k1"): "clients/k1",
    ("contact", "k1/p1"): "clients/k1",
    ("business", "k1"): "clients/k1",
    ("balance", "k1"): "clients/k1",
    ("recurring", "k1"): "clients/k1",
    ("note", "k1/private_notes/b1"): "clients/k1",
    ("task", "t1"): "tasks/t1/edit",
    ("appointment", "t1"): "tasks/t1/edit",
    ("appointment", "k1/a1"): "clients/k1",
    ("opportunity", "quote/q1"): "quotes/q1/edit",
    ("opportunity", "invoice/i1"): "invoices/i1/edit",
    ("notice", "invoice/i1/paid"): "invoices/i1/edit",
    ("notice", "credit/i1/sent"): None,
    ("product", "p1"): "products/p1/edit",
    ("invoice", "i1"): "invoices/i1/edit",
    ("payment", "m1/i1"): "payments/m1/edit",
    ("invoice", ""): None,
    ("opportunity", "quote/"): None,
    ("contact", "../x"): "clients/..",
}


@pytest.mark.parametrize(("record", "path"), AT_HIGHLEVEL.items())
def test_a_record_is_opened_in_highlevel_on_the_agency_s_own_domain(record: tuple[str, str], path: str | None) -> None:
    provider = HighLevel(app_url="https://crm.agency.example")
    expected = f"https://crm.agency.example/v2/location/L1/{path}" if path else ""
    assert provider.page("https://services.leadconnectorhq.com", "L1", *record) == expected


@pytest.mark.parametrize(("record", "path"), AT_INVOICE_NINJA.items())
def test_a_record_is_opened_in_invoice_ninja_on_its_own_server(record: tuple[str, str], path: str | None) -> None:
    assert InvoiceNinja().page(OWN, "key", *record) == (f"{OWN}/#/{path}" if path else "")


def test_the_hosted_app_of_invoice_ninja_is_not_where_its_api_is() -> None:
    shown = InvoiceNinja().page("https://invoicing.co", "key", "contact", "k1")
    assert shown == "https://app.invoicing.co/#/clients/k1"


def test_highlevel_s_own_domain_is_the_default() -> None:
    assert (
        HighLevel().page("", "L1", "contact", "c1") == "https://app.gohighlevel.com/v2/location/L1/contacts/detail/c1"
    )


@pytest.mark.parametrize("provider", [HighLevel(), InvoiceNinja()])
@pytest.mark.parametrize("object_", OBJECTS)
def test_no_object_and_no_id_is_too_odd_to_be_asked_for(provider: Provider, object_: str) -> None:
    for id_ in ("", "/", "//", "a/", "/a", "a/b/c/d"):
        assert provider.page("https://x.example", "L1", object_, id_).partition(":")[0] in ("", "https")
