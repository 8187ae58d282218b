"""The inbox with many rows: its pages and filters, what its queries cost, and deciding by the thousand."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql
from sqlmodel import col

from app.cases import Which
from app.deciding import BATCH
from app.models import Link
from tests.api.rows import bridge, put
from tests.api.test_lists import ids
from tests.conftest import World, until

SINCE = "2026-11-20T10:00:00+00:00"


def told(kind: str = "field", crm: str | None = "a", billing: str | None = "b") -> dict[str, Any]:
    sides = {"crm": crm, "billing": billing, "base_crm": "x", "base_billing": "x", "crm_at": None, "billing_at": None}
    return {"kind": kind, "since": SINCE, "cause": "ContactUpdate", **sides}


def held(**fields: dict[str, Any] | None) -> dict[str, Any]:
    """By field; None: held back, and no conflict."""
    plain = {"side": "billing", "value": "a", "reason": "both sides changed it"}
    return {name: {**plain, **({"conflict": each} if each else {})} for name, each in fields.items()}


def rows(bridge_id: int, count: int, start: int = 0, **changed: Any) -> list[dict[str, Any]]:
    shared = {"bridge_id": bridge_id, "object": "contact", "state": "ok", **changed}
    return [{**shared, "crm_id": f"c{n}", "billing_id": f"b{n}"} for n in range(start, start + count)]


async def test_the_inbox_has_what_waits_and_is_filtered(bare_world: World) -> None:
    one, two = await bridge(bare_world, "a"), await bridge(bare_world, "b")
    await put(bare_world, Link, rows(one, 3, held=held(email=None)))
    (city,) = await put(bare_world, Link, rows(one, 1, 10, held=held(city=told()), conflicts=["field"]))
    both = held(city=told(), document=told("total"))
    (money,) = await put(
        bare_world, Link, rows(two, 1, 20, held=both, conflicts=["field", "total"], object="invoice", state="conflict")
    )
    decided = {"fields": {"city": {"take": "crm", "crm": "a", "billing": "b", "by": "jane"}}}
    (waits,) = await put(
        bare_world, Link, rows(two, 1, 30, held=held(city=told()), conflicts=["field"], decisions=decided)
    )
    assert await ids(bare_world, "conflicts") == [waits, money, city]
    assert await ids(bare_world, "conflicts", limit=1) == [waits, money, city]
    assert await ids(bare_world, "conflicts", bridge_id=one) == [city]
    assert await ids(bare_world, "conflicts", kind="total") == [money]
    assert await ids(bare_world, "conflicts", kind="field", object="contact") == [waits, city]
    assert await ids(bare_world, "conflicts", field="document") == [money]
    assert await ids(bare_world, "conflicts", field="email") == []
    assert await ids(bare_world, "conflicts", decided=True) == [waits]
    assert await ids(bare_world, "conflicts", decided=False) == [money, city]
    for wrong in ({"kind": "strange"}, {"limit": 0}, {"cursor": "x"}, {"decided": "maybe"}):
        assert (await bare_world.admin.get("/api/v1/conflicts", params=wrong)).status_code == 422


@pytest.mark.parametrize("filtered", [False, True], ids=["all", "of one bridge"])
async def test_what_waits_is_found_without_reading_what_does_not(bare_world: World, filtered: bool) -> None:
    bridge_id = await bridge(bare_world)
    await put(bare_world, Link, rows(bridge_id, 20_000))
    await put(bare_world, Link, rows(bridge_id, 60, 20_000, held=held(city=told()), conflicts=["field"]))
    which = Which(bridge_id=bridge_id if filtered else None)
    page = select(col(Link.id)).where(*which.conditions()).order_by(col(Link.id).desc()).limit(51)
    bound = page.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    async with bare_world.service.engine.connect() as connection:
        await connection.execute(text("ANALYZE links"))
        plan = "\n".join((await connection.execute(text(f"EXPLAIN {bound}"))).scalars())
    assert "links_conflicts" in plan, plan


async def test_thousands_are_decided_in_batches_with_what_was_seen_of_each(bare_world: World) -> None:
    bridge_id, off = await bridge(bare_world, "a"), await bridge(bare_world, "b", enabled=False)
    many = BATCH * 2 + 7
    stored = await put(
        bare_world,
        Link,
        [
            {**row, "held": held(city=told(crm=f"crm {n}"), phone=told(), name=None), "conflicts": ["field"]}
            for n, row in enumerate(rows(bridge_id, many))
        ],
    )
    (deleted,) = await put(
        bare_world,
        Link,
        rows(bridge_id, 1, 9_000, held=held(city=told("deletion", billing=None)), conflicts=["deletion"]),
    )
    (left,) = await put(bare_world, Link, rows(off, 1, held=held(city=told()), conflicts=["field"]))
    answer = await bare_world.admin.post("/api/v1/conflicts/decide", json={"take": "billing", "field": "city"})
    assert (answer.status_code, answer.json()) == (202, {"queued": many})
    async with bare_world.service.engine.connect() as connection:
        stored_rows = (await connection.execute(text("SELECT id, decisions FROM links"))).all()
    found = {row.id: row.decisions for row in stored_rows}
    assert found[deleted] == found[left] == {}
    decisions = [found[id_]["fields"] for id_ in stored]
    assert [each["city"]["crm"] for each in decisions] == [f"crm {n}" for n in range(many)]
    assert {(tuple(each), each["city"]["take"], each["city"]["by"]) for each in decisions} == {
        (("city",), "billing", "admin token")
    }


async def test_what_was_decided_is_looked_at_when_its_bridge_is_switched_on_again(bare_world: World) -> None:
    """Its job came round while the bridge was off, and was dropped."""
    bridge_id = await bridge(bare_world, enabled=False)
    decided = {"fields": {"city": {"take": "crm", "crm": "a", "billing": "b", "by": "jane"}}}
    waits: dict[str, Any] = {"held": held(city=told()), "conflicts": ["field"]}
    (id_,) = await put(bare_world, Link, rows(bridge_id, 1, decisions=decided, **waits))
    (other,) = await put(bare_world, Link, rows(bridge_id, 1, 10, **waits))
    await bare_world.admin.patch(f"/api/v1/bridges/{bridge_id}", json={"enabled": True})
    await until(lambda: ids(bare_world, "links", state="waiting"))  # for these accounts nobody has credentials
    await bare_world.quiet()
    assert await ids(bare_world, "links", state="waiting") == [id_]
    assert await ids(bare_world, "links", state="ok") == [other]
    assert await ids(bare_world, "conflicts", decided=True) == [id_], "it is still to be carried out"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"take": "value"},
        {"take": "crm", "kind": "strange"},
        {"take": "crm", "bridge": 1},
        {"take": "crm", "bridge_id": 0},
    ],
)
async def test_what_is_not_as_documented_decides_nothing(bare_world: World, body: dict[str, Any]) -> None:
    bridge_id = await bridge(bare_world)
    await put(bare_world, Link, rows(bridge_id, 1, held=held(city=told()), conflicts=["field"]))
    assert (await bare_world.admin.post("/api/v1/conflicts/decide", json=body)).status_code == 422
    assert await ids(bare_world, "conflicts", decided=True) == []
