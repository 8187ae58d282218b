"""How pages say numbers, lengths of time and moments."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.api.overview import HourOut
from app.dashboard.charts import _failures
from app.dashboard.parts import count_of, lasting
from app.models.connection import ConnectionState, obstacle
from app.web.pages.layout import _TEMPLATES

HOUR = HourOut(hour=datetime(2026, 11, 22, 8, tzinfo=UTC), events=0, written=0, failures=0, median=None, slowest=None)


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 records"), (1, "1 record"), (2, "2 records"), (12_345, "12,345 records")]
)
def test_one_is_one_and_thousands_are_set_apart(count: int, said: str) -> None:
    assert count_of(count, "record") == said


def test_a_noun_with_a_plural_of_its_own_has_it() -> None:
    assert (count_of(1, "reply", "replies"), count_of(2, "reply", "replies")) == ("1 reply", "2 replies")


@pytest.mark.parametrize(
    ("failures", "said"), [(0, "None."), (1, "1 record was given up."), (2_000, "2,000 records were given up.")]
)
def test_the_chart_of_failures_says_what_it_shows(failures: int, said: str) -> None:
    assert _failures([HOUR, HOUR.model_copy(update={"failures": failures})])[0] == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "<1 min"), (59, "<1 min"), (60, "1 min"), (7_199, "1 h"), (200_000, "2 d")]
)
def test_a_length_of_time_has_one_unit(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


def test_a_template_says_moments_in_utc_wherever_the_database_is() -> None:
    rome = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=1)))
    assert _TEMPLATES.from_string("{{ at | moment }}").render(at=rome) == "2026-11-22 00:30:00"


@pytest.mark.parametrize("state", [state for state in ConnectionState if state is not ConnectionState.ACTIVE])
def test_why_nothing_goes_through_a_connection_is_said_in_words(state: ConnectionState) -> None:
    said = obstacle("highlevel", state)
    assert "HighLevel" in said
    assert state.value not in said or state is ConnectionState.DISABLED
    assert "_" not in said
