from datetime import UTC, datetime

import pytest

from app.errors import Gone, Rejected
from app.providers.invoice_ninja.countries import country_code, country_id
from app.providers.invoice_ninja.mapping import (
    COLUMNS,
    SLOT_FIELDS,
    Place,
    contact_of,
    create_payload,
    fields,
    read,
    slot_field,
    update_payload,
)
from app.providers.invoice_ninja.wire import Company
from app.sync.records import Presence
from app.sync.values import fit
from tests.providers.invoice_ninja.conftest import DATA
from tests.providers.invoice_ninja.recordings import client, recording

JANE, BOB = "VolejRejNm", "Wpmbk5ezJn"


def test_a_recorded_client_is_read_in_our_words() -> None:
    record = read(client("clients_get"), data=DATA)
    assert record.id == "VolejRejNm"
    assert record.values == {
        "name": "Acme Ltd",
        "first_name": "Jane",
        "last_name": "Doe",
        "email": "jane@acme.example",
        "phone": "+44 20 7946 0000",
        "client_phone": "+1 555 0100",
        "address1": "1 Main St",
        "address2": "Suite 2",
        "city": "London",
        "state": "LDN",
        "postal_code": "N1 1AA",
        "country": "GB",
        "website": "https://acme.example",
        "group": "",
        "vat_number": "GB123",
        "id_number": "ghl-abc123",
        "public_notes": "public",
        "private_notes": "private",
        "custom_value1": "ghl_contact_id:abc123",
        "custom_value2": "",
        "custom_value3": "",
        "custom_value4": "",
        "contact_custom_value1": "cv1",
        "contact_custom_value2": "",
        "contact_custom_value3": "",
        "contact_custom_value4": "",
    }
    assert record.presence is Presence.ACTIVE
    assert record.slot == "ghl_contact_id:abc123"


def test_times_are_aware_and_never_is_none() -> None:
    record = read(client(), data=DATA)
    assert record.created_at == datetime(2026, 11, 21, 0, 9, 49, tzinfo=UTC)
    assert read({**client(), "updated_at": 0}, data=DATA).updated_at is None


def test_the_part_names_the_contact_whose_values_are_read() -> None:
    record = read(client(), part=BOB, data=DATA)
    assert record.part == BOB
    assert (record.values["first_name"], record.values["email"]) == ("Bob", "bob@acme.example")
    assert record.values["name"] == "Acme Ltd"


def test_without_a_part_the_primary_contact_is_read_wherever_it_stands() -> None:
    reversed_ = {**client(), "contacts": client()["contacts"][::-1]}
    assert read(reversed_, data=DATA).part == JANE


def test_without_a_primary_contact_the_first_one_is_read() -> None:
    flagless = client()
    flagless["contacts"][0]["is_primary"] = False
    assert contact_of(flagless, "")["id"] == JANE


def test_two_primary_contacts_after_a_merge_are_no_riddle() -> None:
    merged = client()
    merged["contacts"][1]["is_primary"] = True
    assert contact_of(merged, "")["id"] == JANE


def test_the_single_space_of_a_blank_contact_is_an_empty_email() -> None:
    blank = client("clients_create_minimal_empty_body")
    assert blank["contacts"][0]["email"] == " "
    assert read(blank, data=DATA).values["email"] == ""


def test_a_client_without_contacts_reads_as_empty_contact_fields() -> None:
    record = read({**client(), "contacts": []}, data=DATA)
    assert record.part == ""
    assert record.values["email"] == ""
    assert record.values["name"] == "Acme Ltd"


def test_a_contact_that_left_the_client_is_gone_and_not_blank() -> None:
    with pytest.raises(Gone):
        read(client(), part="gone012345", data=DATA)


def test_a_deleted_client_is_deleted_even_when_its_contact_is_gone_too() -> None:
    record = read({**client("clients_get_deleted"), "contacts": []}, part="gone012345", data=DATA)
    assert record.presence is Presence.DELETED
    assert record.part == "gone012345"


def test_deleting_archives_too_and_still_reads_as_deleted() -> None:
    deleted = client("clients_get_deleted")
    assert deleted["archived_at"] > 0
    assert read(deleted, data=DATA).presence is Presence.DELETED
    assert read({**deleted, "is_deleted": False}, data=DATA).presence is Presence.ARCHIVED


def test_the_answer_to_a_write_is_cut_where_the_column_cuts() -> None:
    """The recorded create answer shows 300 characters; the next GET will show 191."""
    shown = client("errors_too_long_name")
    assert len(shown["name"]) > 191
    assert len(read(shown, data=DATA).values["name"]) == 191


def test_notes_are_not_cut() -> None:
    assert len(read({**client(), "private_notes": "n" * 5000}, data=DATA).values["private_notes"]) == 5000


def test_null_is_read_as_empty() -> None:
    assert read({**client(), "name": None, "country_id": None}, data=DATA).values["name"] == ""


@pytest.mark.parametrize("name", SLOT_FIELDS)
def test_the_slot_may_be_in_any_field_that_is_offered(name: str) -> None:
    data = {**DATA, "slot_field": name}
    assert read({**client(), name: " hl_1 "}, data=data).slot == "hl_1"
    assert create_payload({"name": "A"}, "hl_1", data) == {"name": "A", name: "hl_1"}


def test_the_slot_is_in_custom_value4_where_nothing_was_chosen() -> None:
    assert slot_field({}) == "custom_value4"


def test_a_slot_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Rejected, match="number"):
        slot_field({"slot_field": "number"})


def test_issue_invoiceninja_2272_a_country_is_an_id_there_and_a_code_here() -> None:
    assert country_code("826", DATA) == "GB"
    assert country_id("GB", DATA) == "826"


def test_a_country_is_known_without_the_table_by_its_iso_number() -> None:
    assert country_code("4", {}) == "AF"
    assert country_id("AF", {}) == "4"


def test_the_table_wins_over_the_iso_numbers() -> None:
    assert country_id("GB", {"countries": {"999": "GB"}}) == "999"
    assert country_code("826", {"countries": {"826": "UK"}}) == "UK"


def test_a_country_nobody_knows_is_not_empty() -> None:
    assert country_code("530", {}) == "530"
    assert country_code("", DATA) == ""


def test_a_country_the_vendor_would_replace_in_silence_is_refused() -> None:
    with pytest.raises(Rejected, match="ZZ"):
        create_payload({"country": "ZZ"}, "", DATA)


def test_a_new_client_carries_its_contact_its_country_id_and_its_slot() -> None:
    values = {"name": "Acme", "email": "jane@acme.example", "phone": "+442079460000", "country": "GB", "state": ""}
    assert create_payload(values, "hl_1", DATA) == {
        "name": "Acme",
        "country_id": "826",
        "custom_value1": "hl_1",
        "contacts": [{"email": "jane@acme.example", "phone": "+442079460000"}],
    }


def test_the_two_phones_go_to_two_places() -> None:
    payload = create_payload({"phone": "1", "client_phone": "2"}, "", DATA)
    assert payload == {"phone": "2", "contacts": [{"phone": "1"}]}


def test_an_unknown_field_is_loud() -> None:
    with pytest.raises(KeyError):
        update_payload(client(), "", {"nmae": "x"}, "", DATA)


def test_every_column_is_in_the_recorded_client_or_contact() -> None:
    holders = {Place.CLIENT: client(), Place.CONTACT: client()["contacts"][0]}
    assert all(column.word in holders[column.place] for column in COLUMNS)


def test_no_two_columns_share_a_name_or_a_place() -> None:
    assert len(fields({})) == len(COLUMNS) == len({(column.place, column.word) for column in COLUMNS})


def test_issue_phorest_sync_results_what_the_vendor_validates_is_held_back_before() -> None:
    assert fit(fields({})["email"], "not-an-email").refused
    assert fit(fields({})["country"], "Atlantis").refused
    assert not fit(fields({})["phone"], "ask for Jane").refused


def test_the_create_request_we_recorded_is_the_one_the_table_would_make() -> None:
    """The recorded body was written by hand; the table makes the same words of the same values."""
    recorded = recording("clients_create")["request"]["body"]
    made = create_payload(dict(read(client(), data=DATA).values), "", DATA)
    assert made.pop("contacts")[0].items() <= recorded["contacts"][0].items()
    assert made.items() <= recorded.items()


def test_custom_values_are_called_as_the_company_calls_them() -> None:
    told = {"client1": "VIP level|single_line_text", "contact2": "Birthday|date", "client2": "", "client3": None}
    company = Company.model_validate({"company_key": "k", "settings": {}, "custom_fields": told})
    specs = fields({"labels": company.labels})
    assert (specs["custom_value1"].label, specs["contact_custom_value2"].label) == ("VIP level", "Birthday")
    assert (specs["custom_value2"].label, specs["custom_value3"].label) == (
        "Client custom value 2",
        "Client custom value 3",
    )
    assert Company.model_validate({"company_key": "k", "settings": {}, "custom_fields": []}).labels == {}
