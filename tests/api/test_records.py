"""Lists of records: as many as the overview counts, found by what people call them, walked by index."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app import listing
from app.listing import Doing, Wanted
from app.models import Activity, Link
from app.sync.naming import words_of
from tests.api.rows import bridge, put
from tests.conftest import World


async def listed(world: World, **params: Any) -> list[str]:
    """Their ids at the CRM, through pages of two."""
    found: list[str] = []
    cursor: str | None = None
    while cursor or not found:
        query = {**params, "limit": 2, **({"cursor": cursor} if cursor else {})}
        part = (await world.admin.get("/api/v1/records", params=query)).raise_for_status().json()
        found += [row["crm_id"] for row in part["items"]]
        cursor = part["next_cursor"]
        if cursor is None:
            break
    return found


def named(bridge_id: int, id_: str, state: str, name: str = "", email: str = "", **more: Any) -> dict[str, Any]:
    words = " ".join(words_of(f"{name} {email}"))
    row = {"bridge_id": bridge_id, "object": "contact", "crm_id": id_, "state": state, "name": name, "words": words}
    return {"conflicts": [], **row, **more}


async def test_each_count_of_the_overview_leads_to_exactly_as_many_records(bare_world: World) -> None:
    here, other = await bridge(bare_world), await bridge(bare_world, "b")
    states = (
        "ok",
        "excluded",
        "unlinked",
        "pending",
        "retrying",
        "waiting",
        "waiting_for_parent",
        "failed",
        "conflict",
    )
    rows = [
        named(of, f"{of}/{state}/{object_}/{len(kinds)}", state, object=object_, conflicts=kinds)
        for of in (here, other)
        for state in states
        for object_ in ("contact", "invoice")
        for kinds in ([], ["field"])
    ]
    await put(bare_world, Link, rows)
    told = (await bare_world.admin.get("/api/v1/overview")).raise_for_status().json()["bridges"]["items"]
    for row in told:
        for doing in Doing:
            found = await listed(bare_world, bridge_id=row["id"], doing=doing)
            assert len(found) == len(set(found)) == row[doing], doing
    for doing in Doing:
        everywhere = await listed(bare_world, doing=doing)
        assert len(everywhere) == sum(row[doing] for row in told)
        invoices = await listed(bare_world, doing=doing, object="invoice")
        assert invoices == [id_ for id_ in everywhere if "/invoice/" in id_]
    for row in told:  # each of the others in one way only
        assert row["waiting_for_parent"] == 2
        assert sum(row[doing] for doing in Doing if doing is not Doing.WAITING_FOR_PARENT) == len(rows) / 2
    newest = [row["crm_id"] for row in reversed(rows)]
    assert await listed(bare_world) == newest
    assert await listed(bare_world, bridge_id=here) == [id_ for id_ in newest if id_.startswith(f"{here}/")]
    assert await listed(bare_world, object="contact") == [id_ for id_ in newest if "/contact/" in id_]


async def test_records_are_found_by_words_of_a_name_by_e_mail_and_by_either_id(bare_world: World) -> None:
    here, other = await bridge(bare_world), await bridge(bare_world, "b")
    rows = [
        named(here, "c1", "ok", "José Müller", "jose@acme.example", billing_id="b1"),
        named(here, "c2", "failed", "Ann Miller", "ann.miller@acme.example", billing_id="b2"),
        named(other, "c1", "ok", "O'Neil & Sons", "info@neil.example", billing_id="b3"),
    ]
    await put(bare_world, Link, rows)
    for search, found in {
        "jose": ["c1"], "Müller": ["c1"], "MULL": ["c1"], "mill ann": ["c2"], "ann.miller@acme.example": ["c2"],
        "acme": ["c2", "c1"], "neil sons": ["c1"], "c1": ["c1", "c1"], "b2": ["c2"], "nobody": [], "%": [], "'": [],
        "ann nobody": [], "ller": [], "' | 'jose": ["c1"], "ann:*": ["c2"], "!jose": ["c1"],
    }.items():  # fmt: skip
        assert await listed(bare_world, search=search) == found, search
    assert await listed(bare_world, search="acme", doing="failing") == ["c2"]
    assert await listed(bare_world, search="c1", bridge_id=other) == ["c1"]


async def test_an_activity_says_what_its_record_is_called_now(bare_world: World) -> None:
    here = await bridge(bare_world)
    (link_id,) = await put(bare_world, Link, [named(here, "c1", "ok", "Ann Miller")])
    base = {"bridge_id": here, "object": "contact", "crm_id": "c1"}
    await put(bare_world, Activity, [{**base, "link_id": link_id}, {**base, "link_id": None}])
    gone, known = (await bare_world.admin.get("/api/v1/activities")).raise_for_status().json()["items"]
    assert (known["name"], gone["name"]) == ("Ann Miller", "")


@pytest.mark.timeout(120)
async def test_listing_walks_indexes_however_many_records_there_are(bare_world: World) -> None:
    async with bare_world.service.engine.connect() as connection:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in (
            "INSERT INTO connections (provider, name, account_id, state) SELECT 'highlevel', 'c', 'a' || n, 'disabled'"
            " FROM generate_series(1, 40) n",
            "INSERT INTO bridges (name, crm_connection_id, billing_connection_id) SELECT 'b', 2 * n - 1, 2 * n"
            " FROM generate_series(1, 20) n",
            "INSERT INTO links (bridge_id, object, crm_id, billing_id, state, conflicts, name, words)"
            " SELECT 1 + n % 20, CASE WHEN n % 500 = 0 THEN 'product' ELSE 'contact' END, 'c' || n, 'b' || n,"
            " CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'ok' END,"
            " CASE WHEN n % 70 = 0 THEN '[\"field\"]' ELSE '[]' END::jsonb,"
            " 'Person ' || n, 'person ' || n || ' acme example' FROM generate_series(1, 50000) n",
        ):
            await free.execute(text(statement))
        await free.exec_driver_sql("VACUUM ANALYZE links")
        wanted = [
            Wanted(bridge_id=bridge_id, object=object_, doing=doing, search=search)
            for bridge_id in (None, 7)
            for object_ in (None, "product")
            for doing in (None, *Doing)
            for search in ("", "person 477", "b4711")
        ]
        for each in wanted:
            began = datetime.now(UTC)
            asked = text(f"EXPLAIN ANALYZE {listing.statement(each)}")
            plan = [line for (line,) in await free.execute(asked, listing.values(each, limit=51, below=2**62))]
            assert not [line for line in plan if "Seq Scan on links" in line], (each, "\n".join(plan))
            assert (datetime.now(UTC) - began).total_seconds() < 1, (each, "\n".join(plan))
            walked = [line for line in plan if "Rows Removed by Filter" in line and int(line.split(":")[1]) > 5000]
            assert not walked, (each, "\n".join(plan))
