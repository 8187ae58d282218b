"""Any sequence of edits on both sides, with deliveries lost, doubled and reordered, ends with both sides equal.

Hypothesis makes the sequences and cuts a failing one down; each is played between the running service and both
simulators, with a contact of its own.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import World, until
from tests.flows.test_contacts import linked

CRM_NAMES = {"city": "city", "address1": "address1", "state": "state", "postal_code": "postalCode"}
START = {"city": "London", "address1": "1 Elm Row", "state": "LDN", "postal_code": "N1 1AA"}
FAULTS = ({"kind": "lose", "share": 0.5}, {"kind": "duplicate"}, {"kind": "reorder", "seconds": 0.1})


@dataclass(frozen=True)
class Edit:
    """`rest`: everybody waits afterwards until the service is at rest."""

    side: str
    field: str
    value: str
    rest: bool


EDITS = st.builds(
    Edit,
    side=st.sampled_from(["crm", "billing"]),
    field=st.sampled_from(sorted(CRM_NAMES)),
    value=st.sampled_from(["", "A", "B", "Ž", "مرحبا"]),
    rest=st.booleans(),
)


async def test_any_sequence_of_edits_ends_equal_and_explained(world: World) -> None:
    loop, numbers = asyncio.get_running_loop(), count()

    def play(coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    @settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(EDITS, min_size=1, max_size=8), st.sets(st.sampled_from(range(len(FAULTS)))))
    def any_sequence(edits: list[Edit], faults: set[int]) -> None:
        play(played(world, next(numbers), edits, [FAULTS[each] for each in sorted(faults)]))

    await asyncio.to_thread(any_sequence)


async def played(world: World, number: int, edits: list[Edit], faults: list[Mapping[str, Any]]) -> None:
    contact, client = await linked(world, email=f"jane{number}@acme.example", phone="", companyName=f"Acme {number}")
    for vendor in (world.highlevel, world.ninja):
        for fault in faults:
            (await vendor.post("/_control/webhook-faults", json=fault)).raise_for_status()
    for edit in edits:
        if edit.side == "crm":
            await world.edit_contact(contact, **{CRM_NAMES[edit.field]: edit.value})
        else:
            await world.edit_client(client, **{edit.field: edit.value})
        if edit.rest:
            await at_rest(world)
    for vendor in (world.highlevel, world.ninja):
        await vendor.delete("/_control/webhook-faults")
    await at_rest(world)
    await world.edit_contact(contact, website=f"https://acme{number}.example")  # what was lost travels with the next
    await at_rest(world)
    await agreed(world, contact, client, edits)


async def at_rest(world: World) -> None:
    async def delivered() -> bool:
        return all([await _nothing_under_way(vendor) for vendor in (world.highlevel, world.ninja)])

    await until(delivered)
    await world.quiet()


async def _nothing_under_way(vendor: httpx.AsyncClient) -> bool:
    return bool((await vendor.get("/_control/deliveries")).json()["pending"] == 0)


async def agreed(world: World, contact: str, client: str, edits: list[Edit]) -> None:
    left, right = await world.contact(contact), await world.client(client)
    told = [
        (change["field"], change.get("after"))
        for activity in await world.rows("activities", limit=200, crm_id=contact)
        for change in activity["changes"]
    ]
    for field, crm_name in CRM_NAMES.items():
        ours, theirs = left.get(crm_name) or "", right[field]
        last = {edit.side: edit.value for edit in edits if edit.field == field}
        assert ours == theirs, f"{field} differs after {edits}"
        assert ours in (last.values() or [START[field]]), f"{field}: nobody entered {ours!r} last"
        if ours != START[field] and len(last) == 1:
            assert (field, ours) in told, f"{field}: nothing tells of {ours!r}"
