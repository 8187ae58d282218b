"""Failures by their reason, and trying one group of them again."""

from typing import Any

import pytest
from sqlalchemy import text

from app.failures import _grouped
from app.models import Link
from app.settings import Settings
from tests.api.rows import bridge, put
from tests.conftest import World, until


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The next try is far away: what runs was asked for."""
    return settings.model_copy(update={"retry_first": 600})


def failed(bridge_id: int, n: int, detail: str, **changed: Any) -> dict[str, Any]:
    row = {"bridge_id": bridge_id, "object": "contact", "crm_id": f"c{n}", "state": "failed", "problem": "rejected"}
    return {**row, "detail": detail, **changed}


async def shown(world: World, **params: Any) -> dict[str, Any]:
    return dict((await world.admin.get("/api/v1/failures", params=params)).raise_for_status().json())


async def queued(world: World) -> set[str]:
    statement = text("SELECT lock FROM procrastinate_jobs WHERE queue_name = 'sync' AND status = 'todo'")
    async with world.service.engine.connect() as connection:
        return set(await connection.scalars(statement))


ALIKE = {
    "phone … is not valid": [
        "phone +39 06 1234 is not valid",
        "phone +44 20 7946-11 is not valid",
        "phone 0049/30 12 is not valid",
    ],
    "HighLevel answers …: … is too long": [
        "HighLevel answers 422: “Rossi” is too long",
        'HighLevel answers 400: "Söhne & Co" is too long',
        "HighLevel answers 413: 'Jane' is too long",
    ],
    "the only match by e-mail (…) is already linked to …": [
        "the only match by e-mail (VolejRejNm) is already linked to ldjdM98wlMHWeId4bPs4",
        "the only match by e-mail (kQxbRejbJe) is already linked to abcdefghijKLMNOPQRst",
    ],
    "the e-mail … is no person's": ["the e-mail jane@example.com is no person's", "the e-mail x.y@z.it is no person's"],
    "it waits for …": ["it waits for c7", "it waits for c8"],
    "the client's custom_value1 isn't allowed": ["the client's custom_value1 isn't allowed"],
    "the client's custom_value2 isn't allowed": ["the client's custom_value2 isn't allowed"],
    "InvoiceNinja wants companyName, not postalCode": ["InvoiceNinja wants companyName, not postalCode"],
}  # fmt: skip


async def test_reasons_that_differ_in_what_they_are_about_are_one_group(bare_world: World) -> None:
    one = await bridge(bare_world)
    said = [reason for reasons in ALIKE.values() for reason in reasons]
    await put(bare_world, Link, [failed(one, n, reason) for n, reason in enumerate(said)])
    found = await shown(bare_world)
    assert {group["reason"]: group["count"] for group in found["groups"]} == {
        reason: len(reasons) for reason, reasons in ALIKE.items()
    }
    assert (found["records"], found["kinds"]) == (len(said), len(ALIKE))


async def test_the_records_of_a_group_are_listed_newest_first_by_pages(bare_world: World) -> None:
    one, two = await bridge(bare_world), await bridge(bare_world, "b")
    rows = [failed(one, n, f"phone +39 06 {n} is not valid") for n in range(5)]
    rows += [failed(one, 5, "the e-mail is none"), failed(two, 6, "phone +39 06 6 is not valid")]
    await put(bare_world, Link, [*rows, failed(one, 7, "phone +39 06 7 is not valid", state="ok")])
    key = (await shown(bare_world))["groups"][0]["key"]
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while query.get("cursor", "") is not None and len(found) < len(rows):
        answer = await bare_world.admin.get(f"/api/v1/failures/{key}/records", params=query)
        part = answer.raise_for_status().json()
        found += [row["crm_id"] for row in part["items"]]
        query["cursor"] = part["next_cursor"]
    assert found == ["c4", "c3", "c2", "c1", "c0"]
    gone = await bare_world.admin.get(f"/api/v1/failures/{one}.{'0' * 16}/records")
    assert gone.raise_for_status().json() == {"items": [], "next_cursor": None}
    assert (await bare_world.admin.get("/api/v1/failures/nonsense/records")).status_code == 422


async def test_a_group_is_of_one_bridge_and_one_problem_and_the_largest_comes_first(bare_world: World) -> None:
    one, two = await bridge(bare_world, "a"), await bridge(bare_world, "b")
    rows = [failed(one, 1, "no"), failed(one, 2, "no", problem="forbidden"), *(failed(two, n, "no") for n in range(3))]
    rows += [failed(one, n, "no", state=state) for n, state in enumerate(("ok", "excluded", "unlinked"), 5)]
    ids = await put(bare_world, Link, rows)
    groups = (await shown(bare_world))["groups"]
    assert [(each["bridge"], each["problem"], each["count"], each["example"]) for each in groups] == [
        ("b", "rejected", 3, ids[4]),
        ("a", "forbidden", 1, ids[1]),
        ("a", "rejected", 1, ids[0]),
    ]
    assert len({each["key"] for each in groups}) == 3
    assert [each["count"] for each in (await shown(bare_world, bridge_id=two))["groups"]] == [3]
    assert [each["count"] for each in (await shown(bare_world, problem="forbidden"))["groups"]] == [1]
    few = await shown(bare_world, limit=1)
    assert ([each["count"] for each in few["groups"]], few["records"], few["kinds"]) == ([3], 5, 3)


async def test_each_has_its_explanation_and_so_have_jobs_and_links(bare_world: World) -> None:
    one = await bridge(bare_world)
    await put(bare_world, Link, [failed(one, 1, "no", problem="forbidden"), failed(one, 2, "", state="ok", problem="")])
    (group,) = (await shown(bare_world))["groups"]
    assert group["explanation"]["title"] == "A permission is missing"
    assert group["explanation"]["cure"].startswith("Read the reason")
    assert group["explanation"]["retry_helps"] is False
    (job,) = await bare_world.rows("jobs")
    assert job["explanation"] == group["explanation"]
    explained = {link["state"]: link["explanation"] for link in await bare_world.rows("links")}
    assert explained == {"ok": None, "failed": group["explanation"]}


async def test_a_retry_takes_exactly_the_records_of_the_group(bare_world: World) -> None:
    one, two = await bridge(bare_world, "a"), await bridge(bare_world, "b")
    rows = [failed(one, n, f"phone +39 {n} is not valid") for n in range(42)]
    rows += [
        failed(one, 100, "phone of Jane is not valid"),
        failed(one, 101, "phone 1 is not valid", problem="forbidden"),
    ]
    await put(bare_world, Link, [*rows, failed(two, 1, "phone 1 is not valid")])
    group = (await shown(bare_world, bridge_id=one))["groups"][0]
    assert group["count"] == 42
    answer = await bare_world.admin.post("/api/v1/failures/retry", json={"key": group["key"], "bridge_id": one})
    assert (answer.status_code, answer.json()) == (202, {"queued": 42, "records": 42})
    asked = {(one, f"c{n}") for n in range(42)}
    await until(lambda: _all_tried(bare_world, asked))
    left = await bare_world.rows("links", state="failed")
    assert {(link["bridge_id"], link["crm_id"]) for link in left} == {(one, "c100"), (one, "c101"), (two, "c1")}


async def _all_tried(world: World, asked: set[tuple[int, str]]) -> bool:
    """Nobody can call these accounts, so that a record which was looked at waits for its connection."""
    waiting = await world.rows("links", state="waiting", limit=500)
    return {(link["bridge_id"], link["crm_id"]) for link in waiting} == asked


async def test_a_wrong_key_another_bridge_and_a_bridge_that_is_off_are_refused(bare_world: World) -> None:
    one, two = await bridge(bare_world, "a", enabled=False), await bridge(bare_world, "b")
    await put(bare_world, Link, [failed(one, 1, "no"), failed(two, 2, "no")])
    keys = {group["bridge"]: group["key"] for group in (await shown(bare_world))["groups"]}

    async def tried(**body: Any) -> int:
        return (await bare_world.admin.post("/api/v1/failures/retry", json=body)).status_code

    assert await tried(key=keys["a"]) == 409
    assert await tried(key=keys["b"], bridge_id=one) == 422
    assert await tried(key="7777." + "0" * 16) == 404
    for wrong in ("", "x", f"{one}", f"{one}.xyz", f"0.{'0' * 16}", f"{one}.{'0' * 16}\n", "9" * 30 + "." + "0" * 16):
        assert await tried(key=wrong) == 422, wrong
    assert await tried(key=f"{two}.{'0' * 16}") == 202
    assert await queued(bare_world) == set()


async def test_a_real_failure_is_grouped_with_its_time_and_cured_by_its_retry(world: World) -> None:
    refusal = {"message": "No.", "errors": {"name": ["must be shorter than 5"]}}
    await world.fault(world.ninja, kind="status", status=422, method="POST", path="^/api/v1/clients$", body=refusal)
    for n in range(3):
        await world.add_contact(firstName="Jane", email=f"jane{n}@example.com")
    await until(lambda: _are(world, 3))
    (group,) = (await shown(world))["groups"]
    assert (group["problem"], group["count"], group["bridge_id"]) == ("rejected", 3, world.bridge_id)
    links = await world.rows("links")
    assert (group["first_at"], group["last_at"]) == (
        min(link["first_failed_at"] for link in links),
        max(link["first_failed_at"] for link in links),
    )
    await world.mend()
    await world.admin.post("/api/v1/failures/retry", json={"key": group["key"]})
    await until(lambda: _are(world, 0))
    assert len(await world.rows("links", state="ok")) == 3


async def _are(world: World, count: int) -> bool:
    return bool((await shown(world))["records"] == count)


async def test_a_bug_of_ours_is_called_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> str:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(type(world.service.worker.sync.engine), "sync", broken)
    await world.add_contact(firstName="Jane", email="jane@example.com")
    (job,) = await until(lambda: world.rows("jobs", state="retrying"))
    assert (job["problem"], job["explanation"]["title"]) == ("internal_error", "An error in Crossledger")


async def test_ten_thousand_failures_among_a_hundred_thousand_links_are_grouped_without_a_scan(
    bare_world: World,
) -> None:
    one = await bridge(bare_world)
    fill = text("""
        INSERT INTO links (bridge_id, object, crm_id, state, problem, detail)
        SELECT :bridge, 'contact', 'c' || i, CASE WHEN i % 10 = 0 THEN 'failed' ELSE 'ok' END,
               CASE WHEN i % 10 = 0 THEN 'rejected' ELSE '' END,
               CASE WHEN i % 10 = 0 THEN 'phone +39 ' || i || ' of “Jane ' || i || '” is not valid: reason '
                    || chr(65 + i / 10 % 20) ELSE '' END
          FROM generate_series(1, 100000) i
    """)
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(fill, {"bridge": one})
        await connection.execute(text("ANALYZE links"))
        wanted = _grouped(None, None).compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
        plan = await connection.exec_driver_sql(f"EXPLAIN {wanted}", wanted.params)
        lines = [line for (line,) in plan]
    assert any("links_state" in line or "links_health" in line for line in lines), lines
    assert not any("Seq Scan on links" in line for line in lines), lines
    found = await shown(bare_world)
    assert (found["records"], found["kinds"], found["groups"][0]["count"]) == (10_000, 20, 500)
    answer = await bare_world.admin.post("/api/v1/failures/retry", json={"key": found["groups"][3]["key"]})
    assert answer.json() == {"queued": 500, "records": 500}
