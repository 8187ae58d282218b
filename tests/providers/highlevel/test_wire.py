from typing import Any

import pytest
from pydantic import BaseModel

from app.errors import AnswerLost, CrossledgerError, Duplicate, Forbidden, Gone, Reconnect, Rejected
from app.providers.highlevel.oauth import AUTHORIZE_URLS
from app.providers.highlevel.replies import (
    ContactReply,
    CustomFieldsReply,
    LocationReply,
    SearchReply,
    UpdateReply,
    reply,
)
from app.providers.highlevel.wire import HighLevelDialect
from app.providers.http import Dialect
from app.settings import Settings
from tests.providers.highlevel.recorded import TOKEN, load


def refusal(case: str, status: int) -> CrossledgerError:
    dialect: Dialect = HighLevelDialect(TOKEN)
    return dialect.refusal(status, load(case))


@pytest.mark.parametrize(
    ("case", "status", "named"),
    [
        ("refused_token_401", 401, Reconnect),
        ("refused_scope_401", 401, Forbidden),
        ("refused_location_403", 403, Forbidden),
        ("gone_400", 400, Gone),
        ("gone_404", 404, Gone),
        ("not_gone_unknown_route_404", 404, Rejected),
        ("not_gone_location_400", 400, Rejected),
        ("refused_values_422", 422, Rejected),
        ("refused_values_400", 400, Rejected),
        ("refused_duplicate_400", 400, Duplicate),
    ],
)
def test_a_refusal_is_named_by_what_to_do_next(case: str, status: int, named: type[CrossledgerError]) -> None:
    failure = refusal(case, status)
    assert type(failure) is named
    assert str(status) in str(failure)


def test_the_vendors_own_words_are_kept() -> None:
    assert "does not have access to this location" in str(refusal("refused_location_403", 403))


def test_complaints_are_sorted_by_the_field_they_name() -> None:
    failure = refusal("refused_values_422", 422)
    assert isinstance(failure, Rejected)
    assert failure.status == 422
    assert failure.fields == {
        "email": "email must be an email",
        "companyName": "property companyName should not exist",
    }


def test_a_refused_duplicate_names_the_contact_that_is_there() -> None:
    failure = refusal("refused_duplicate_400", 400)
    assert isinstance(failure, Duplicate)
    assert failure.existing == "ConAlreadyThere00001"


@pytest.mark.parametrize("meta", [None, [], {}, {"contactId": None}, {"contactId": "../x"}])
def test_a_duplicate_without_a_usable_id_is_a_plain_refusal(meta: Any) -> None:
    assert type(HighLevelDialect(TOKEN).refusal(400, {"message": "duplicated", "meta": meta})) is Rejected


@pytest.mark.parametrize("body", [None, "<html>", [], {}, {"message": ""}, {"message": None}])
@pytest.mark.parametrize("status", [400, 404])
def test_an_answer_that_is_not_highlevels_never_says_that_a_contact_is_gone(status: int, body: Any) -> None:
    failure = HighLevelDialect(TOKEN).refusal(status, body)
    assert type(failure) is Rejected
    assert "no explanation" in str(failure)


@pytest.mark.parametrize(
    "message", ["Location not found", "Contact custom field not found", "No access: contact your agency"]
)
def test_something_else_that_is_missing_is_not_the_contact(message: str) -> None:
    assert type(HighLevelDialect(TOKEN).refusal(400, {"message": message})) is Rejected


def test_a_bare_not_found_counts_only_in_highlevels_own_form() -> None:
    dialect = HighLevelDialect(TOKEN)
    assert type(dialect.refusal(404, {"statusCode": 404, "message": "Not Found"})) is Gone
    assert type(dialect.refusal(404, {"message": "Not Found"})) is Rejected


@pytest.mark.parametrize("body", [{"message": "odd"}, {"error": "odd"}, {"detail": "odd"}, {"message": ["odd"]}])
def test_the_explanation_is_found_wherever_it_stands(body: Any) -> None:
    assert str(HighLevelDialect(TOKEN).refusal(422, body)) == "HighLevel answers 422: odd"


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (200, {}, None),
        (200, {"x-ratelimit-remaining": "1", "x-ratelimit-daily-remaining": "1"}, None),
        (200, {"x-ratelimit-remaining": "0"}, 0.5),
        (200, {"x-ratelimit-daily-remaining": "0"}, 3600),
        (429, {}, 10),
        (429, {"x-ratelimit-interval-milliseconds": "5000"}, 5),
        (429, {"retry-after": "3", "x-ratelimit-interval-milliseconds": "5000"}, 3),
        (429, {"x-ratelimit-interval-milliseconds": "soon"}, 10),
        (429, {"retry-after": "3", "x-ratelimit-daily-remaining": "0"}, 3600),
    ],
)
def test_calls_pause_when_highlevel_has_had_enough(status: int, headers: dict[str, str], seconds: float | None) -> None:
    assert HighLevelDialect(TOKEN).pause(status, headers) == seconds


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({}, None),
        ({"x-ratelimit-daily-remaining": "199876"}, 199_876),
        ({"x-ratelimit-daily-remaining": "0"}, 0),
        ({"x-ratelimit-daily-remaining": "-1"}, None),
        ({"x-ratelimit-daily-remaining": "9" * 20}, None),
    ],
)
def test_what_highlevel_says_to_be_left_of_the_day_is_read(headers: dict[str, str], left: int | None) -> None:
    assert HighLevelDialect(TOKEN).left_today(headers) == left


def test_the_standard_page_of_consent_is_what_the_setting_is_without_being_set() -> None:
    assert AUTHORIZE_URLS["standard"] == Settings.model_fields["highlevel_authorize_url"].default


def test_the_token_is_not_in_the_dialects_text() -> None:
    assert TOKEN not in repr(HighLevelDialect(TOKEN))


def test_every_call_carries_the_token_and_the_version() -> None:
    assert HighLevelDialect(TOKEN).headers() == {
        "Authorization": f"Bearer {TOKEN}",
        "Version": "2021-07-28",
        "Accept": "application/json",
    }


@pytest.mark.parametrize("spelling", ["succeded", "succeeded"])
def test_both_spellings_of_success_are_read(spelling: str) -> None:
    """HighLevel writes `succeded` in v2 and `succeeded` in v3 (contracts/ghl, section 7)."""
    assert not reply(UpdateReply, {spelling: False}).succeeded


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (ContactReply, {}),
        (ContactReply, []),
        (ContactReply, {"contact": {"email": "a@b.example"}}),
        (ContactReply, {"contact": {"id": ""}}),
        (ContactReply, {"contact": {"id": "a/../b"}}),
        (SearchReply, {"contacts": None}),
        (SearchReply, {"contacts": [{"id": 7}]}),
        (LocationReply, {"location": "x"}),
        (CustomFieldsReply, {"customFields": [{"id": "x"}]}),
    ],
)
def test_an_answer_of_another_shape_is_refused(model: type[BaseModel], body: Any) -> None:
    with pytest.raises(Rejected, match="documented shape"):
        reply(model, body)


def test_an_unreadable_answer_to_a_write_is_a_lost_answer() -> None:
    with pytest.raises(AnswerLost):
        reply(ContactReply, {"ok": True}, failure=AnswerLost)


def test_what_is_new_in_an_answer_is_no_trouble() -> None:
    assert reply(SearchReply, load("search_one") | {"brandNew": 1}).contacts[0]["searchAfter"]
