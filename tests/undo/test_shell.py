"""`crossledger undo` and `crossledger replay`, as processes beside a running service."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from app.commands.console import moment
from tests.command import Shell, crossledger, environment
from tests.conftest import World
from tests.flows.resting import rest
from tests.undo.conftest import ended, undo
from tests.undo.test_values import edited


async def test_an_undo_is_shown_and_asked_for_before_it_begins(world: World, database: str, tmp_path: Path) -> None:
    _, client_id, activity = await edited(world)
    said = Shell.beside(world, database, tmp_path)
    asked = await said("undo", "--activity", str(activity), status=1)
    assert "city in billing: “Cambridge” becomes “London”" in asked
    assert "Undo this?" in asked
    assert await world.rows("runs") == []
    begun = await said("undo", "--activity", str(activity), "--field", "city", "--yes")
    assert "Run 1 has begun" in begun
    run = await ended(world, 1)
    assert (run["actor"], run["counts"]) == ("command line", {"restored": 1})
    assert (await world.client(client_id))["city"] == "London"
    await rest(world)

    day = f"{datetime.now().astimezone():%Y-%m-%d}"
    window = ("--bridge", "1", "--from", f"{day} 00:00", "--to", f"{day} 23:59:59")
    assert "Run 2 has begun" in await said("replay", *window, "--object", "contact")
    assert (await ended(world, 2))["total"] == 2
    assert "There is no activity 77." in await said("undo", "--activity", "77", status=1)
    assert "state" in await said("replay", *window, "--state", "nonsense", status=1)
    await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"enabled": False})
    event = (await world.rows("events"))[0]["id"]
    for call in (window, (str(event),)):
        assert await said("replay", *call, status=1) == f"Bridge {world.bridge_id} is switched off.\n"


async def test_who_wrote_what_is_told_and_what_an_undo_left(world: World, database: str, tmp_path: Path) -> None:
    contact_id, client_id, activity = await edited(world)
    said = Shell.beside(world, database, tmp_path)
    (event,) = {write["event_id"] for write in await writes_of(world, "address1")}
    (bridge,) = await world.rows("bridges")
    assert await said("bridges") == f"{bridge['id']:>6}  {bridge['name']}: connections 1 and 2, live\n"
    assert await said("links", "--state", "failed") == ""
    (link,) = (await said("links", "--crm-id", contact_id)).splitlines()
    assert link.split()[1:] == ["contact", contact_id, "=", client_id, "ok"]
    told = (await said("history", link.split()[0])).splitlines()
    about = told.index(next(line for line in told if line.startswith("address1 in billing")))
    assert "last written by Crossledger" in told[about]
    assert "“1 Elm Row” became “5 Oak Lane”" in told[about + 1]
    assert f"(activity {activity}, updated, ContactUpdate, event {event}, changed in the CRM)" in told[about + 1]
    assert any(line.startswith("address1 in crm") and "somebody in crm" in line for line in told)
    assert "“1 Elm Row” became “5 Oak Lane”" in await said("activities", "--link", link.split()[0])
    assert f"  {event}  " in await said("events", "--external-id", contact_id)
    assert await said("history", "77", status=1) == "There is no link 77.\n"

    first = await undo(world, activity_id=activity, fields=["city"])
    assert "city in billing: restored; " in await said("undone", str(first["id"]))
    assert await said("undone", str(first["id"]), "--outcome", "changed_since") == ""
    await rest(world)
    await world.edit_client(client_id, address1="9 Ash Way")
    await rest(world)
    run = await undo(world, activity_id=activity)
    listed = await said("undone", str(run["id"]), "--outcome", "changed_since")
    assert "address1 in billing: changed since; “9 Ash Way” was found, “5 Oak Lane” had been written" in listed
    exported = (await world.admin.get(f"/api/v1/undo/{run['id']}/items.csv")).text
    assert await said("undone", str(run["id"]), "--csv", "-") == exported.replace("\r\n", "\n")
    assert "none of these: restoring, restored" in await said("undone", "1", "--outcome", "odd", status=1)
    assert await said("undone", "77", status=1) == "There is no undo 77.\n"


async def writes_of(world: World, field: str) -> list[dict[str, Any]]:
    """The newest that Crossledger made in billing."""
    (link,) = await world.rows("links")
    told = (await world.admin.get(f"/api/v1/links/{link['id']}/history")).raise_for_status().json()["fields"]
    (found,) = [each for each in told if (each["field"], each["side"]) == (field, "billing")]
    return list(found["writes"][:1])


async def test_what_is_wrong_with_a_call_is_said(tmp_path: Path) -> None:
    for arguments in (
        ("undo",),
        ("undo", "--bridge", "1"),
        ("replay",),
        ("replay", "--bridge", "1", "--from", "14:05"),
    ):
        done = await asyncio.to_thread(crossledger, *arguments, env=environment(), cwd=tmp_path)
        assert done.returncode == 2
        assert "name" in done.stderr


def test_a_time_of_day_is_of_today_and_of_this_machine() -> None:
    now = datetime.now().astimezone()
    assert moment("14:05") == now.replace(hour=14, minute=5, second=0, microsecond=0)
    assert moment("2026-11-21 14:05") == datetime(2026, 11, 21, 14, 5).astimezone()
    assert moment("2026-11-21T14:05:00+00:00").utctimetuple()[:5] == (2026, 11, 21, 14, 5)
    with pytest.raises(typer.BadParameter):
        moment("noon")
