import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadPayload
from app.providers.base import Verdict
from app.providers.invoice_ninja.webhook import EVENTS, HANDLED, IGNORED_BECAUSE, SECRET_HEADER, authentic, read
from tests.providers.invoice_ninja.recordings import recording

CLIENT_HOOKS = [
    "hook_1_client_created",
    "hook_10_client_updated",
    "hook_11_client_deleted",
    "hook_37_client_archived",
    "hook_45_client_restored",
]
DIGEST = hashlib.sha256(b"s3cret").hexdigest()


def test_every_event_of_the_vendor_is_declared_under_its_own_name() -> None:
    assert recording("webhook_events") == EVENTS
    assert len(EVENTS) == 65


def test_every_event_is_on_exactly_one_list_and_no_reason_is_empty() -> None:
    ignored = [event_id for group in IGNORED_BECAUSE.values() for event_id in group]
    assert sorted([*HANDLED, *ignored]) == sorted(EVENTS)
    assert all(IGNORED_BECAUSE)


@pytest.mark.parametrize("case", CLIENT_HOOKS)
def test_a_recorded_client_event_becomes_a_hint_to_look_at_that_contact(case: str) -> None:
    delivery = recording(case)
    event = read(delivery["body_raw"].encode(), delivery["event_id"])
    assert event.verdict is Verdict.HANDLED
    assert event.object == "contact"
    assert event.external_id == json.loads(delivery["body_raw"])["id"]
    assert event.kind == EVENTS[delivery["event_id"]]
    assert event.account == ""


def test_a_recorded_invoice_event_is_news_of_what_happened_and_of_the_clients_balance() -> None:
    delivery = recording("hook_8_invoice_updated")
    body = json.loads(delivery["body_raw"])
    event = read(delivery["body_raw"].encode(), delivery["event_id"])
    assert (event.verdict, event.kind) == (Verdict.HANDLED, "EVENT_UPDATE_INVOICE")
    news = [(event.object, event.external_id), *event.also]
    told = [("balance", body["client_id"]), ("opportunity", f"invoice/{body['id']}"), ("invoice", body["id"])]
    assert news[-3:] == told
    assert {object_ for object_, _ in news[:-3]} <= {"notice"}


BILL = {"id": "Wpmbk5ezJn", "client_id": "VolejRejNm", "status_id": "3", "amount": 100, "balance": 60.5, "date": ""}


def news_of(event_id: str, **entity: Any) -> set[tuple[str, str]]:
    event = read(json.dumps(entity).encode(), event_id)
    return {(event.object, event.external_id), *event.also}


def test_an_event_names_each_state_that_its_record_has_reached() -> None:
    invitations = [{"id": "x", "viewed_date": "2026-11-20 10:00:00"}]
    assert news_of("8", **BILL, invitations=invitations) == {
        ("notice", "invoice/Wpmbk5ezJn/sent"),
        ("notice", "invoice/Wpmbk5ezJn/viewed"),
        ("notice", "invoice/Wpmbk5ezJn/partial/39.5"),
        ("balance", "VolejRejNm"),
        ("opportunity", "invoice/Wpmbk5ezJn"),
        ("invoice", "Wpmbk5ezJn"),
    }


def test_a_payment_is_news_of_its_invoices_and_its_client() -> None:
    """No event of the invoice comes with it: section 8."""
    payment = {"id": "gl9avmeG1v", "client_id": "VolejRejNm", "status_id": "5", "amount": 50, "refunded": 10}
    paid = {**BILL, "status_id": "4", "balance": 0}
    assert news_of("31", **payment, invoices=[paid]) == {
        ("notice", "payment/gl9avmeG1v/received"),
        ("notice", "payment/gl9avmeG1v/refunded/10"),
        ("notice", "invoice/Wpmbk5ezJn/paid"),
        ("balance", "VolejRejNm"),
        ("opportunity", "invoice/Wpmbk5ezJn"),
        ("payment", "gl9avmeG1v/Wpmbk5ezJn"),
    }


def test_issue_invoiceninja_9573_an_invoice_with_an_open_rest_is_not_paid_whatever_its_status_says() -> None:
    assert ("notice", "invoice/Wpmbk5ezJn/paid") not in news_of("8", **{**BILL, "status_id": "4"})


def test_a_cancelled_invoice_owes_nothing_and_is_not_paid() -> None:
    names = {id_ for object_, id_ in news_of("8", **{**BILL, "status_id": "5", "balance": 0}) if object_ == "notice"}
    assert names == {"invoice/Wpmbk5ezJn/sent", "invoice/Wpmbk5ezJn/cancelled"}


def test_a_deleted_payment_names_no_invoice_and_is_news_of_all_its_parts() -> None:
    payment = {"id": "gl9avmeG1v", "client_id": "VolejRejNm", "is_deleted": True, "invoices": [], "paymentables": []}
    assert ("payment", "gl9avmeG1v") in news_of("12", **payment)


def test_a_draft_is_no_news_of_anything_that_happened() -> None:
    news = news_of("2", **{**BILL, "status_id": "1", "balance": 0})
    assert news == {
        ("balance", "VolejRejNm"),
        ("opportunity", "invoice/Wpmbk5ezJn"),
        ("invoice", "Wpmbk5ezJn"),
    }


def test_what_says_nothing_that_is_synced_is_ignored_with_a_reason() -> None:
    event = read(json.dumps({**BILL, "status_id": "1", "client_id": ""}).encode(), "27")
    assert (event.verdict, event.kind, event.object) == (Verdict.IGNORED, "EVENT_CREATE_CREDIT", "")
    assert event.reason


@pytest.mark.parametrize("event_id", ["66", "0", "-1", "01", "", "client", "9" * 500])
def test_an_event_id_nobody_knows_is_loud_and_never_an_error(event_id: str) -> None:
    event = read(b'{"id":"VolejRejNm"}', event_id)
    assert event.verdict is Verdict.UNKNOWN
    assert event.external_id == ""
    assert len(event.kind) < 40


def test_an_unknown_event_needs_no_id() -> None:
    assert read(b"{}", "66").verdict is Verdict.UNKNOWN
    assert read(b"{}", "5").verdict is Verdict.IGNORED


def test_issue_invoiceninja_6578_the_same_news_twice_has_one_delivery_id_and_may_still_be_news() -> None:
    raw = recording("hook_10_client_updated")["body_raw"].encode()
    first, second = read(raw, "10"), read(raw, "10")
    assert first.delivery_id == second.delivery_id
    assert first.by_content


def test_issue_invoiceninja_12051_the_event_id_only_says_that_something_happened() -> None:
    """An archive event may be sent for a restore: the hint is the same record, whatever the event claims."""
    raw = recording("hook_45_client_restored")["body_raw"].encode()
    archived, restored = read(raw, "37"), read(raw, "45")
    assert archived.external_id == restored.external_id
    assert archived.delivery_id != restored.delivery_id


def test_a_client_without_contacts_or_number_is_a_hint_like_any_other() -> None:
    """QUEUE_CONNECTION=sync delivers CREATE_CLIENT before both exist: section 8."""
    assert read(b'{"id":"VolejRejNm","number":"","contacts":[]}', "1").external_id == "VolejRejNm"


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"null", b"[]", b'"VolejRejNm"', b"7", b"\xff\xfe{\x00}\x00", b"[" * 100_000]
)
def test_a_body_that_is_not_an_object_in_json_and_utf_8_is_a_bad_payload(raw: bytes) -> None:
    with pytest.raises(BadPayload):
        read(raw, "1")


@pytest.mark.parametrize(
    "entity",
    [
        {},
        {"id": None},
        {"id": ""},
        {"id": 7},
        {"id": ["VolejRejNm"]},
        {"id": "x" * 101},
        {"id": "../users"},
        {"id": "a\u0000b"},
        {"id": "Volej\n"},
    ],
)
def test_a_client_event_without_a_usable_id_is_a_bad_payload(entity: dict[str, Any]) -> None:
    with pytest.raises(BadPayload):
        read(json.dumps(entity).encode(), "10")


def test_an_id_of_up_to_a_hundred_characters_is_accepted() -> None:
    assert read(json.dumps({"id": "x" * 100}).encode(), "10").external_id == "x" * 100


@given(raw=st.binary(max_size=60), event_id=st.text(max_size=8))
def test_no_delivery_raises_anything_but_a_bad_payload(raw: bytes, event_id: str) -> None:
    try:
        event = read(raw, event_id)
    except BadPayload:
        return
    assert len(event.delivery_id) == 64


def test_only_the_secret_that_belongs_to_the_digest_is_authentic() -> None:
    assert authentic("s3cret", DIGEST)
    assert not authentic("s3cret ", DIGEST)
    assert not authentic("", DIGEST)
    assert not authentic("é\udce9", DIGEST)


def test_a_connection_without_a_secret_accepts_nothing() -> None:
    assert not authentic("", "")
    assert not authentic("anything", "")
    assert not authentic("", hashlib.sha256(b"").hexdigest())


def test_the_digest_itself_does_not_open_the_door() -> None:
    assert not authentic(DIGEST, DIGEST)


def test_a_custom_header_arrives_as_it_was_configured() -> None:
    """The recorder had configured X-Hook-Secret; ours is configured in the same way."""
    assert recording("hook_10_client_updated")["headers"]["X-Hook-Secret"] == "s3cr3t-value"
    assert SECRET_HEADER == "X-Crossledger-Secret"
