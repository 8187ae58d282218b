import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Gone
from app.providers.invoice_ninja.mapping import (
    COLUMNS,
    Place,
    create_payload,
    fields,
    read,
    update_payload,
)
from app.sync.records import Kind
from app.sync.values import same
from tests.providers.invoice_ninja.conftest import DATA
from tests.providers.invoice_ninja.recordings import client

JANE, BOB = "VolejRejNm", "Wpmbk5ezJn"


def test_a_change_of_the_client_sends_its_settings_back_and_leaves_the_contacts_alone() -> None:
    """Recorded: PUT {name} turned a EUR client into a USD one."""
    lost = client("clients_update_without_contacts")["settings"]
    assert (client()["settings"]["currency_id"], lost["currency_id"]) == ("3", "1")
    payload = update_payload(client(), JANE, {"name": "Acme Limited"}, "", DATA)
    assert payload == {"name": "Acme Limited", "settings": client()["settings"]}


def test_a_change_of_one_contact_names_all_of_them_and_says_of_the_others_no_more_than_it_must() -> None:
    payload = update_payload(client(), BOB, {"email": "robert@acme.example"}, "", DATA)
    jane, bob = payload["contacts"]
    assert payload.keys() == {"settings", "contacts"}
    assert jane == {"id": JANE, "is_primary": True, "send_email": True}
    assert bob == {"id": BOB, "is_primary": False, "send_email": False, "email": "robert@acme.example"}


def test_a_portal_password_is_never_sent_back_as_asterisks() -> None:
    current = client()
    current["contacts"][1]["password"] = "**********"
    payload = update_payload(current, JANE, {"first_name": "Janet"}, "", DATA)
    assert all("password" not in contact for contact in payload["contacts"])


def test_a_contact_of_another_client_is_never_named() -> None:
    """Its id would move that contact here, without a question."""
    with pytest.raises(Gone):
        update_payload(client(), "QJ0dN6dLOv", {"email": "victim@x.example"}, "", DATA)


def test_a_client_without_contacts_gets_one_and_no_id_is_made_up() -> None:
    payload = update_payload({**client(), "contacts": []}, "", {"email": "a@b.example"}, "", DATA)
    assert payload["contacts"] == [{"email": "a@b.example"}]


def test_an_emptied_value_travels_as_empty() -> None:
    payload = update_payload(client(), JANE, {"country": "", "phone": ""}, "", DATA)
    assert payload["country_id"] == ""
    assert payload["contacts"][0]["phone"] == ""


def test_the_number_is_never_sent() -> None:
    """Sent as null it is counted anew, and invoices show it."""
    everything = {column.spec.name: "GB" for column in COLUMNS}
    assert "number" not in update_payload(client(), JANE, everything, "hl_1", DATA)


def test_an_empty_slot_is_filled() -> None:
    current = {**client(), "custom_value1": ""}
    payload = update_payload(current, "", {}, "hl_1", DATA)
    assert payload == {"custom_value1": "hl_1", "settings": current["settings"]}


@pytest.mark.parametrize("held", ["hl_1", "hl_2"])
def test_a_slot_that_holds_an_id_is_not_written_over(held: str) -> None:
    assert update_payload({**client(), "custom_value1": held}, "", {}, "hl_1", DATA) == {}


def test_nothing_to_write_is_an_empty_payload() -> None:
    assert update_payload(client(), "", {}, "", DATA) == {}


def test_no_payload_changes_what_was_read() -> None:
    current = client()
    update_payload(current, BOB, {"email": "x@y.example", "name": "N"}, "hl_1", DATA)
    assert current == client()


# A model of how the vendor applies a PUT, from the contract alone: section 3.
def served(before: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    after = copy.deepcopy({**before, **payload, "settings": payload.get("settings", {"currency_id": "1"})})
    if "contacts" not in payload:
        return after
    known = {contact["id"]: contact for contact in before["contacts"]}
    assert all(sent.get("id", "new") in {*known, "new"} for sent in payload["contacts"]), "a stolen contact"
    after["contacts"] = [
        {**known.get(sent.get("id", ""), {"id": f"new{n}"}), **sent} for n, sent in enumerate(payload["contacts"])
    ]
    return after


text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12).map(str.strip)
values = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from(["", *spec.options])
        if spec.options is not None
        else st.sampled_from(["GB", "US", "DE", ""])
        if spec.kind is Kind.COUNTRY
        else text
        for name, spec in fields(DATA).items()
        if name != "custom_value1"  # the slot of DATA: the field map keeps it out
    },
)
written = st.tuples(values, st.sampled_from(["", "hl_1", "hl_2"]))


def unmapped(holder: Mapping[str, Any], place: Place) -> dict[str, Any]:
    ours = {column.word for column in COLUMNS if column.place is place} | {"contacts"}
    return {word: value for word, value in holder.items() if word not in ours}


@given(part=st.sampled_from(["", JANE, BOB]), updates=st.lists(written, max_size=5))
def test_no_sequence_of_updates_touches_what_is_not_mapped(
    part: str, updates: list[tuple[dict[str, str], str]]
) -> None:
    start = client()
    start["contacts"][1]["password"] = "**********"
    now: Mapping[str, Any] = start
    for wanted, slot in updates:
        payload = update_payload(now, part, wanted, slot, DATA)
        now = served(now, payload) if payload else now
    assert unmapped(now, Place.CLIENT) == unmapped(start, Place.CLIENT)
    for before, after in zip(start["contacts"], now["contacts"], strict=True):
        assert unmapped(after, Place.CONTACT) == unmapped(before, Place.CONTACT)
        if before["id"] != (part or JANE):
            assert after == before
    assert now["custom_value1"] == start["custom_value1"]


@given(part=st.sampled_from(["", JANE, BOB]), wanted=values)
def test_what_is_written_is_read_back_in_our_words(part: str, wanted: dict[str, str]) -> None:
    payload = update_payload(client(), part, wanted, "", DATA)
    after = read(served(client(), payload), part=part, data=DATA) if payload else read(client(), part=part, data=DATA)
    specs = fields({})
    assert all(same(specs[name].kind, after.values[name], value) for name, value in wanted.items())


@given(wanted=values)
def test_a_created_client_is_read_back_in_our_words(wanted: dict[str, str]) -> None:
    empty = {word: "" for word in client() if isinstance(client()[word], str)}
    payload = create_payload(wanted, "", DATA)
    contacts = [{"id": "new0123456", **c} for c in payload.pop("contacts", [{"email": " "}])]
    answer = {**client("clients_create_minimal_empty_body"), **empty, "id": "x", **payload, "contacts": contacts}
    after = read(answer, data=DATA)
    specs = fields({})
    assert all(same(specs[name].kind, after.values[name], value) for name, value in wanted.items())
