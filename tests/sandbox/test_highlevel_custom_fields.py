from typing import Any

import pytest

from tests.sandbox.bench import HERE, Bench

PATH = f"/locations/{HERE}/customFields"


def test_a_custom_field_is_made_and_takes_values(bench: Bench) -> None:
    wanted = {"name": "Berth Length", "dataType": "NUMERICAL", "placeholder": "metres"}
    field = bench.api("POST", PATH, wanted)["customField"]
    assert (field["fieldKey"], field["model"], field["placeholder"]) == ("contact.berth_length", "contact", "metres")
    assert field in bench.api("GET", PATH, model="contact")["customFields"]
    contact = bench.contact(customFields=[{"id": field["id"], "field_value": 12.5}])
    kept = bench.http.get(f"/contacts/{contact}").json()["contact"]["customFields"]
    assert kept == [{"id": field["id"], "value": 12.5}]


def test_the_same_name_is_free_for_another_model(bench: Bench) -> None:
    wanted = {"name": "VAT Number", "dataType": "TEXT"}
    assert bench.ask("POST", PATH, wanted).status_code == 400
    made = bench.api("POST", PATH, {**wanted, "model": "opportunity"})["customField"]
    assert made["fieldKey"] == "opportunity.vat_number"
    assert bench.api("GET", PATH, model="opportunity")["customFields"] == [made]


@pytest.mark.parametrize("body", [{"name": "X"}, {"name": "X", "dataType": "TEXT", "model": "business"}])
def test_a_bad_custom_field_is_refused(bench: Bench, body: dict[str, Any]) -> None:
    assert bench.ask("POST", PATH, body).status_code == 422


def test_making_one_needs_its_own_scope(bench: Bench) -> None:
    scopes = ["locations/customFields.readonly", "contacts.write"]
    bench.control("POST", "tokens", {"token": "lesser", "locationId": HERE, "scopes": scopes})
    wanted = {"name": "Berth Length", "dataType": "NUMERICAL"}
    assert bench.ask("POST", PATH, wanted, {"Authorization": "Bearer lesser"}).status_code == 401
