"""`crossledger conflicts` from the shell, beside a running service."""

import asyncio

import pytest
from typer.testing import CliRunner

from app.commands.conflicts import conflicts
from tests.conftest import World, connect
from tests.flows.resting import rest
from tests.flows.test_conflicts import cities, differing
from tests.people.test_admin_cli import rows


@pytest.fixture
async def asked(bare_world: World, database: str, monkeypatch: pytest.MonkeyPatch) -> World:
    values = {
        "CROSSLEDGER_SECRET_KEY": bare_world.service.settings.secret_key.get_secret_value(),
        "CROSSLEDGER_DATABASE_URL": database,
        "CROSSLEDGER_ADMIN_TOKEN": "",
        "CROSSLEDGER_ALLOW_PRIVATE_ADDRESSES": "true",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(bare_world.service.settings.data_dir)
    monkeypatch.setattr("app.logs.configure", lambda level: None)  # it is for the process, and these tests share one
    await connect(bare_world, prefer="ask")
    return bare_world


async def run(*arguments: str) -> tuple[int, str]:
    """In a thread, as the commands have an event loop of their own."""
    done = await asyncio.to_thread(CliRunner().invoke, conflicts, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


async def test_a_conflict_is_listed_shown_and_decided(asked: World, database: str) -> None:
    contact_id, client_id, found = await differing(asked)
    id_ = str(found["id"])
    _, listed = await run("list", "--kind", "field", "--object", "contact")
    assert listed == f"{id_:>6}  field  contact {contact_id} {client_id}  city\n"
    assert (await run("list", "--kind", "total"))[1] == ""
    code, told = await run("show", id_)
    assert code == 0
    assert "crm      “Crmton” (was “London”; edited " in told
    assert "billing: City in the CRM: “Crmton” becomes “Billingham”" in told
    assert "keep_apart: the pair is cut" in told
    code, said = await run("decide", id_, "--field", "city", "--take", "billing", "--always")
    assert (code, f"conflicts show {id_}" in said) == (0, True), said
    await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("Billingham", "Billingham")
    assert (await run("list"))[1] == ""
    told_of = "SELECT actor, address, thing, detail, outcome FROM audit WHERE action = 'conflict.decided'"
    assert rows(database, told_of) == [("command line", "shell", f"link {id_}", "city billing", "done")]
    bridge = (await asked.admin.get(f"/api/v1/bridges/{asked.bridge_id}")).json()
    assert bridge["settings"]["contact"]["prefer"] == {"city": "billing"}


async def test_all_are_decided_alike(asked: World, database: str) -> None:
    contact_id, client_id, _ = await differing(asked)
    for field, queued in (("website", 0), ("city", 1)):
        code, said = await run("decide-all", "--take", "crm", "--field", field, "--yes")
        assert (code, f"Queued: {queued}.\n" in said) == (0, True), said  # the service's log may be beside it
    await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("Crmton", "Crmton")
    told_of = "SELECT detail, outcome FROM audit WHERE action = 'conflicts.decided' ORDER BY id"
    assert rows(database, told_of) == [("crm field=website", "done"), ("crm field=city", "done")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("decide", "1"), "Give --field with --take"),
        (("decide", "1", "--take", "crm"), "Give --field with --take"),
        (("decide", "1", "--create", "--keep-apart"), "Give --field with --take"),
        (("decide", "1", "--field", "city", "--take", "value"), "--value goes with --take value"),
        (("decide-all", "--take", "value", "--yes"), "take crm or billing"),
        (("decide", "7", "--keep-apart"), "There is no conflict 7."),
        (("show", "7"), "There is no conflict 7."),
    ],
)
async def test_what_cannot_be_is_one_sentence(asked: World, arguments: tuple[str, ...], sentence: str) -> None:
    code, said = await run(*arguments)
    assert code == 1
    assert sentence in said
