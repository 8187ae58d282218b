"""The set-up of a bridge through the API: its steps, parts of its settings, going live, and stopping everything."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.models.run import RunState
from app.setting_up import SetUp, Step
from tests.conftest import World, connect, until
from tests.flows.test_policies import second_location
from tests.planning.conftest import person, plan


async def set_up(world: World) -> dict[str, Any]:
    return dict((await world.admin.get(f"/api/v1/set-ups/{world.bridge_id}")).raise_for_status().json())


async def change(world: World, **part: Any) -> dict[str, Any]:
    """The answer's body, with its status."""
    answer = await world.admin.patch(f"/api/v1/set-ups/{world.bridge_id}", json=part)
    return {"status": answer.status_code, **answer.json()}


async def test_a_set_up_goes_on_where_it_was_left_and_is_gone_once_live(bare_world: World) -> None:
    await connect(bare_world, live=False)
    steps = ["objects", "filters", "matching", "conflicts", "plan", "live"]
    for step in steps[:4]:
        assert (await set_up(bare_world))["next"] == step
        (await bare_world.admin.post(f"/api/v1/set-ups/{bare_world.bridge_id}/steps/{step}")).raise_for_status()
    shown = await set_up(bare_world)
    assert (list(shown["steps"]), shown["next"]) == (steps, "plan")
    await bare_world.admin.post(f"/api/v1/set-ups/{bare_world.bridge_id}/steps/plan")
    assert (await set_up(bare_world))["next"] == "plan"  # nobody can say that of a plan that is not made
    assert "plan" not in await said(bare_world)
    await plan(bare_world, start=datetime.now(UTC).isoformat())
    assert (await set_up(bare_world))["next"] == "plan"  # one of what events have named is not the whole
    await plan(bare_world)
    assert (await set_up(bare_world))["next"] == "live"
    await change(bare_world, prefer="billing")
    assert (await set_up(bare_world))["next"] == "plan"  # it was made with other settings
    assert [each["id"] for each in await bare_world.rows("set-ups")] == [bare_world.bridge_id]
    live = await bare_world.admin.post(f"/api/v1/set-ups/{bare_world.bridge_id}/live", json={"install_webhooks": False})
    assert (live.json()["bridge"]["enabled"], live.json()["webhooks_problem"]) == (True, "")
    assert (await set_up(bare_world))["next"] is None
    assert await bare_world.rows("set-ups") == []


async def said(world: World) -> list[str]:
    """The steps of which a person has said that they are done."""
    async with world.service.engine.connect() as connection:
        return [str(step) for step in (await connection.scalars(text("SELECT step FROM set_up_steps"))).all()]


@pytest.mark.parametrize(
    ("state", "current", "done"),
    [(RunState.DONE, True, True), (RunState.DONE, False, False), (RunState.FAILED, True, False), (None, False, False)],
)
def test_the_step_of_the_plan_is_done_when_it_is_and_not_when_somebody_says_so(
    state: RunState | None, current: bool, done: bool
) -> None:
    shown = SetUp(
        bridge_id=1,
        name="Both",
        enabled=False,
        plan_id=1 if state else None,
        live=False,
        said=list(Step),
        plan_state=state,
        plan_is_current=current,
    )
    assert (shown.steps[Step.PLAN], shown.steps[Step.LIVE]) == (done, False)
    assert shown.next is (Step.LIVE if done else Step.PLAN)


async def test_a_part_of_the_settings_is_changed_and_the_rest_stays(bare_world: World) -> None:
    await connect(bare_world, live=False)
    await change(bare_world, objects={"contact": {"only": [{"field": "city", "op": "filled"}]}})
    changed = await change(bare_world, prefer="newest", objects={"task": {"enabled": True, "wins": "billing"}})
    settings = changed["settings"]
    assert (settings["prefer"], settings["task"]["wins"]) == ("newest", "billing")
    assert [each["field"] for each in settings["contact"]["only"]] == ["city"]
    changed = await change(bare_world, objects={"task": {"wins": None}})
    assert (changed["settings"]["task"]["wins"], changed["settings"]["task"]["enabled"]) == (None, True)


async def test_winners_of_single_fields_are_given_changed_and_taken_back(bare_world: World) -> None:
    await connect(bare_world, live=False)
    for prefer in ({"city": "billing", "phone": "ask"}, {"city": "newest"}, {}):
        changed = await change(bare_world, keep_filled=bool(prefer), objects={"contact": {"prefer": prefer}})
        contact = changed["settings"]["contact"]
        assert (contact["prefer"], contact["enabled"]) == (prefer, True)
        assert changed["settings"]["keep_filled"] is bool(prefer)
    refused = await change(bare_world, objects={"contact": {"prefer": {"colour": "crm"}}})
    assert (refused["status"], "not in the field map: colour" in refused["detail"]) == (422, True)


async def test_what_does_not_fit_together_is_refused_in_words(bare_world: World) -> None:
    await connect(bare_world, live=False)
    for part, words in (
        ({"payment": {"enabled": True}}, "switch “invoice” on as well"),
        ({"task": {"enabled": True}, "contact": {"enabled": False}}, "Tasks need contacts: switch contacts on"),
        ({"appointment": {"direction": "both"}}, "Direction of appointment"),
        ({"unicorn": {"enabled": True}}, "There is no object “unicorn”"),
        ({"contact": {"only": [{"field": "colour", "op": "filled"}]}}, "“colour”"),
    ):
        refused = await change(bare_world, objects=part)
        assert refused["status"] == 422
        assert words in refused["detail"]
    await change(bare_world, objects={"task": {"enabled": True}})
    needed = await change(bare_world, objects={"contact": {"enabled": False}})
    assert (needed["status"], "Tasks need contacts" in needed["detail"]) == (422, True)
    ((bridge),) = await bare_world.rows("bridges")
    assert (bridge["settings"]["payment"]["enabled"], bridge["settings"]["contact"]["enabled"]) == (False, True)


async def test_choices_say_what_depends_on_what_and_which_way_things_go(bare_world: World) -> None:
    await connect(bare_world, live=False)
    here = f"/api/v1/set-ups/{bare_world.bridge_id}/objects"
    choices = {each["name"]: each for each in (await bare_world.admin.get(here)).json()}
    assert (choices["payment"]["needs"], choices["task"]["needs"], choices["contact"]["needs"]) == (
        "invoice",
        "contact",
        "",
    )
    assert choices["balance"]["directions"] == ["to_crm"]
    assert choices["appointment"]["directions"] == ["to_billing"]
    fields = {each["name"]: each for each in (await bare_world.admin.get(f"{here}/contact/fields")).json()}
    assert fields["tags"]["ops"] == ["has", "has_not", "filled", "empty"]
    assert fields["email"]["sides"] == ["crm", "billing"]


async def test_an_object_with_a_winner_of_its_own(bare_world: World) -> None:
    await connect(bare_world)
    await change(bare_world, prefer="crm", objects={"contact": {"wins": "billing"}})
    contact = await bare_world.add_contact(**person(1, city="York"))
    await until(lambda: bare_world.rows("links", state="ok"))
    await bare_world.quiet()
    ((client),) = await bare_world.clients()
    await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json={"enabled": False})
    await bare_world.edit_contact(contact, city="Leeds")
    await bare_world.edit_client(client["id"], city="Bath")
    await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json={"enabled": True})
    (link,) = await bare_world.rows("links")
    await bare_world.admin.post(f"/api/v1/links/{link['id']}/sync")

    async def arrived() -> bool:
        return str((await bare_world.contact(contact)).get("city")) == "Bath"

    await until(arrived)


async def test_stopping_ends_what_is_under_way_and_pauses_the_bridge(bare_world: World) -> None:
    await connect(bare_world)
    other = await second_location(bare_world)
    for number in range(1, 4):
        await bare_world.add_contact(**person(number))
    await bare_world.quiet()
    elsewhere = (await bare_world.admin.post(f"/api/v1/bridges/{other}/plan", json={})).json()["id"]
    await bare_world.admin.post(f"/api/v1/runs/{elsewhere}/pause")
    begun = await bare_world.admin.post(f"/api/v1/bridges/{bare_world.bridge_id}/plan", json={})
    await bare_world.admin.post(f"/api/v1/runs/{begun.json()['id']}/pause")
    stopped = (await bare_world.admin.post(f"/api/v1/bridges/{bare_world.bridge_id}/stop")).raise_for_status().json()
    assert stopped["bridge"]["enabled"] is False
    states = {each["id"]: each["state"] for each in await bare_world.rows("runs")}
    assert states.pop(elsewhere) in ("paused", "done")
    assert {each["id"]: each["enabled"] for each in await bare_world.rows("bridges")}[other]
    assert {states[run_id] for run_id in stopped["cancelled"]} <= {"cancelled", "done"}
    assert "running" not in states.values()
    assert "paused" not in states.values()
