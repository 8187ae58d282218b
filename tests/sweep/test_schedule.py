"""When a sweep is due, and that bridges do not all begin in the same minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from app.connections import Connections
from app.directory import BridgeView, ConnectionView
from app.providers.highlevel.provider import HighLevel
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.runs import Runs
from app.sweep.readings import Scope, readings
from app.sweep.schedule import Schedule
from app.sync.policy import BridgeSettings
from app.sync.records import Side

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROVIDERS = {each.name: each for each in (HighLevel(), InvoiceNinja())}


def view(provider: str) -> ConnectionView:
    blank: dict[str, Any] = dict.fromkeys(("state", "base_url", "account_id", "sealed", "secret_digest"), "")
    return ConnectionView(id=1, provider=provider, key_digest=None, data={}, **blank)


def bridge(id_: int = 1, **settings: Any) -> BridgeView:
    return BridgeView(
        id=id_,
        enabled=True,
        crm=view("highlevel"),
        billing=view("invoice_ninja"),
        settings=BridgeSettings.model_validate(settings),
        created_at=NOW - timedelta(minutes=10),
    )


@pytest.fixture
def schedule() -> Schedule:
    class Known:
        providers = PROVIDERS

    return Schedule(cast(Connections, Known()), cast(Runs, None))


def keys(of: BridgeView, scope: Scope) -> list[str]:
    return [each.key for each in readings(of, PROVIDERS, scope)]


def test_silent_objects_are_read_every_five_minutes_and_the_rest_as_the_bridge_says(schedule: Schedule) -> None:
    plain, tasks = bridge(), bridge(task={"enabled": True})
    assert schedule.due(plain, {}, NOW) is None
    assert schedule.due(plain, {}, NOW + timedelta(minutes=5)).scope is Scope.CHANGED  # type: ignore[union-attr]
    assert schedule.due(tasks, {}, NOW).scope is Scope.SILENT  # type: ignore[union-attr]
    quick = bridge(sweep_minutes=1, task={"enabled": True})
    assert schedule.due(quick, {Scope.SILENT: NOW, Scope.CHANGED: NOW}, NOW + timedelta(seconds=59)) is None
    assert schedule.due(plain, {}, NOW + timedelta(days=1)).scope is Scope.FULL  # type: ignore[union-attr]


def test_two_hundred_bridges_begin_in_turn(schedule: Schedule) -> None:
    many = [bridge(number) for number in range(200)]
    assert schedule._most(many) == 14  # each quarter of an hour all of them
    assert schedule._most([*many[:1]]) == 1
    assert schedule._most([replace(each, settings=BridgeSettings(sweep_minutes=1)) for each in many]) == 200


def test_what_is_read_of_a_bridge() -> None:
    assert keys(bridge(), Scope.SILENT) == []
    assert keys(bridge(), Scope.CHANGED) == keys(bridge(), Scope.FULL) == ["crm/contact", "billing/contact"]
    one_way = bridge(contact={"direction": "to_billing"})
    assert keys(one_way, Scope.FULL) == ["crm/contact"]
    grouped = bridge(business={"enabled": True}, note={"enabled": True})
    assert keys(grouped, Scope.SILENT) == ["crm/business", "crm/contact", "billing/note"]
    assert keys(grouped, Scope.FULL) == [
        "crm/business",
        "billing/business",
        "crm/contact",
        "billing/contact",
        "billing/note",
    ]
    found = readings(grouped, PROVIDERS, Scope.FULL)
    assert {each.key for each in found if not each.told} == {"crm/business", "billing/note"}
    assert {each.key for each in found if not each.whole} == {"billing/note"}


def test_every_object_is_read_or_says_why_not() -> None:
    for provider in PROVIDERS.values():
        for name, capability in provider.capabilities.items():
            assert bool(capability.unlisted) == (capability.lists.value == "none"), (provider.name, name)
    assert {Side.CRM, Side.BILLING} == {each.side for each in PROVIDERS.values()}
