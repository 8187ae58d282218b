"""As `test_any_sequence`, of what is not a field of a contact: tags, each by itself, and the task of a contact."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import World, connect
from tests.flows.resting import swept
from tests.flows.test_any_sequence import FAULTS, at_rest
from tests.flows.test_tags import tag, untag
from tests.flows.test_tasks import add_task, crm_task, edit, pair, tasks

WORDS = ("late payer", "vip", "wholesale")
SIDES = st.sampled_from(["crm", "billing"])


@dataclass(frozen=True)
class Step:
    """`what`: a tag, or a field of the task. `rest`: everybody waits afterwards until the service is at rest."""

    side: str
    what: str
    value: Any
    rest: bool


TAGGING = st.builds(Step, side=SIDES, what=st.sampled_from(WORDS), value=st.booleans(), rest=st.booleans())
TASKING = st.builds(
    Step,
    side=SIDES,
    what=st.sampled_from(["title", "body"]),
    value=st.sampled_from(["A", "B", "مرحبا"]),
    rest=st.booleans(),
)
Play = Callable[[list[Step], list[Mapping[str, Any]]], Coroutine[Any, Any, None]]


async def any_sequence(steps: st.SearchStrategy[Step], play: Play) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(steps, min_size=1, max_size=6), st.sets(st.sampled_from(range(len(FAULTS)))))
    def sequence(chosen: list[Step], faults: set[int]) -> None:
        played = play(chosen, [FAULTS[each] for each in sorted(faults)])
        asyncio.run_coroutine_threadsafe(played, loop).result()

    await asyncio.to_thread(sequence)


async def disturbed(world: World, faults: list[Mapping[str, Any]]) -> None:
    for vendor in (world.highlevel, world.ninja):
        for fault in faults:
            (await vendor.post("/_control/webhook-faults", json=fault)).raise_for_status()


async def calm(world: World) -> None:
    for vendor in (world.highlevel, world.ninja):
        await vendor.delete("/_control/webhook-faults")
    await at_rest(world)


def by_one_side(steps: list[Step], what: str) -> list[Any]:
    """The last value, where only one side has touched it."""
    mine = [step for step in steps if step.what == what]
    return [mine[-1].value] if len({step.side for step in mine}) == 1 else []


async def test_any_sequence_of_tagging_ends_with_the_same_tags_on_both_sides(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact={"tags": {"into": "custom_value1"}})
    contact, client = await pair(world)

    numbers = count()

    async def there() -> set[str]:
        return {each.strip() for each in (await world.client(client))["custom_value1"].split(",")} - {""}

    async def put(step: Step) -> None:
        if step.side == "crm":
            await (tag if step.value else untag)(world, contact, step.what)
            return
        await at_rest(world)  # what somebody sends back whole would undo what has arrived since it was read
        wanted = await there() | {step.what} if step.value else await there() - {step.what}
        await world.edit_client(client, custom_value1=", ".join(sorted(wanted)))

    async def play(steps: list[Step], faults: list[Mapping[str, Any]]) -> None:
        before = set((await world.contact(contact))["tags"])
        await disturbed(world, faults)
        for step in steps:
            await put(step)
            if step.rest:
                await at_rest(world)
        await calm(world)
        await world.edit_contact(contact, city=f"York {next(numbers)}")  # what was lost travels with this
        await at_rest(world)
        ours = set((await world.contact(contact))["tags"])
        assert ours == await there(), f"the tags differ after {steps}"
        for word in WORDS:
            touched = by_one_side(steps, word) or ([word in before] if all(s.what != word for s in steps) else [])
            assert (word in ours) in (touched or [True, False]), f"{word} after {steps}"

    await any_sequence(TAGGING, play)


async def test_any_sequence_of_edits_of_a_task_ends_equal(bare_world: World) -> None:
    """HighLevel has no event for them: they are found by polling."""
    world = bare_world
    await connect(world, task={"enabled": True})
    contact, _ = await pair(world)
    task = await add_task(world, contact, title="A", body="A")
    await at_rest(world)
    (made,) = await tasks(world)

    numbers = count()

    async def described() -> tuple[str, str]:
        (now,) = await tasks(world)
        title, _, body = now["description"].partition("\n")
        return title, body.partition("Due:")[0].strip()

    async def put(step: Step) -> None:
        if step.side == "crm":
            body = {"title": (await crm_task(world, contact, task))["title"], step.what: step.value}
            (await world.highlevel.put(f"/contacts/{contact}/tasks/{task}", json=body)).raise_for_status()
            return
        await at_rest(world)
        now = dict(zip(("title", "body"), await described(), strict=True)) | {step.what: step.value}
        await edit(world, made, description=f"{now['title']}\n\n{now['body']}\n\nDue: 2026-12-01")

    async def play(steps: list[Step], faults: list[Mapping[str, Any]]) -> None:
        before = dict(zip(("title", "body"), await described(), strict=True))
        await disturbed(world, faults)
        for step in steps:
            await put(step)
            if step.rest:
                await swept(world)
                await at_rest(world)
        await calm(world)
        (now,) = await tasks(world)
        await edit(world, now, custom_value1=str(next(numbers)))  # what was lost travels with this
        await swept(world)
        await at_rest(world)
        found = await crm_task(world, contact, task)
        assert (found["title"], found["body"]) == await described(), f"the task differs after {steps}"
        for what in ("title", "body"):
            last = {step.side: step.value for step in steps if step.what == what}
            assert found[what] in (list(last.values()) or [before[what]]), f"{what} after {steps}"

    await any_sequence(TASKING, play)
