"""Steps: what each makes of a value, what it cannot read, and that what can be turned back is turned back."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from app.sync.steps import AnyStep, Step, Unreadable, back, lossy, named, there
from app.sync.values import clean_text


class Chain(BaseModel):
    steps: tuple[AnyStep, ...]


def chain(*steps: dict[str, Any]) -> tuple[Step, ...]:
    return Chain.model_validate({"steps": steps}).steps


def rows(**table: str) -> list[dict[str, str]]:
    return [{"value": value, "becomes": becomes} for value, becomes in table.items()]


SIZES = {"do": "table", "rows": rows(Gold="1", Silver="2")}
EUROPEAN = {"do": "date", "reads": "DD/MM/YYYY", "writes": "YYYY-MM-DD"}
CENTS = {"do": "money", "reads": "decimal", "writes": "minor", "currency": "USD"}


@pytest.mark.parametrize(
    ("step", "value", "made"),
    [
        ({"do": "trim"}, "  1  Elm   Row \n  York ", "1 Elm Row\nYork"),
        ({"do": "case", "to": "upper"}, "straße", "STRASSE"),
        ({"do": "case", "to": "lower"}, "ACME", "acme"),
        ({"do": "case", "to": "title"}, "mia D'ANGELO-rossi, carol's", "Mia D'Angelo-Rossi, Carol's"),
        ({"do": "phone", "region": "IT"}, "06 1234 5678", "+390612345678"),
        ({"do": "phone"}, "+1 (555) 010-0999", "+15550100999"),
        ({"do": "country", "writes": "name"}, "IT", "Italy"),
        ({"do": "country", "reads": "name", "writes": "code"}, "Bolivia", "BO"),
        ({"do": "country", "writes": "code_3"}, "gb", "GBR"),
        (EUROPEAN, "31/12/2026", "2026-12-31"),
        ({"do": "date", "reads": "Unix milliseconds", "writes": "ISO 8601"}, "0", "1970-01-01T00:00:00Z"),
        (
            {"do": "date", "reads": "ISO 8601", "writes": "DD.MM.YYYY", "zone": "Europe/Rome"},
            "2026-06-30T23:30:00Z",
            "01.07.2026",
        ),
        (CENTS, "12.50", "1250"),
        ({**CENTS, "currency": "JPY"}, "12", "12"),
        ({"do": "money", "reads": "minor", "writes": "with_currency", "currency": "KWD"}, "1250", "1.250 KWD"),
        (SIZES, "gold", "1"),
        ({"do": "default", "value": "unknown"}, "", "unknown"),
        ({"do": "template", "text": "{value} ({city})"}, "Acme", "Acme (York)"),
    ],
)
def test_a_step_makes(step: dict[str, Any], value: str, made: str) -> None:
    assert there(chain(step), value, {"city": "York"}) == made


@pytest.mark.parametrize(
    ("step", "value", "reason"),
    [
        ({"do": "phone"}, "06 1234 5678", "is no phone number; say in the step which country's numbers these are"),
        ({"do": "phone", "region": "IT"}, "call me", "“call me” is no phone number"),
        ({"do": "country"}, "Atlantis", "“Atlantis” is no known country"),
        (EUROPEAN, "12/31/2026", "“12/31/2026” is no date written as DD/MM/YYYY"),
        (CENTS, "12.505", "finer than the currency's smallest coin"),
        ({**CENTS, "reads": "minor"}, "12.50", "no whole number of the smallest coins"),
        (SIZES, "Bronze", "“Bronze” is not in the table"),
        ({"do": "date", "reads": "ISO 8601", "writes": "Unix seconds"}, "2026-01-01T10:00", "its time zone"),
        (
            {"do": "date", "reads": "YYYY-MM-DD HH:mm", "writes": "DD/MM/YYYY HH:mm", "zone": "Europe/Rome"},
            "2026-03-29 02:30",
            "the clocks of Europe/Rome have no",
        ),
        (
            {
                "do": "date",
                "reads": "YYYY-MM-DD HH:mm",
                "writes": "DD/MM/YYYY HH:mm",
                "zone": "UTC",
                "to_zone": "Europe/Rome",
            },
            "2026-10-25 01:30",
            "comes twice when the clocks go back",
        ),
    ],
)
def test_what_a_step_cannot_read_is_held_with_its_reason_or_passed_as_it_is(
    step: dict[str, Any], value: str, reason: str
) -> None:
    with pytest.raises(Unreadable, match=r".*") as refused:
        there(chain(step), value, {})
    assert reason in str(refused.value)
    assert there(chain({**step, "otherwise": "pass"}), value, {}) == value


def test_what_a_word_of_the_table_becomes_is_not_passed_on_as_itself() -> None:
    """It would come back as that word."""
    with pytest.raises(Unreadable, match="is what another value of the table becomes"):
        there(chain({**SIZES, "otherwise": "pass"}), "1", {})


def test_a_day_is_the_same_day_in_every_zone() -> None:
    step = {**EUROPEAN, "zone": "Pacific/Auckland", "to_zone": "America/Los_Angeles"}
    assert there(chain(step), "31/12/2026", {}) == "2026-12-31"


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"do": "case", "to": "upper"}, "capitals"),
        ({"do": "default", "value": "x"}, "whether there was nothing"),
        ({"do": "template", "text": "{value}!"}, "cannot be taken apart"),
        ({"do": "table", "rows": rows(Gold="1", Silver="1")}, "several values become “1”"),
        ({"do": "date", "reads": "ISO 8601", "writes": "YYYY-MM-DD"}, "tells more of the time"),
    ],
)
def test_a_step_that_forgets_something_says_so(step: dict[str, Any], why: str) -> None:
    assert why in lossy(chain({"do": "trim"}, step))


@pytest.mark.parametrize(
    "step",
    [
        {"do": "shout"},
        {"do": "template", "text": "{first_name"},
        {"do": "table", "rows": []},
        {"do": "table", "rows": rows(Gold="1", gold="2")},
        {"do": "date", "zone": "Europe/Atlantis"},
        {"do": "money", "currency": "XXX"},
        {"do": "phone", "region": "Italy"},
    ],
)
def test_a_step_that_makes_no_sense_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        chain(step)


def test_a_template_names_its_fields_and_is_empty_where_they_are() -> None:
    steps = chain({"do": "template", "text": "Dear {first_name} {last_name}, {value}"})
    assert named(steps) == ("first_name", "last_name")
    assert there(steps, "", {"first_name": " ", "city": "York"}) == ""
    assert there(steps, "", {"last_name": "Doe"}) == "Dear  Doe,"


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
COUNTRIES = st.sampled_from(["IT", "ITA", "Italy", "bo", "Bolivia", "Côte d'Ivoire", "Atlantis", "", "TW"])
PHONES = st.one_of(
    st.from_regex(r"\+39[ ]?3[0-9]{2}[ ./-]?[0-9]{6,7}", fullmatch=True),
    st.from_regex(r"0[0-9]{1,3}[ ./-]?[0-9]{5,8}", fullmatch=True),
    WORDS,
)
DATES = st.one_of(
    st.dates().map(lambda day: f"{day:%d/%m/}{day.year:04d}"), st.dates().map(lambda day: day.isoformat()), WORDS
)
TIMES = st.one_of(st.datetimes().map(lambda at: f"{at.year:04d}{at:-%m-%d %H:%M}"), WORDS)
AMOUNTS = st.one_of(st.decimals(-(10**9), 10**9, places=3).map(str), st.integers().map(str), WORDS)
ROWS = st.dictionaries(
    st.sampled_from(["Gold", "Silver", "1", "2", "x"]), st.sampled_from(["1", "2", "Gold", "uno", "DUE"]), min_size=1
)
OTHERWISE = st.sampled_from(["hold", "pass"])
ZONES = st.sampled_from(["UTC", "Europe/Rome", "America/Los_Angeles", "Pacific/Auckland"])
FORMS = ("decimal", "minor", "with_currency")

# Each with values that it is for, and with some that it is not.
STEPS: dict[str, tuple[st.SearchStrategy[dict[str, Any]], st.SearchStrategy[str]]] = {
    "trim": (st.just({"do": "trim"}), WORDS),
    "case": (st.fixed_dictionaries({"do": st.just("case"), "to": st.sampled_from(["upper", "title"])}), WORDS),
    "phone": (st.fixed_dictionaries({"do": st.just("phone"), "region": st.sampled_from(["", "IT", "US"])}), PHONES),
    "country": (
        st.fixed_dictionaries(
            {
                "do": st.just("country"),
                "reads": st.sampled_from(["code", "code_3", "name"]),
                "writes": st.sampled_from(["code", "code_3", "name"]),
            }
        ),
        COUNTRIES,
    ),
    "date": (
        st.fixed_dictionaries(
            {
                "do": st.just("date"),
                "reads": st.sampled_from(["DD/MM/YYYY", "YYYY-MM-DD"]),
                "writes": st.sampled_from(["YYYY-MM-DD", "MM/DD/YYYY", "ISO 8601"]),
                "zone": ZONES,
                "to_zone": ZONES,
            }
        ),
        DATES,
    ),
    "time": (
        st.fixed_dictionaries(
            {
                "do": st.just("date"),
                "reads": st.just("YYYY-MM-DD HH:mm"),
                "writes": st.sampled_from(["DD/MM/YYYY HH:mm", "YYYY-MM-DD HH:mm", "Unix seconds"]),
                "zone": ZONES,
                "to_zone": ZONES,
            }
        ),
        TIMES,
    ),
    "money": (
        st.fixed_dictionaries(
            {
                "do": st.just("money"),
                "reads": st.sampled_from(FORMS),
                "writes": st.sampled_from(FORMS),
                "currency": st.sampled_from(["USD", "JPY", "KWD"]),
            }
        ),
        AMOUNTS,
    ),
    "table": (
        ROWS.map(lambda table: {"do": "table", "rows": rows(**table)}),
        st.sampled_from(["Gold", "silver", "1", "2", "x", "uno", "due", "Bronze", ""]),
    ),
    "default": (st.just({"do": "default", "value": "none given"}), WORDS),
    "template": (st.just({"do": "template", "text": "{value} of {city}"}), WORDS),
}


@st.composite
def chains(draw: st.DrawFn) -> tuple[tuple[Step, ...], str]:
    """A chain, and a value for its first step."""
    kinds = draw(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=3))
    asked = [draw(STEPS[kind][0]) for kind in kinds]
    settled = [{**each, "otherwise": draw(OTHERWISE)} if _reads(each) else each for each in asked]
    return chain(*settled), draw(STEPS[kinds[0]][1])


def _reads(step: dict[str, Any]) -> bool:
    return step["do"] in ("phone", "country", "date", "money", "table")


@given(chains())
def test_a_chain_that_can_be_turned_back_is(drawn: tuple[tuple[Step, ...], str]) -> None:
    """What came back goes there as the same value again, and from then on nothing moves."""
    steps, value = drawn
    assume(not lossy(steps))
    try:
        made = there(steps, value, {})
    except Unreadable:
        return
    returned = back(steps, made)
    assert there(steps, returned, {}) == made
    assert back(steps, there(steps, returned, {})) == returned


@given(chains())
def test_no_step_erases_a_value(drawn: tuple[tuple[Step, ...], str]) -> None:
    steps, value = drawn
    try:
        made = there(steps, value, {})
    except Unreadable:
        return
    assert made or not clean_text(value)


MEANINGS: dict[str, Callable[[str], str]] = {
    "country": lambda value: there(chain({"do": "country", "writes": "code", "otherwise": "pass"}), value, {}),
    "phone": lambda value: _digits(value)[-6:],
    "money": lambda value: value.partition(" ")[0],
}


@given(st.sampled_from(["country", "phone", "money", "table", "date", "time", "trim"]), st.data())
def test_two_values_that_differ_do_not_become_one(kind: str, data: st.DataObject) -> None:
    """So it can be told from what there is which of the two it was."""
    step = {**data.draw(STEPS[kind][0]), **({"otherwise": data.draw(OTHERWISE)} if kind != "trim" else {})}
    steps = chain(step)
    assume(not lossy(steps))
    values = data.draw(STEPS[kind][1]), data.draw(STEPS[kind][1])
    try:
        made = [there(steps, each, {}) for each in values]
    except Unreadable:
        return
    if made[0] == made[1]:
        first, second = (back(steps, there(steps, each, {})) for each in values)
        assert first == second
        assert _alike(kind, *values, steps)


def _alike(kind: str, left: str, right: str, steps: tuple[Step, ...]) -> bool:
    """By what the two say, whatever the steps make of them."""
    if clean_text(left).casefold() == clean_text(right).casefold():
        return True
    if kind in MEANINGS:
        return bool(MEANINGS[kind](left) == MEANINGS[kind](right)) or (kind == "money" and _numbers(left, right, steps))
    if kind in ("date", "time"):
        return sorted(_digits(left)) == sorted(_digits(right))
    return " ".join(left.split()) == " ".join(right.split())


def _digits(text: str) -> str:
    return "".join(each for each in text if each.isdigit())


def _numbers(left: str, right: str, steps: tuple[Step, ...]) -> bool:
    return back(steps, there(steps, left, {})) == back(steps, there(steps, right, {}))
