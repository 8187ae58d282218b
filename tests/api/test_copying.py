"""Settings of one bridge are copied to others as they were shown, and what is a bridge's own stays."""

from typing import Any

from sqlalchemy import text

from tests.conftest import World, connect

OURS = {"prefer": "ask", "contact": {"crm_deleted": "keep"}, "task": {"enabled": True}, "note": {"enabled": True}}
SINCE = "2026-01-02T00:00:00Z"
# Accounts of others, which are let in by the same token.
TWIN = (
    "INSERT INTO connections (provider, name, base_url, account_id, state, kind, auth, sealed, webhook_secret_digest,"
    " data) SELECT provider, 'Twin', base_url, account_id || :n, state, kind, auth, sealed, webhook_secret_digest, data"
    " FROM connections WHERE id IN (1, 2) ORDER BY id",
    "INSERT INTO bridges (name, crm_connection_id, billing_connection_id, settings)"
    " SELECT 'Twin ' || :n, max(id) - 1, max(id), CAST(:settings AS jsonb) FROM connections",
)


async def sql(world: World, statement: str, **values: Any) -> None:
    async with world.service.engine.begin() as connection:
        await connection.execute(text(statement), values)
    await world.service.connections.directory.refresh()


async def settings(world: World, bridge_id: int) -> dict[str, Any]:
    return dict((await world.admin.get(f"/api/v1/bridges/{bridge_id}")).raise_for_status().json()["settings"])


async def given(world: World, bridge_id: int, **values: Any) -> None:
    answer = await world.admin.patch(f"/api/v1/bridges/{bridge_id}", json={"settings": values})
    assert answer.status_code == 200, answer.text


async def copy(world: World, source: int, what: str = "", *, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = await world.admin.post(f"/api/v1/bridges/{source}/copy{what}", json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def three(world: World) -> tuple[int, int, int]:
    """The first with settings of its own."""
    await connect(world, live=False, **OURS)
    for n, own in (("1", "{}"), ("2", f'{{"task": {{"enabled": true, "since": "{SINCE}"}}}}')):
        await sql(world, TWIN[0], n=n)
        await sql(world, TWIN[1], n=n, settings=own)
    return 1, 2, 3


async def test_what_was_shown_is_copied_and_nothing_else(bare_world: World) -> None:
    first, second, third = await three(bare_world)
    before = await settings(bare_world, second)
    shown = await copy(bare_world, first, "/preview", to=[second, third, first], parts=["general", "task"])
    told = {each["id"]: {one["setting"]: one["after"] for one in each["changes"]} for each in shown["targets"]}
    assert told == {second: {"prefer": "ask", "task.enabled": True}, third: {"prefer": "ask"}}
    assert await settings(bare_world, second) == before, "a preview changes nothing"
    await copy(bare_world, first, to=[second, third, first], parts=["general", "task"], seen=shown["seen"])
    after = await settings(bare_world, second)
    assert (after["prefer"], after["task"]["enabled"], after["contact"]) == ("ask", True, before["contact"])
    assert (await settings(bare_world, third))["task"]["since"] == SINCE, "when it began is its own"
    everything = await copy(bare_world, first, "/preview", to=[second])
    assert {each["setting"] for each in everything["targets"][0]["changes"]} == {"contact.crm_deleted", "note.enabled"}


async def test_what_was_changed_since_it_was_shown_is_not_overwritten(bare_world: World) -> None:
    first, second, _ = await three(bare_world)
    shown = await copy(bare_world, first, "/preview", to=[second])
    await given(bare_world, second, prefer="billing")
    await copy(bare_world, first, status=409, to=[second], seen=shown["seen"])
    assert (await settings(bare_world, second))["prefer"] == "billing"
    shown = await copy(bare_world, first, "/preview", to=[second])
    await copy(bare_world, first, status=409, to=[second], parts=["general"], seen=shown["seen"])


async def test_a_bridge_says_what_it_lacks_and_one_that_cannot_have_it_stays(bare_world: World) -> None:
    first, second, third = await three(bare_world)
    field = '[{"id": "f1", "key": "contact.vat_number", "label": "VAT", "type": "TEXT"}]'
    known = "UPDATE connections SET data = jsonb_set(data, '{custom_fields}', CAST(:fields AS jsonb))"
    await sql(bare_world, f"{known} WHERE id = 1", fields=field)
    await sql(bare_world, f"{known} WHERE id = 3", fields="[]")
    await sql(bare_world, "UPDATE bridges SET settings = jsonb_build_object('prefer', 7) WHERE id = 3")
    shown = await copy(bare_world, first, "/preview", to=[second, third], parts=["contact"])
    fine, broken = shown["targets"]
    assert (fine["refused"], broken["changes"]) == ("", [])
    assert "contact: the CRM account has no field “custom.vat_number”" in fine["missing"]
    assert "version" in broken["refused"]
    await copy(bare_world, first, to=[second, third], parts=["contact"], seen=shown["seen"])
    assert (await settings(bare_world, second))["contact"]["crm_deleted"] == "keep"
    async with bare_world.service.engine.connect() as connection:
        assert await connection.scalar(text("SELECT settings FROM bridges WHERE id = 3")) == {"prefer": 7}
    none = await copy(bare_world, first, "/preview", status=422, to=[first])
    assert "another bridge" in none["detail"]
