"""What a plan says, in the shell: the same as the API answers."""

import csv
import json
from pathlib import Path

from tests.command import Shell
from tests.conftest import World
from tests.planning.conftest import client, ended, items, person, plan


async def test_a_plan_is_listed_filtered_and_exported(dry: World, database: str, tmp_path: Path) -> None:
    await dry.add_contact(**person(1))
    await dry.add_contact(**person(2, city="York"))
    await dry.add_client(**client(2, city="Hull"))
    for _ in range(2):
        await dry.add_client(**client(4), custom_value4="copied")
    shown = await plan(dry)
    said = Shell.beside(dry, database, tmp_path)
    id_ = str(shown["id"])
    told = await said("items", id_)
    assert "create: 3 planned" in told
    assert "link: 1 planned" in told
    assert "not unique in billing: contact email “jane4@acme.example”, 2 records: " in told
    assert "city in billing: “Hull” becomes “York”" in told
    linked = await said("items", id_, "--action", "link")
    assert "link, planned: contact " in linked
    assert "create, planned: contact " not in linked
    assert "There are more" in await said("items", id_, "--most", "1")

    for form, name in (("csv", "plan.csv"), ("json", "plan.jsonl")):
        exported = (await dry.admin.get(f"/api/v1/plans/{id_}/export", params={"form": form})).text
        assert await said("items", id_, f"--{form}", name) == ""
        assert (tmp_path / name).read_bytes().decode() == exported
    lines = (await said("items", id_, "--json", "-", "--action", "link")).splitlines()
    assert [json.loads(line) for line in lines] == await items(dry, shown["id"], action="link")
    rows = list(csv.DictReader((tmp_path / "plan.csv").read_text().splitlines()))
    assert {row["action"] for row in rows} == {"create", "link"}

    assert await said("items", "77", status=1) == "There is no plan 77.\n"
    assert "“odd” is none of these: create, link" in await said("items", id_, "--action", "odd", status=1)
    (chosen,) = await items(dry, shown["id"], action="link")
    await said("apply", id_, "--item", str(chosen["id"]))
    assert [each["id"] for each in await items(dry, shown["id"], state="done")] == [chosen["id"]]
    (backfill,) = await dry.rows("runs", kind="backfill")
    assert await said("items", str(backfill["id"]), status=1) == f"There is no plan {backfill['id']}.\n"


async def test_other_settings_are_tried_from_a_file(dry: World, database: str, tmp_path: Path) -> None:
    await dry.add_contact(**person(1))
    await dry.add_client(**client(2))
    (bridge,) = await dry.rows("bridges")
    contact = {**bridge["settings"]["contact"], "direction": "to_billing"}
    good, odd, broken, binary = (tmp_path / name for name in ("good", "odd", "broken", "binary"))
    good.write_text(json.dumps({**bridge["settings"], "contact": contact}))
    odd.write_text(json.dumps({**bridge["settings"], "contact": {"direction": "sideways"}}))
    broken.write_text("{")
    binary.write_bytes(b"\xff")
    said = Shell.beside(dry, database, tmp_path)
    begin = ("plan", "--bridge", str(dry.bridge_id), "--settings")
    for file, words in ((odd, "contact.direction: "), (broken, "Invalid JSON"), (binary, "Invalid JSON")):
        refused = await said(*begin, str(file), status=1)
        assert refused.startswith(f"{file} has no settings of a bridge: {words}")
        assert "sideways" not in refused
    assert "No such file" in await said(*begin, "nowhere.json", status=2)
    assert await dry.rows("runs") == []
    assert "done: 1 create, " in await said(*begin, str(good))
    (run,) = await dry.rows("runs")
    assert (await ended(dry, run["id"]))["options"]["settings"]["contact"]["direction"] == "to_billing"
    assert "other settings than the bridge has now" in await said("apply", str(run["id"]), status=1)
