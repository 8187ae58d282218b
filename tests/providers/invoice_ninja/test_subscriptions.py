"""The plan: which subscriptions are made, mended and taken away, and that nobody else's ever are."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.hooks import Change, Mailbox, Step
from app.providers.invoice_ninja.subscriptions import headers, is_ours, plan
from app.providers.invoice_ninja.webhook import HANDLED, SECRET_HEADER, address
from app.providers.invoice_ninja.wire import Webhook, WebhookPage
from app.vault import digest
from tests.providers.invoice_ninja.recordings import body

ROOT = "https://sync.example.com/webhooks"
OTHER = "the-key-of-another-connection"
FORMER = "a-key-that-we-had"
MAILBOX = Mailbox(root=ROOT, key="our-key", secret="our-secret", former=frozenset({digest(FORMER)}))
GOOD = {SECRET_HEADER: "our-secret"}


def hook(event: str = "1", id_: str = "a", *, key: str = "our-key", root: str = ROOT, **fields: Any) -> Webhook:
    given_ = {"id": id_, "event_id": event, "target_url": address(root, key, event), "headers": GOOD}
    return Webhook.model_validate({**given_, **fields})


def complete() -> list[Webhook]:
    return [hook(event, f"id{event}") for event in HANDLED]


def done(changes: Sequence[Change], *, but: Step = Step.KEEP) -> list[tuple[str, str, str]]:
    return [(change.step.value, change.event, change.id) for change in changes if change.step is not but]


def test_an_empty_company_gets_one_for_each_event_that_is_handled() -> None:
    changes = plan([], MAILBOX)
    assert [(change.step, change.event) for change in changes] == [(Step.CREATE, event) for event in HANDLED]
    assert [change.name for change in changes] == [
        "client created",
        "client updated",
        "client deleted",
        "client archived",
        "client restored",
        "task created",
        "task updated",
        "task deleted",
        "task archived",
        "task restored",
    ]


def test_what_is_in_place_is_kept_and_nothing_is_done() -> None:
    changes = plan(complete(), MAILBOX)
    assert done(changes) == []
    assert {change.id for change in changes} == {hook.id for hook in complete()}


def test_one_that_a_person_entered_by_hand_is_adopted() -> None:
    """The same URL and event: a second one would be called as well."""
    by_hand = hook("1", "handmade")
    assert [change.id for change in plan([by_hand], MAILBOX) if change.event == "1"] == ["handmade"]


@pytest.mark.parametrize(
    "wrong", [[], None, "X-Crossledger-Secret: our-secret", [{SECRET_HEADER: "our-secret"}], {SECRET_HEADER: "old"}, {}]
)
def test_headers_that_are_never_sent_or_wrong_are_repaired(wrong: Any) -> None:
    """Section 8: a string is stored but never sent, and with a list nothing is ever delivered."""
    changes = plan([*complete()[1:], hook("1", "bad", headers=wrong)], MAILBOX)
    assert done(changes) == [("repair", "1", "bad")]


def test_a_header_that_somebody_added_stays() -> None:
    mine = hook(headers={"x-crossledger-secret": "old", "X-Route": "eu"})
    assert headers(mine, MAILBOX) == {"X-Route": "eu", SECRET_HEADER: "our-secret"}


def test_an_archived_one_is_restored_and_where_needed_repaired() -> None:
    assert done(plan([*complete()[1:], hook("1", "gone", archived_at=5)], MAILBOX)) == [("restore", "1", "gone")]
    both = hook("1", "gone", archived_at=5, headers=[])
    assert done(plan([*complete()[1:], both], MAILBOX)) == [("restore", "1", "gone"), ("repair", "1", "gone")]


def test_a_deleted_one_is_left_deleted_and_a_new_one_made() -> None:
    changes = plan([*complete()[1:], hook("1", "dead", archived_at=5, is_deleted=True)], MAILBOX)
    assert done(changes) == [("create", "1", "")]


def test_of_doubles_the_best_stays_whatever_the_order() -> None:
    doubles = [hook("1", "c", headers=[]), hook("1", "b"), hook("1", "z"), hook("1", "a", archived_at=5)]
    for some in (doubles, doubles[::-1]):
        assert done(plan([*complete()[1:], *some], MAILBOX)) == [
            ("delete", "1", each.id) for each in some if each.id != "b"
        ]


def test_what_calls_an_address_that_is_not_used_any_more_goes() -> None:
    old_key = hook("1", "old", key=FORMER)
    old_address = hook("1", "moved", root="https://former.example.com/webhooks")
    unused_event = hook("2", "invoices")
    changes = plan([*complete(), old_key, old_address, unused_event], MAILBOX)
    assert done(changes) == [("delete", "1", "old"), ("delete", "1", "moved"), ("delete", "2", "invoices")]
    assert [change.reason for change in changes[-3:]] == [
        "it calls an address of this installation that is not used any more",
        "it calls an address of this installation that is not used any more",
        "this event is not asked for",
    ]


FOREIGN = [
    "https://other.example.com/webhooks/invoice-ninja/some-key/1",
    "https://sync.example.com.evil.example/webhooks/invoice-ninja/our-key-too/1",
    "https://sync.example.com/webhooks/something-else/1",
    "https://hooks.example/catch/1?next=https://sync.example.com/webhooks/invoice-ninja/x/1",
    "https://relay.example/forward?to=https://sync.example.com/webhooks/invoice-ninja/our-key/1",
    "https://[broken/webhooks/invoice-ninja/another-key/1",
    address(ROOT, OTHER, "1"),
    "",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_what_is_somebody_elses_is_never_named(url: str) -> None:
    """Nor what belongs to another connection, of this installation or of another one with the same address."""
    theirs = hook("1", "theirs", target_url=url)
    assert not is_ours(theirs, MAILBOX)
    for events in (tuple(HANDLED), ()):
        assert "theirs" not in {change.id for change in plan([theirs, *complete()], MAILBOX, events)}


def test_nothing_is_taken_away_before_its_successor_is_there() -> None:
    steps = [change.step for change in plan([hook("1", "old", key=FORMER), hook("10", headers=[])], MAILBOX)]
    assert steps == sorted(steps, key=list(Step).index)
    assert steps[-1] is Step.DELETE


def test_for_a_farewell_everything_of_ours_goes() -> None:
    stale = hook("45", "old", key=FORMER)
    changes = plan([*complete(), stale, hook("1", "theirs", target_url=FOREIGN[0])], MAILBOX, events=())
    assert {change.step for change in changes} == {Step.DELETE}
    assert {change.id for change in changes} == {*(each.id for each in complete()), "old"}


def test_no_secret_is_in_a_change() -> None:
    said = repr(plan([*complete()[1:], hook("1", "x", key=FORMER)], MAILBOX)) + repr(MAILBOX) + repr(complete())
    for secret in ("our-key", "our-secret", FORMER):
        assert secret not in said


def test_the_recorded_list_is_read_and_none_of_it_is_ours() -> None:
    listed = WebhookPage.model_validate(body("webhooks_list")).data
    assert len(listed) > 1
    assert not any(is_ours(each, MAILBOX) for each in listed)


# --- any company, any history -----------------------------------------------------------------------------------------

urls = st.one_of(
    st.sampled_from(FOREIGN),
    st.builds(
        address,
        st.sampled_from([ROOT, "https://former.example.com/webhooks"]),
        st.sampled_from(["our-key", FORMER, OTHER]),
        st.sampled_from(["1", "10", "2", "999"]),
    ),
)
webhooks = st.builds(
    lambda **fields: Webhook.model_validate(fields),
    id=st.uuids().map(lambda id_: id_.hex[:10]),
    event_id=st.sampled_from(["1", "10", "11", "37", "45", "2", "999"]),
    target_url=urls,
    headers=st.sampled_from([GOOD, {}, [], "text", None, {SECRET_HEADER: "old"}, {**GOOD, "X-More": "1"}]),
    archived_at=st.sampled_from([0, 5]),
    is_deleted=st.sampled_from([False, False, True]),
)
companies = st.lists(webhooks, max_size=12, unique_by=lambda each: each.id)


def carried_out(existing: Iterable[Webhook], changes: Sequence[Change]) -> list[Webhook]:
    """The company afterwards."""
    rows = {each.id: each for each in existing}
    for number, change in enumerate(changes):
        match change.step:
            case Step.CREATE:
                made = hook(change.event, f"new{number}", headers=dict(headers(None, MAILBOX)))
                rows[made.id] = made
            case Step.RESTORE:
                rows[change.id] = rows[change.id].model_copy(update={"archived_at": 0})
            case Step.REPAIR:
                url, sent = address(ROOT, "our-key", change.event), dict(headers(rows[change.id], MAILBOX))
                rows[change.id] = rows[change.id].model_copy(update={"target_url": url, "headers": sent})
            case Step.DELETE:
                rows[change.id] = rows[change.id].model_copy(update={"is_deleted": True, "archived_at": 5})
    return list(rows.values())


@given(companies)
def test_doing_it_twice_changes_nothing(company: list[Webhook]) -> None:
    after = carried_out(company, plan(company, MAILBOX))
    assert done(plan(after, MAILBOX)) == []


@given(companies)
def test_issue_n8n_8147_afterwards_each_event_calls_once_with_the_secret(company: list[Webhook]) -> None:
    after = carried_out(company, plan(company, MAILBOX))
    live = [each for each in after if not each.archived_at and not each.is_deleted and is_ours(each, MAILBOX)]
    assert sorted(each.event_id for each in live) == sorted(HANDLED)
    for each in live:
        assert each.target_url == address(ROOT, "our-key", each.event_id)
        assert each.headers[SECRET_HEADER] == "our-secret"


@given(companies)
def test_what_is_not_ours_is_as_it_was(company: list[Webhook]) -> None:
    after = {each.id: each for each in carried_out(company, plan(company, MAILBOX))}
    assert all(after[each.id] == each for each in company if not is_ours(each, MAILBOX))


@given(companies)
def test_after_a_farewell_nothing_of_ours_is_left_and_all_else_is(company: list[Webhook]) -> None:
    after = {each.id: each for each in carried_out(company, plan(company, MAILBOX, events=()))}
    assert not any(is_ours(each, MAILBOX) for each in after.values())
    assert all(after[each.id] == each for each in company if not is_ours(each, MAILBOX))


@given(companies, st.randoms())
def test_two_that_install_at_once_keep_the_same_one(company: list[Webhook], random: Any) -> None:
    """Each lists in an order of its own; neither may delete what the other keeps."""
    shuffled = list(company)
    random.shuffle(shuffled)
    for some in (company, shuffled):
        kept = {change.id for change in plan(some, MAILBOX) if change.step is not Step.DELETE and change.id}
        gone = {change.id for change in plan(company, MAILBOX) if change.step is Step.DELETE}
        assert not kept & gone


@given(companies)
def test_one_connection_never_touches_what_another_keeps(company: list[Webhook]) -> None:
    theirs = replace(MAILBOX, key=OTHER)
    named = {change.id for change in plan(company, MAILBOX) if change.id}
    assert not named & {each.id for each in company if OTHER in each.target_url}
    assert not {change.id for change in plan(company, theirs) if change.id} & {
        each.id for each in company if "/our-key/" in each.target_url
    }
