"""From activities to wishes, and what is found there now: decisions without a database or a network."""

from dataclasses import replace
from typing import Any

import pytest

from app.models.undo import UndoOutcome
from app.sync.records import FieldSpec, Kind, Presence, Record, Side, Writable
from app.undo.comparing import Finding, compare, ended
from app.undo.folding import Done, Wish, fold
from app.undo.scope import Scope

ALL = Scope(last=100)
CITY = FieldSpec(name="city", label="City")


def change(before: str, after: str, field: str = "city", side: str = "billing", **more: Any) -> dict[str, Any]:
    names = {"crm": field.split(":")[0], "billing": field.split(":")[-1]}
    return {"field": field, "side": side, **names, "before": before, "after": after, "why": "", **more}


def done(*changes: dict[str, Any], id_: int = 1, action: str = "updated") -> Done:
    return Done(id=id_, action=action, changes=changes)


def one(*activities: Done, scope: Scope = ALL) -> Wish:
    (wish,) = fold(activities, scope, {})
    return wish


def found(wish: Wish, now: str, spec: FieldSpec = CITY, **record: Any) -> Finding:
    return compare(wish, spec, Record(id="1", values={spec.name: now}, **record))


def test_the_oldest_before_and_the_newest_after_count() -> None:
    wish = one(done(change("b", "c")), done(change("a", "b")))
    assert (wish.back, wish.wrote, wish.name) == ("a", ("c",), "city")


def test_each_side_and_field_is_a_wish_of_its_own() -> None:
    both = done(change("a", "b"), change("x", "y", side="crm"), change("1", "2", field="state"))
    wishes = fold([both], ALL, {})
    assert {(each.side, each.field) for each in wishes} == {("billing", "city"), ("crm", "city"), ("billing", "state")}


@pytest.mark.parametrize(
    ("narrowed", "fields"),
    [({"side": Side.CRM}, {"state"}), ({"fields": ("city",)}, {"city"}), ({"fields": ("record",)}, set())],
)
def test_a_scope_is_narrowed_by_side_and_field(narrowed: dict[str, Any], fields: set[str]) -> None:
    both = done(change("a", "b"), change("1", "2", field="state", side="crm"))
    assert {each.field for each in fold([both], Scope(last=100, **narrowed), {})} == fields


def test_what_was_held_or_refused_was_not_written() -> None:
    held = {"field": "city", "side": "billing", "held": "x", "why": "no room"}
    assert fold([done(held, {"field": "city", "note": "too long"})], ALL, {}) == []


def test_a_record_that_was_made_goes_as_a_whole() -> None:
    made = done(change("", "a"), change("", "b", field="state"), action="created")
    wish = one(done(change("a", "z")), made)
    assert (wish.record, wish.side, wish.back) == (True, Side.BILLING, "")
    assert {each.field for each in fold([made], Scope(last=100, fields=("city",)), {})} == {"city"}


def test_an_activity_from_before_names_were_told_is_read_by_the_field_map() -> None:
    old = {"field": "name", "side": "crm", "before": "a", "after": "b"}
    (wish,) = fold([done(old)], ALL, {"name": {Side.CRM: "company", Side.BILLING: "name"}})
    assert wish.name == "company"


def test_only_what_is_still_as_we_left_it_goes_back() -> None:
    wish = one(done(change("London", "York")))
    assert found(wish, "York").write == "London"
    assert found(wish, "Leeds").outcome is UndoOutcome.CHANGED_SINCE
    assert (found(wish, "London").outcome, found(wish, "London").write) == (UndoOutcome.RESTORED, None)


def test_what_the_vendor_made_of_our_value_is_ours() -> None:
    wish = one(done(change("London", "york", kept="YORK")))
    assert found(wish, "YORK").write == "London"
    phone = FieldSpec(name="city", label="Phone", kind=Kind.PHONE)
    assert found(one(done(change("", "+442079460018"))), "+44 20 7946 0018", phone).write == ""


@pytest.mark.parametrize(
    ("spec", "record", "reason"),
    [
        (replace(CITY, writable=Writable.NEVER), {}, "cannot be changed"),
        (replace(CITY, options=frozenset({"york"})), {}, "not known there"),
        (CITY, {"locked": {"city": "the invoice was sent"}}, "the invoice was sent"),
        (CITY, {"presence": Presence.DELETED}, "gone"),
    ],
)
def test_what_cannot_go_back_is_said(spec: FieldSpec, record: dict[str, Any], reason: str) -> None:
    finding = found(one(done(change("London", "York"))), "York", spec, **record)
    assert finding.outcome is UndoOutcome.CANNOT
    assert reason in finding.reason


def test_a_value_goes_back_as_it_was_written() -> None:
    phone = FieldSpec(name="city", label="Phone", kind=Kind.PHONE)
    wish = one(done(change("+44 (20) 7946-0018", "+12125550147")))
    assert found(wish, "+12125550147", phone).write == "+44 (20) 7946-0018"


def test_a_field_that_is_not_there_any_more_cannot_go_back() -> None:
    wish = one(done(change("London", "York")))
    assert compare(wish, None, Record(id="1", values={})).outcome is UndoOutcome.CANNOT
    assert compare(wish, CITY, None).outcome is UndoOutcome.CANNOT


def test_a_value_that_the_vendor_did_not_keep_is_not_said_to_be_restored() -> None:
    finding = found(one(done(change("London", "York"))), "York")
    assert ended(finding, CITY, Record(id="1", values={"city": "York"})).outcome is UndoOutcome.CANNOT
    assert ended(finding, CITY, Record(id="1", values={"city": "LONDON"})).write == "LONDON"


TAGS = FieldSpec(name="custom_value1", label="Custom 1")


@pytest.mark.parametrize(
    ("now", "after"),
    [
        ("added, kept", "kept, removed"),
        ("Added, by hand, kept", "by hand, kept, removed"),
        ("kept", "kept, removed"),
        ("added, kept, removed", "kept, removed"),
    ],
)
def test_only_the_words_that_we_changed_go_back(now: str, after: str) -> None:
    wish = one(done(change("kept, removed", "added, kept", field="tags:custom_value1")))
    assert found(wish, now, TAGS).write == after


def test_a_word_that_somebody_gave_back_stays() -> None:
    """We added it and took it away again; what is there now is a person's."""
    wish = one(
        done(change("new", "", field="tags:custom_value1")),
        done(change("", "new", field="tags:custom_value1")),
    )
    assert found(wish, "new", TAGS).write is None


def test_tags_are_no_one_word_of_a_list() -> None:
    spec = FieldSpec(name="tags", label="Tags", kind=Kind.TAGS, options=frozenset({"a", "b"}))
    wish = one(done(change("a, b", "", field="tags:custom_value1", side="crm")))
    assert found(wish, "", spec).write == "a, b"


def test_no_tag_is_cut_to_make_room() -> None:
    wish = one(done(change("a long word", "", field="tags:custom_value1")))
    assert found(wish, "by hand", replace(TAGS, max_length=12)).outcome is UndoOutcome.CANNOT
