"""What is unpaid, and what was invoiced and paid by day, as billing shows it; and what records are called."""

from typing import Any

import pytest

from tests.conftest import World, connect
from tests.flows.invoicing import act, add, invoices, joined, pair, press, take
from tests.flows.resting import rest, swept
from tests.flows.test_balance import add_invoice
from tests.flows.test_tasks import pair as linked


@pytest.fixture
async def billed(bare_world: World) -> World:
    return await joined(bare_world, invoice={"enabled": True}, payment={"enabled": True})


async def told(world: World) -> dict[str, Any]:
    return dict((await world.admin.get("/api/v1/overview")).raise_for_status().json())


async def unpaid(world: World) -> dict[str, str]:
    """Of all bridges, by currency; each bridge says the same, for there is one."""
    found = await told(world)
    sums = {each["currency"]: each["amount"] for each in found["unpaid"]}
    assert {each["currency"]: each["amount"] for each in found["bridges"]["items"][0]["unpaid"]} == sums
    return sums


async def by_day(world: World) -> dict[str, tuple[str, str]]:
    return {each["day"]: (each["invoiced"], each["paid"]) for each in (await told(world))["money"]}


async def test_what_is_unpaid_follows_each_invoice_to_the_cent(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add(billed, contact)
    assert await unpaid(billed) == {}, "a draft owes nothing"
    await act(billed, invoice, "send")
    assert await unpaid(billed) == {"USD": "149.97"}
    await act(billed, invoice, "pay", amount=49.97)
    (made,) = await invoices(billed)
    assert await unpaid(billed) == {"USD": "100.00"}
    await take(billed, client, made["id"], 60.5)  # a person enters it in Invoice Ninja, where it stays
    assert await unpaid(billed) == {"USD": "39.50"}
    days = await by_day(billed)
    assert days["2026-11-20"][0] == "149.97"
    assert days["2026-11-21"][1] == "60.50"
    assert sum(float(paid) for _, paid in days.values()) == pytest.approx(110.47)


async def test_what_is_cancelled_or_not_linked_any_more_is_not_owed(billed: World) -> None:
    contact, client = await pair(billed)
    for _ in range(2):
        await act(billed, await add(billed, contact), "send")
    own = (await add_invoice(billed, client, 20, date="2026-11-20"))["id"]  # by hand, and it stays there
    await rest(billed)
    assert await unpaid(billed) == {"USD": "319.94"}
    first, second = sorted(each["id"] for each in await invoices(billed) if each["id"] != own)
    await press(billed, "cancel", first)
    assert await unpaid(billed) == {"USD": "169.97"}
    await press(billed, "delete", second)
    assert await unpaid(billed) == {"USD": "20.00"}
    assert (await by_day(billed))["2026-11-20"] == ("20.00", "0")


async def test_balances_say_what_is_unpaid_where_they_are_in_step(bare_world: World) -> None:
    await connect(bare_world, balance={"enabled": True})
    _, client = await linked(bare_world)
    await add_invoice(bare_world, client, 100)
    await add_invoice(bare_world, client, 20.5)
    await swept(bare_world)
    await rest(bare_world)
    assert await unpaid(bare_world) == {"USD": "120.50"}
    (row,) = await bare_world.rows("links", object="balance")
    assert row["name"] == "Ada Lovelace"
