"""What is said, and what a change of what holds changes: pure."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.models.alert import AlertKind, Thing
from app.notify.changes import Open, Turn, turns
from app.notify.messages import Change, Condition, message, words

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def condition(kind: AlertKind = AlertKind.FAILURES, **changed: Any) -> Condition:
    return Condition(
        **{"kind": kind, "thing": Thing.BRIDGE, "thing_id": 3, "name": "Main street", "count": 12, **changed}
    )


@pytest.mark.parametrize("kind", AlertKind)
@pytest.mark.parametrize("change", Change)
def test_each_says_what_happened_to_what_and_what_to_do(kind: AlertKind, change: Change) -> None:
    title, text, cure = words(condition(kind, level=90, cure="Make a new token."), change)
    assert "“Main street”" in title
    assert "bridge 3" in text
    assert text.endswith(".")
    assert bool(cure) is (change is not Change.ENDED)
    assert "{" not in title + text + cure


def test_one_is_not_many() -> None:
    assert words(condition(count=1), Change.BEGAN)[0] == "One record failed on “Main street”"
    assert words(condition(count=1234), Change.BEGAN)[0] == "1,234 records failed on “Main street”"


def test_a_name_stays_on_one_line_and_is_not_taken_for_a_place_to_fill_in() -> None:
    title, text, _ = words(condition(name="x\r\nBcc: all@example.com {count} " + "y" * 200), Change.BEGAN)
    assert "\n" not in title + text
    assert "x Bcc: all@example.com {count} yyy" in title
    assert len(title) < 120


def test_a_message_names_its_subject_and_keeps_its_id_each_time() -> None:
    what = condition(AlertKind.RECONNECT, thing=Thing.CONNECTION, cure="Make a new token.")
    one, again = (message(7, Change.BEGAN, what, NOW, "https://sync.example.com") for _ in range(2))
    assert one == again
    assert (one.id, one.type, one.at) == ("alert-7-began", "alert.began", "2026-11-21T12:00:00+00:00")
    assert one.subject == {"type": "connection", "id": 3, "name": "Main street"}
    assert one.url == "https://sync.example.com/connections"
    levels = {message(7, Change.ROSE, condition(AlertKind.BUDGET, level=n), NOW, "").id for n in (90, 100)}
    assert levels == {"alert-7-rose-90", "alert-7-rose-100"}


def opened(**changed: Any) -> Open:
    return Open(7, condition(**changed))


def test_what_begins_is_told_once() -> None:
    assert turns([], [condition()]) == [Turn(Change.BEGAN, None, condition())]
    assert turns([opened()], [condition()]) == []


def test_what_is_over_is_told_in_the_words_it_was_known_by() -> None:
    assert turns([opened()], []) == [Turn(Change.ENDED, 7, condition())]


def test_a_higher_level_is_told_and_a_lower_one_is_not() -> None:
    assert turns([opened(level=70)], [condition(level=90)]) == [Turn(Change.ROSE, 7, condition(level=90))]
    assert turns([opened(level=90)], [condition(level=70)]) == []


def test_another_count_is_kept_and_not_told() -> None:
    assert turns([opened(count=12)], [condition(count=13)]) == [Turn(None, 7, condition(count=13))]


def test_what_cannot_be_said_for_sure_begins_nothing_and_ends_nothing() -> None:
    assert turns([], [condition(level=0)]) == []
    assert turns([opened()], [condition(level=0)]) == []


def test_the_same_condition_of_another_thing_is_another() -> None:
    changes = turns([opened()], [condition(), condition(thing_id=4), condition(AlertKind.CONFLICT)])
    assert [(each.change, each.condition.kind, each.condition.thing_id) for each in changes] == [
        (Change.BEGAN, AlertKind.CONFLICT, 3),
        (Change.BEGAN, AlertKind.FAILURES, 4),
    ]
