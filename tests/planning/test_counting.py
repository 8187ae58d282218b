"""What a filter would let take part, counted on what a plan has read, without asking a vendor."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app.planning.counting import Alike, alike, tally
from app.sync.filters import Condition, Op, Seen, refusal
from app.sync.records import FieldSpec, Kind, Side
from tests.conftest import World
from tests.planning.conftest import client, person, plan

SPECS = {
    Side.CRM: {
        "tags": FieldSpec(name="tags", label="Tags", kind=Kind.TAGS),
        "city": FieldSpec(name="city", label="City"),
    },
    Side.BILLING: {"city": FieldSpec(name="city", label="City"), "vat": FieldSpec(name="vat", label="VAT number")},
}
VIP = Condition(field="tags", op=Op.HAS, value="vip")
YORK = Condition(field="city", op=Op.IS, value="york")
MANY = 20_000
NO_VAT = Condition(field="vat", op=Op.EMPTY)


def crm(tags: str, city: str, partner: dict[str, str] | None = None, records: int = 1) -> Alike:
    return Alike(Side.CRM, {"tags": tags, "city": city}, partner, records)


def billing(city: str, vat: str, records: int = 1) -> Alike:
    return Alike(Side.BILLING, {"city": city, "vat": vat}, None, records)


def test_all_conditions_have_to_hold_and_each_is_counted_by_itself_too() -> None:
    rows = [crm("vip", "York", records=3), crm("vip", "Hull"), crm("", "York", records=2), billing("York", "")]
    found = tally([VIP, YORK], rows, SPECS)
    assert (found.matching, found.records, found.alone) == (3, 7, [4, 6])
    assert found.left_out == {Side.CRM: 3, Side.BILLING: 1}


def test_without_a_condition_everything_takes_part() -> None:
    assert tally([], [crm("", ""), billing("", "", 4)], SPECS).matching == 5


def test_what_only_the_partner_knows_is_asked_of_the_partner_and_is_empty_where_there_is_none() -> None:
    rows = [crm("", "York", {"city": "York", "vat": "IT1"}), crm("", "York"), billing("York", "IT1")]
    assert tally([NO_VAT], rows, SPECS).matching == 1
    assert tally([VIP], [billing("York", "")], SPECS).matching == 0


words = st.sampled_from(["", "vip", "York", "vip, York"])


@given(st.lists(st.builds(crm, words, words, st.none(), st.integers(1, 9))), st.lists(st.sampled_from([VIP, YORK])))
def test_it_counts_what_the_engine_would_let_pass(rows: list[Alike], conditions: list[Condition]) -> None:
    blank = Seen({"city": "", "vat": ""}, SPECS[Side.BILLING])
    passed = sum(
        row.records
        for row in rows
        if not refusal(conditions, {Side.CRM: Seen(row.own, SPECS[Side.CRM]), Side.BILLING: blank})
    )
    found = tally(conditions, rows, SPECS)
    assert found.matching == passed
    assert found.matching + sum(found.left_out.values()) == found.records == sum(row.records for row in rows)


async def count(world: World, *only: dict[str, Any]) -> dict[str, Any]:
    asked = await world.admin.post(
        f"/api/v1/set-ups/{world.bridge_id}/count", json={"object": "contact", "only": list(only)}
    )
    return dict(asked.raise_for_status().json())


async def test_a_count_is_what_the_next_plan_makes_of_the_filter(dry: World) -> None:
    assert (await count(dry))["plan_id"] is None
    for number, tags in enumerate((["vip"], ["vip", "new"], []), 1):
        await dry.add_contact(**person(number, tags=tags))
    await dry.add_client(**client(1))
    await dry.add_client(**client(9))
    await plan(dry)
    everything = await count(dry)
    assert (everything["matching"], everything["records"]) == (4, 4)  # the pair that the plan has found counts once
    await dry.forget_calls()
    vip = {"field": "tags", "op": "has", "value": "VIP"}
    shown = await count(dry, vip)
    assert (shown["matching"], shown["left_out"]) == (2, {"crm": 1, "billing": 1})
    assert [*await dry.calls(dry.highlevel), *await dry.calls(dry.ninja)] == []
    values = await dry.admin.get(
        f"/api/v1/set-ups/{dry.bridge_id}/values", params={"object": "contact", "field": "tags"}
    )
    assert values.json() == ["vip", "new"]

    change = {"objects": {"contact": {"only": [vip]}}}
    (await dry.admin.patch(f"/api/v1/set-ups/{dry.bridge_id}", json=change)).raise_for_status()
    made = await plan(dry)
    left_out = sum(made["items"]["skip"].values())
    assert left_out == sum(shown["left_out"].values())
    strange = {"object": "contact", "only": [{"field": "colour", "op": "is", "value": "red"}]}
    refused = await dry.admin.post(f"/api/v1/set-ups/{dry.bridge_id}/count", json=strange)
    assert refused.status_code == 422
    assert "colour" in refused.json()["detail"]


async def test_a_big_plan_that_was_just_read_is_counted_without_comparing_each_with_each(world: World) -> None:
    """Nothing is analysed yet; each with each would be four hundred million, and take many minutes."""
    made = (await plan(world))["id"]
    rows = f"FROM generate_series(1, {MANY}) AS i"
    statements = (
        "INSERT INTO snapshots (run_id, object, side, external_id, record)"
        ' SELECT :run, \'contact\', side, side || i, \'{"values": {"city": "York"}}\''
        f" {rows} CROSS JOIN unnest(ARRAY['crm', 'billing']) AS side",
        "INSERT INTO plan_items (run_id, object, side, crm_id, billing_id, action)"
        f" SELECT :run, 'contact', 'crm', 'crm' || i, 'billing' || i, 'link' {rows}",
    )
    async with world.service.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), {"run": made})
    async with asyncio.timeout(20):
        found = await alike(world.service.engine, world.bridge_id, made, "contact", ["city"])
    assert [(each.side, each.partner, each.records) for each in found] == [(Side.CRM, {"city": "York"}, MANY)]
