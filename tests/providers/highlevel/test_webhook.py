import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadPayload
from app.providers.base import APP as APP_EVENT
from app.providers.base import Event, Verdict
from app.providers.highlevel.events import HANDLED, IGNORED, MISNAMED, NAMED, NAMELESS
from app.providers.highlevel.webhook import addresses, read, read_workflow
from app.sync.objects import OBJECTS
from tests.providers.highlevel.recorded import APP, CONTACT, LOCATION, load, raw

DOCUMENTED = Path(__file__).parents[4] / "shared" / "contracts" / "ghl" / "webhooks" / "_index.json"


def delivery(**changes: Any) -> bytes:
    body = load("webhook_contact_create") | changes
    return json.dumps({key: value for key, value in body.items() if value is not ...}).encode()


def test_a_contact_event_becomes_a_hint_without_data() -> None:
    assert read(raw("webhook_contact_create"), app_id=APP) == Event(
        delivery_id="0b0f6f0e-5f0d-4d7b-9f55-1c2d3e4f5a6b",
        kind="ContactCreate",
        verdict=Verdict.HANDLED,
        object="contact",
        external_id=CONTACT,
        account=LOCATION,
    )


@pytest.mark.parametrize("shown", [..., [], None, ["https://files.example/a.pdf"], "a.pdf"])
def test_issue_highlevel_api_docs_324_what_a_delivery_shows_beside_the_id_makes_no_difference(shown: Any) -> None:
    """Documented, and never filled."""
    assert read(delivery(attachments=shown), app_id=APP) == read(raw("webhook_contact_create"), app_id=APP)


@pytest.mark.parametrize("kind", sorted(kind for kind, object_ in HANDLED.items() if object_ == "contact"))
def test_every_handled_event_names_its_contact(kind: str) -> None:
    event = read(delivery(type=kind))
    assert (event.verdict, event.kind, event.object, event.external_id) == (Verdict.HANDLED, kind, "contact", CONTACT)


def test_what_is_entered_in_the_app_follows_the_objects() -> None:
    root = "https://sync.example.com/webhooks"
    of_contacts = [event for event, object_ in HANDLED.items() if object_ == "contact"]
    assert list(addresses(root, ["contact", "tag", "balance", "notice"])) == of_contacts
    assert {*addresses(root, ["payment"])} == {*of_contacts, *(each for each in HANDLED if each.startswith("Invoice"))}
    assert {*addresses(root, {*OBJECTS})} == {event for event, object_ in HANDLED.items() if object_ != APP_EVENT}


@pytest.mark.parametrize("event", [event for event, object_ in HANDLED.items() if object_ != APP_EVENT])
def test_an_event_that_does_not_name_itself_gets_an_address_of_its_own(event: str) -> None:
    path = addresses("", OBJECTS)[event]
    assert path == ("/highlevel" if event in NAMED - MISNAMED else f"/highlevel/{event}")


def test_every_documented_event_is_on_a_list() -> None:
    if not DOCUMENTED.exists():
        pytest.skip("the recorded contract ../shared/contracts/ghl is not beside this checkout")
    documented = {each["event"] for each in json.loads(DOCUMENTED.read_text())}
    assert documented - HANDLED.keys() - IGNORED.keys() == set()
    assert len(documented) == 58


def test_every_documented_example_is_read_and_lands_on_its_list() -> None:
    if not DOCUMENTED.exists():
        pytest.skip("the recorded contract ../shared/contracts/ghl is not beside this checkout")
    for each in json.loads(DOCUMENTED.read_text()):
        recorded = json.loads((DOCUMENTED.parent / f"{each['doc_name']}.json").read_text())
        event = read(json.dumps(recorded["example"]).encode(), event=each["event"])
        assert event.kind == each["event"]
        assert event.verdict is (Verdict.HANDLED if each["event"] in HANDLED else Verdict.IGNORED)


@pytest.mark.parametrize("kind", sorted(IGNORED))
def test_every_ignored_event_says_why(kind: str) -> None:
    event = read(delivery(type=kind), event=kind)
    assert (event.verdict, event.reason) == (Verdict.IGNORED, IGNORED[kind])
    assert event.reason


def test_no_event_is_on_two_lists() -> None:
    assert HANDLED.keys() & IGNORED.keys() == set()


def test_an_undeclared_event_is_loud() -> None:
    event = read(delivery(type="ContactMerge"), event="ContactUpdate")
    assert (event.verdict, event.kind, event.object) == (Verdict.UNKNOWN, "ContactMerge", "")


@pytest.mark.parametrize("kind", [..., "", None, 7, "no\nname", "x" * 101])
def test_an_event_without_a_usable_name_is_loud(kind: Any) -> None:
    event = read(delivery(type=kind))
    assert (event.verdict, event.kind) == (Verdict.UNKNOWN, "")
    assert "URL" in event.reason


def test_an_invoice_event_is_named_by_its_url_and_placed_by_its_alt_id() -> None:
    event = read(raw("webhook_invoice_paid_without_type"), event="InvoicePaid")
    assert (event.kind, event.verdict, event.account) == ("InvoicePaid", Verdict.HANDLED, LOCATION)
    assert (event.object, event.external_id) == ("invoice", json.loads(raw("webhook_invoice_paid_without_type"))["_id"])


@pytest.mark.parametrize("paid", [0, 0.5, 100, None])
def test_an_invoice_with_something_paid_is_news_of_its_payments(paid: float | None) -> None:
    body = {"_id": "inv1", "altId": LOCATION, "amountPaid": paid}
    event = read(json.dumps(body).encode(), event="InvoiceUpdate")
    assert event.also == ((("payment", "inv1/"),) if paid else ())


def test_a_prices_own_type_is_not_taken_for_the_event() -> None:
    assert read(raw("webhook_price_update_with_a_price_type"), event="PriceUpdate").kind == "PriceUpdate"


@pytest.mark.parametrize("path", ["ContactDelete", "NoteCreate", "InvoicePaid", "PriceUpdate"])
def test_a_body_that_names_its_event_overrules_the_url(path: str) -> None:
    assert read(delivery(), event=path).kind == "ContactCreate"


def test_the_url_overrules_a_body_of_a_family_that_has_no_type() -> None:
    assert {"InvoiceCreate", "PriceUpdate", "RecordCreate", "ProviderOutboundMessage"} <= NAMELESS
    assert read(delivery(type="InvoiceCreate", _id="inv1"), event="InvoicePaid").kind == "InvoicePaid"


def test_a_record_in_an_envelope_is_read_as_well() -> None:
    event = read(raw("webhook_contact_update_in_an_envelope"))
    assert (event.kind, event.external_id, event.account) == ("ContactUpdate", CONTACT, LOCATION)


def test_an_installation_is_known_by_its_location() -> None:
    event = read(raw("webhook_install"), app_id=APP)
    assert (event.verdict, event.object, event.external_id) == (Verdict.HANDLED, APP_EVENT, LOCATION)


def test_an_agencys_uninstallation_is_known_by_the_agency() -> None:
    body = {"type": "UNINSTALL", "appId": APP, "companyId": "CmpHarbour0000000001"}
    event = read(json.dumps(body).encode(), app_id=APP)
    assert (event.object, event.external_id, event.account) == (APP_EVENT, "CmpHarbour0000000001", "")


def test_an_installation_of_nothing_is_a_bad_payload() -> None:
    with pytest.raises(BadPayload, match="locationId"):
        read(json.dumps({"type": "UNINSTALL", "appId": APP}).encode(), app_id=APP)


def test_a_signed_event_of_another_app_is_not_ours() -> None:
    """The signing key is the same for every app (contracts/ghl, section 2.2)."""
    event = read(delivery(appId="ffffffffffffffffffffffff"), app_id=APP)
    assert (event.verdict, event.reason, event.external_id) == (Verdict.IGNORED, "for another app", "")


def test_without_a_configured_app_every_app_is_ours() -> None:
    assert read(delivery(appId="ffffffffffffffffffffffff")).verdict is Verdict.HANDLED


def test_without_a_delivery_id_equal_deliveries_get_an_equal_one() -> None:
    first, again = (read(raw("webhook_contact_update_without_webhook_id")) for _ in range(2))
    assert first.by_content
    assert first.delivery_id == again.delivery_id
    assert first.delivery_id != read(delivery(webhookId=..., city="Odense")).delivery_id


def test_the_same_nameless_body_at_two_urls_is_two_deliveries() -> None:
    body = raw("webhook_invoice_paid_without_type")
    assert read(body, event="InvoiceUpdate").delivery_id != read(body, event="InvoicePaid").delivery_id


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe{}", "{}".encode("utf-16"), b"[" * 100_000]
)
def test_what_is_no_json_object_is_a_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayload):
        read(body)
    with pytest.raises(BadPayload):
        read_workflow(body)


@pytest.mark.parametrize("contact_id", [..., None, "", 7, ["a"], "a/b", "..", "x" * 101, "nul\0", "\ud800"])
def test_a_handled_event_without_a_usable_id_is_a_bad_payload(contact_id: Any) -> None:
    with pytest.raises(BadPayload, match="id"):
        read(delivery(id=contact_id))


@pytest.mark.parametrize("field", ["webhookId", "locationId"])
@pytest.mark.parametrize("value", ["x" * 101, 7, {"a": 1}, "nul\0"])
def test_an_id_that_cannot_be_stored_is_a_bad_payload(field: str, value: Any) -> None:
    with pytest.raises(BadPayload, match=field):
        read(delivery(**{field: value}))


def test_a_workflow_webhook_names_its_contact_and_location() -> None:
    event = read_workflow(raw("webhook_workflow"))
    assert (event.kind, event.object, event.external_id, event.account) == ("Workflow", "contact", CONTACT, LOCATION)
    assert event.verdict is Verdict.HANDLED
    assert event.by_content


def test_a_workflow_webhook_without_a_contact_is_a_bad_payload() -> None:
    with pytest.raises(BadPayload, match="contact_id"):
        read_workflow(b'{"location": {"id": "LocNorthQuay00000001"}}')


def test_a_workflow_webhook_without_a_location_leaves_it_to_the_url() -> None:
    assert read_workflow(b'{"contact_id": "ConMiraAndersen00001", "location": "here"}').account == ""


@given(
    st.dictionaries(
        st.sampled_from(["type", "id", "locationId", "altId", "appId", "webhookId", "data", "location", "contact_id"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)),
    )
)
def test_whatever_is_delivered_it_is_an_event_or_a_bad_payload(body: dict[str, Any]) -> None:
    for reader in (read, read_workflow):
        try:
            event = reader(json.dumps(body).encode())
        except BadPayload:
            continue
        assert event.delivery_id.isprintable()
