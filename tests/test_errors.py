"""The tree of failures: what is caught as what."""

import inspect

import pytest

from app import errors
from app.errors import (
    AnswerLost,
    BadPayload,
    BadSignature,
    Choice,
    ConfigurationError,
    Conflict,
    CrossledgerError,
    Duplicate,
    Forbidden,
    Gone,
    Inactive,
    InternalError,
    OutOfDate,
    Reconnect,
    Rejected,
    Retry,
    Several,
    Unsupported,
    Wait,
)

PARENTS = {
    Retry: CrossledgerError,
    AnswerLost: Retry,
    InternalError: Retry,
    Wait: CrossledgerError,
    Inactive: Wait,
    Reconnect: CrossledgerError,
    Rejected: CrossledgerError,
    Forbidden: Rejected,
    Conflict: Rejected,
    Duplicate: Rejected,
    OutOfDate: Rejected,
    Choice: CrossledgerError,
    Gone: CrossledgerError,
    Several: CrossledgerError,
    Unsupported: CrossledgerError,
    BadSignature: CrossledgerError,
    BadPayload: CrossledgerError,
    ConfigurationError: CrossledgerError,
}


@pytest.mark.parametrize("failure", PARENTS, ids=lambda failure: failure.__name__)
def test_a_failure_hangs_where_the_tree_shows_it(failure: type[CrossledgerError]) -> None:
    assert failure.__bases__ == (PARENTS[failure],)


def test_every_failure_is_drawn_in_the_tree() -> None:
    defined = {each for _, each in inspect.getmembers(errors, inspect.isclass) if each.__module__ == errors.__name__}
    assert defined == {*PARENTS, CrossledgerError}
    assert all(each.__name__ in (errors.__doc__ or "") for each in defined)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (Retry("it answers 500", 3), "it answers 500"),
        (AnswerLost("no answer"), "no answer"),
        (Wait(1.25, "budget"), "waits 1.2 s: budget"),
        (Inactive("the location is not active"), "the location is not active"),
        (Reconnect("refused", 7), "refused"),
        (Rejected("no", 422, {"email": "bad"}), "no"),
        (Forbidden("no scope", 403), "no scope"),
        (Conflict("EUR here, USD there"), "EUR here, USD there"),
        (Duplicate("there is one", 400, existing="x1"), "there is one"),
        (Gone(), "the record does not exist any more"),
        (Unsupported("archive", "there is no such thing"), "archive: there is no such thing"),
        (BadPayload("not JSON"), "not JSON"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, CrossledgerError) else "",
)
def test_a_failure_tells_its_reason(failure: CrossledgerError, told: str) -> None:
    assert str(failure) == told


def test_failures_can_be_raised_kept_and_compared_by_identity() -> None:
    first, second = Retry("same"), Retry("same")
    assert {first: 1}[first] == 1
    assert first != second


def test_complaints_of_one_refusal_are_not_shared_with_another() -> None:
    first, second = Rejected("a"), Rejected("b")
    first.fields["email"] = "bad"
    assert second.fields == {}
