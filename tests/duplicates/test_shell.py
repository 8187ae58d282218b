"""`crossledger duplicates`: what waits for a decision, and deciding it, in the shell."""

from pathlib import Path

from tests.command import SECRETS, Shell, crossledger, environment
from tests.conftest import World
from tests.duplicates.conftest import client, ended, search
from tests.duplicates.test_merging import PASSWORD, alive
from tests.people.test_admin_cli import rows


async def test_the_shell_shows_what_waits_for_a_decision(still: World, database: str, tmp_path: Path) -> None:
    env = environment(CROSSLEDGER_DATABASE_URL=database, CROSSLEDGER_DATA_DIR=str(tmp_path), **SECRETS)
    done = crossledger("duplicates", "list", env=env, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "No duplicates wait for a decision.\n")
    one = await client(still, "Acme", "jane@acme.example", phone="+442079460958")
    two = await client(still, "Acme Ltd", "jane@acme.example", phone="+442079460958")
    three = await client(still, "Brick", phone="+442079460958")
    janes = [await still.add_contact(firstName=name, email="jane@acme.example") for name in ("Jane", "J.")]
    await search(still, common_above=2)
    said = crossledger(
        "duplicates", "list", "--bridge", str(still.bridge_id), "--side", "billing", env=env, cwd=tmp_path
    ).stdout
    assert f"the same e-mail address: jane@acme.example ({one}, {two})" in said
    assert f"- {one}  Acme, jane@acme.example, balance 0, paid 0 USD" in said
    assert "1 cluster(s) wait for a decision." in said
    assert "too common, joins nothing: the same phone number, +442079460958 (billing, 3 records)" in said
    assert three not in said
    assert not any(each in said for each in janes)
    assert "2 cluster(s)" in crossledger("duplicates", "list", env=env, cwd=tmp_path).stdout
    assert "No duplicates" in crossledger("duplicates", "list", "--bridge", "999", env=env, cwd=tmp_path).stdout


async def test_duplicates_are_searched_decided_and_merged_from_the_shell(
    still: World, database: str, tmp_path: Path
) -> None:
    one = await client(still, "Acme", "jane@acme.example")
    two = await client(still, "Acme Ltd", "jane@acme.example")
    said = Shell.beside(still, database, tmp_path)
    begun = await said("duplicates", "search", "--bridge", str(still.bridge_id), "--side", "billing")
    await ended(still, int(begun.split()[1]))
    assert (await still.rows("runs"))[0]["options"] == {"sides": ["billing"], "common_above": 10}
    (cluster,) = await still.rows("duplicates")
    id_ = str(cluster["id"])
    assert "is dismissed" in await said("duplicates", "dismiss", id_)
    assert "No duplicates wait" in await said("duplicates", "list")
    assert "dismissed by command line" in await said("duplicates", "list", "--dismissed")
    assert await said("duplicates", "dismiss", id_, status=1) == "It is not open.\n"
    assert "waits for a decision again" in await said("duplicates", "reopen", id_)
    told = await said("duplicates", "show", id_)
    assert f"- {one}  Acme, jane@acme.example, balance 0, paid 0 USD, 0 invoice(s)" in told
    assert "should survive: " in told
    assert "gone for good" in told

    merge = ("duplicates", "merge", id_, two)
    await said(*merge, typed="n\n", status=1)
    assert await alive(still) == {one, two}
    assert "password" in (await said(*merge, "--yes", typed="wrong-password\n", status=1)).lower()
    assert "Name each of these once" in await said(*merge, "--other", "nobody", "--yes", typed="x\n", status=1)
    assert "password: " in await said(*merge, "--yes", typed="pässword\n", status=1)
    merged = await said(*merge, typed=f"y\n{PASSWORD}\n")
    assert f"Merged: {one} into {two}." in merged
    assert PASSWORD not in merged
    assert await alive(still) == {two}
    assert (await still.rows("duplicates"))[0]["state"] == "merged"
    told_of = "SELECT action, detail, outcome FROM audit WHERE actor = 'command line' ORDER BY id"
    assert rows(database, told_of) == [
        ("duplicates.dismissed", "", "done"),
        ("duplicates.dismissed", "", "refused"),
        ("duplicates.reopened", "", "done"),
        ("duplicates.merged", f"{one} into {two}", "refused"),
        ("duplicates.merged", f"nobody into {two}", "refused"),
        ("duplicates.merged", f"{one} into {two}", "done"),
    ]
