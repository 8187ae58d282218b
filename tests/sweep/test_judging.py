"""What a record that was read means: the table of what is news, and of what is counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.models.link import LinkState
from app.sweep.judging import Finding, Heard, Known, Terms, judge, shown
from app.sync.fieldmap import Pair, resolve
from app.sync.records import FieldSpec, Presence, Record, Side

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHANGED = NOW - timedelta(hours=1)
FIELDS = {"city": FieldSpec(name="city", label="City")}
RULES, _ = resolve((Pair("city", "city"),), FIELDS, FIELDS)
TERMS = Terms(
    side=Side.BILLING,
    rules=RULES,
    begun=NOW - timedelta(days=1) + timedelta(milliseconds=500),
    now=NOW,
    grace=timedelta(minutes=2),
    told=True,
    leave_young=True,
    in_parts=False,
    pauses=False,
)
RECORD = Record(id="c1", values={"city": "Rome"}, created_at=NOW - timedelta(days=9), updated_at=CHANGED)
PAIR = Known(
    base={"city": "Berlin"},
    state=LinkState.OK,
    problem="",
    part="",
    parent="",
    partner="hl1",
    created_at=NOW - timedelta(hours=9),
)
NO_BASE = replace(PAIR, base=None, partner="")
SAME = replace(RECORD, values={"city": "Berlin"})
BEFORE, AFTER = Heard(CHANGED - timedelta(seconds=1)), Heard(CHANGED)

TABLE: dict[str, tuple[Finding, Record, Known | None, Heard]] = {
    "a change without an event": (Finding.MISSED, RECORD, PAIR, Heard()),
    "a change after the last event": (Finding.MISSED, RECORD, PAIR, BEFORE),
    "a change of which an event told": (Finding.NEWS, RECORD, PAIR, AFTER),
    "a change whose event waits": (Finding.NOTHING, RECORD, PAIR, Heard(CHANGED, pending=True)),
    "a change whose partner's event waits": (Finding.NOTHING, RECORD, PAIR, Heard(None, pending=True)),
    "a change that is too young": (Finding.LATER, replace(RECORD, updated_at=NOW), PAIR, Heard()),
    "the echo of our own write": (Finding.NOTHING, SAME, PAIR, Heard()),
    "a new record": (Finding.MISSED, RECORD, None, Heard()),
    "a new record of which an event told": (Finding.NEWS, RECORD, None, AFTER),
    "a record from before the bridge": (
        Finding.NOTHING,
        replace(RECORD, updated_at=NOW - timedelta(days=2)),
        None,
        Heard(),
    ),
    "a record of the bridge's own second": (
        Finding.MISSED,
        replace(RECORD, updated_at=NOW - timedelta(days=1)),
        None,
        Heard(),
    ),
    "a new record that shows no times": (
        Finding.NEWS,
        replace(RECORD, created_at=None, updated_at=None),
        None,
        Heard(),
    ),
    "a new record that takes no part": (Finding.NOTHING, replace(RECORD, aside="a draft"), None, Heard()),
    "an edit of one that takes no part, and still takes none": (
        Finding.NOTHING,
        replace(RECORD, aside="a client with one person is no business"),
        replace(NO_BASE, state=LinkState.EXCLUDED, problem="aside", created_at=CHANGED - timedelta(hours=1)),
        BEFORE,
    ),
    "an edit of a client that is a business, read as a person": (
        Finding.NEWS,
        RECORD,
        replace(NO_BASE, state=LinkState.EXCLUDED, problem="parts", created_at=CHANGED - timedelta(hours=1)),
        BEFORE,
    ),
    "a deleted one that was never known": (
        Finding.NOTHING,
        replace(RECORD, presence=Presence.DELETED),
        None,
        Heard(),
    ),
    "a deleted one of a pair": (Finding.MISSED, replace(SAME, presence=Presence.DELETED), PAIR, Heard()),
    "a pair that a person has cut": (Finding.NOTHING, RECORD, replace(PAIR, state=LinkState.UNLINKED), Heard()),
    "one that came back": (
        Finding.MISSED,
        SAME,
        replace(PAIR, state=LinkState.UNLINKED, problem="billing_gone"),
        Heard(),
    ),
    "one whose partner is gone": (
        Finding.NOTHING,
        RECORD,
        replace(PAIR, state=LinkState.UNLINKED, problem="crm_gone"),
        Heard(),
    ),
    "one on its way": (Finding.NOTHING, RECORD, replace(NO_BASE, state=LinkState.PENDING), Heard()),
    "one that is left out, and was changed since": (
        Finding.MISSED,
        RECORD,
        replace(NO_BASE, state=LinkState.EXCLUDED),
        BEFORE,
    ),
    "one that is left out, as an event told": (
        Finding.NOTHING,
        RECORD,
        replace(NO_BASE, state=LinkState.EXCLUDED),
        AFTER,
    ),
    "one that failed before it was changed": (
        Finding.MISSED,
        RECORD,
        replace(NO_BASE, state=LinkState.FAILED, created_at=CHANGED - timedelta(hours=1)),
        Heard(),
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_a_record_means(case: str) -> None:
    finding, record, known, heard = TABLE[case]
    assert judge(TERMS, record, known, heard) is finding


VARIED: dict[str, tuple[Finding, dict[str, Any], Record, Known]] = {
    "an object of whose changes no event tells": (Finding.NEWS, {"told": False}, RECORD, PAIR),
    "a young change at a person's wish": (
        Finding.NEWS,
        {"leave_young": False},
        replace(RECORD, updated_at=NOW),
        PAIR,
    ),
    "a part that joined another whole": (Finding.NEWS, {"in_parts": True}, replace(SAME, parent="b2"), PAIR),
    "an archived one, where that pauses it": (
        Finding.MISSED,
        {"pauses": True},
        replace(SAME, presence=Presence.ARCHIVED),
        PAIR,
    ),
    "an archived one, where that does not matter": (
        Finding.NOTHING,
        {},
        replace(SAME, presence=Presence.ARCHIVED),
        PAIR,
    ),
    "a paused one that is restored": (
        Finding.MISSED,
        {"pauses": True},
        SAME,
        replace(PAIR, state=LinkState.EXCLUDED, problem="archived"),
    ),
}


@pytest.mark.parametrize("case", VARIED)
def test_what_it_means_by_other_terms(case: str) -> None:
    finding, terms, record, known = VARIED[case]
    assert judge(replace(TERMS, **terms), record, known, Heard()) is finding


def client(**values: str) -> Record:
    people = tuple(
        Record(id=f"c1/{own}", parent="c1", values={"email": email, "city": ""}) for own, email in values.items()
    )
    return replace(RECORD, part=next(iter(values)), parts=people, values={"email": values[next(iter(values))]})


def test_a_pair_of_the_second_person_is_compared_with_the_second_person() -> None:
    record = client(p1="jane@acme.example", p2="joe@acme.example")
    (mine,) = shown(record, {"c1": replace(PAIR, part="p2")})
    assert mine.values["email"] == "joe@acme.example"


def test_persons_are_looked_at_one_by_one_where_their_client_is_a_business() -> None:
    record = client(p1="jane@acme.example", p2="joe@acme.example", p3="")
    assert [each.id for each in shown(record, {})] == ["c1"]
    assert [each.id for each in shown(record, {"c1/p3": PAIR})] == ["c1", "c1/p3"]
    known = {"c1": replace(NO_BASE, state=LinkState.EXCLUDED, problem="parts")}
    assert [each.id for each in shown(record, known)] == ["c1", "c1/p1", "c1/p2"]
