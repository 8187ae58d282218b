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


def test_an_invoice_event_is_ignored_with_a_reason() -> None:
    delivery = recording("hook_8_invoice_updated")
    event = read(delivery["body_raw"].encode(), delivery["event_id"])
    assert (event.verdict, event.kind, event.object) == (Verdict.IGNORED, "EVENT_UPDATE_INVOICE", "")
    assert event.reason == "invoices are not synced"


@pytest.mark.parametrize("event_id", ["66", "0", "-1", "01", "", "client", "9" * 500])
def test_an_event_id_nobody_knows_is_loud_and_never_an_error(event_id: str) -> None:
    event = read(b'{"id":"VolejRejNm"}', event_id)
    assert event.verdict is Verdict.UNKNOWN
    assert event.external_id == ""
    assert len(event.kind) < 40


def test_an_unknown_event_needs_no_id() -> None:
    assert read(b"{}", "66").verdict is Verdict.UNKNOWN
    assert read(b"{}", "2").verdict is Verdict.IGNORED


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
