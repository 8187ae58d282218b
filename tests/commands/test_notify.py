"""`crossledger notify` and `crossledger failures` as an operator meets them: a process with an environment."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import text

from app.db import Database
from tests.command import SECRETS, crossledger, environment
from tests.notify.receiver import Receiver, receiving, verified

T = TypeVar("T")


class Shell:
    def __init__(self, database: str, cwd: Path) -> None:
        self.database, self.cwd = database, cwd
        self.env = environment(CROSSLEDGER_DATABASE_URL=database, CROSSLEDGER_ALLOW_PRIVATE_ADDRESSES="true", **SECRETS)

    async def __call__(self, *arguments: str, typed: str = "") -> tuple[int, str]:
        """The exit code, and all that was said."""
        done = await asyncio.to_thread(crossledger, *arguments, env=self.env, cwd=self.cwd, typed=typed)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        return await self._with(lambda db: _execute(db, statement, values))

    async def _with(self, work: Callable[[Database], Awaitable[T]]) -> T:
        db = Database.at(self.database)
        try:
            return await work(db)
        finally:
            await db.dispose()


async def _execute(db: Database, statement: str, values: dict[str, Any]) -> list[Any]:
    async with db.engine.begin() as connection:
        done = await connection.execute(text(statement), values)
        return [tuple(row) for row in done] if done.returns_rows else []


@pytest.fixture
async def shell(database: str, tmp_path: Path) -> Shell:
    shell = Shell(database, tmp_path)
    await shell.sql("INSERT INTO connections (provider, account_id) VALUES ('highlevel', 'a'), ('invoice_ninja', 'b')")
    await shell.sql("INSERT INTO bridges (name, crm_connection_id, billing_connection_id) VALUES ('Main', 1, 2)")
    return shell


async def test_a_webhook_is_made_and_tried_and_its_secret_shown_once(shell: Shell) -> None:
    async with receiving(Receiver()) as receiver:
        code, said = await shell(
            "notify", "add-webhook", "Ours", "--kind", "budget", "--bridge", "1", typed=receiver.url
        )
        assert code == 0, said
        secret = re.findall(r"whsec_\S+", said)[0]
        assert await shell("notify", "test", "1") == (0, "The test message was sent.\n")
        assert verified(*receiver.told[0], secret)
        receiver.status, receiver.answer = 500, "not today"
        code, said = await shell("notify", "test", "1")
        assert (code, "127.0.0.1 answers 500 Internal Server Error: not today" in said) == (1, True)
    _, listed = await shell("notify", "list")
    assert "1  webhook   Ours  (budget of bridge 1): 127.0.0.1 answers 500" in listed
    assert "a-secret-path" not in listed
    assert secret not in listed


async def test_a_channel_is_switched_off_and_removed(shell: Shell) -> None:
    await shell.sql("INSERT INTO channels (name, kind) VALUES ('Ours', 'webhook')")
    assert await shell("notify", "switch", "1", "--off") == (0, "Channel 1 is switched off.\n")
    assert "switched off" in (await shell("notify", "list"))[1]
    assert (await shell("notify", "remove", "1"))[0] == 0
    assert await shell("notify", "remove", "1") == (1, "There is no channel 1.\n")
    audit = await shell.sql("SELECT actor, action, thing, outcome FROM audit ORDER BY id")
    assert audit == [
        ("command line", "channel.switched", "channel 1", "done"),
        ("command line", "channel.removed", "channel 1", "done"),
    ]


async def test_a_channel_by_e_mail_is_made_and_what_is_wrong_with_one_is_said(shell: Shell) -> None:
    email = ["notify", "add-email", "Office", "--host", "mail.invalid", "--sender", "a@example.com"]
    to = ["--to", "b@example.com", "--to", "c@example.com"]
    code, said = await shell(*email, *to, "--username", "ada", typed="a-mail-password\n")
    assert (code, "Channel 1 is made" in said) == (0, True)
    (row,) = await shell.sql("SELECT settings, sealed FROM channels")
    assert row[0]["recipients"] == ["b@example.com", "c@example.com"]
    assert "a-mail-password" not in str(row)
    code, said = await shell("notify", "test", "1")
    assert (code, "the name mail.invalid is not found" in said) == (1, True)
    for wrong, words in (
        ([*to, "--security", "none", "--username", "ada"], "TLS only"),
        ([*to, "--kind", "weather"], "kinds.0"),
        ([*to, "--bridge", "7"], "There is no bridge 7."),
    ):
        code, said = await shell(*email, *wrong, typed="a-mail-password" if "none" in wrong else "")
        assert (code, words in said) == (1, True), said
        assert "a-mail-password" not in said
    assert len(await shell.sql("SELECT 1 FROM channels")) == 1


async def test_alerts_are_told_with_what_to_do(shell: Shell) -> None:
    assert await shell("notify", "alerts") == (0, "Nothing needs anybody.\n")
    await shell.sql(
        "INSERT INTO alerts (kind, thing, thing_id, name, count, since, told_at, ended_at) VALUES"
        " ('conflict', 'bridge', 1, 'Main', 2, now(), now(), NULL),"
        " ('failures', 'bridge', 1, 'Main', 12, now(), now(), now())"
    )
    _, said = await shell("notify", "alerts")
    assert said.startswith("A decision is needed on “Main”\n  since ")
    assert "Look at the page Decide: it says what is to be decided." in said
    assert "failures" not in said
    assert "The failures on “Main” are fewer again" in (await shell("notify", "alerts", "--past"))[1]


async def test_failures_are_listed_with_their_cure_and_a_group_is_tried_again(shell: Shell) -> None:
    await shell.sql(
        "INSERT INTO links (bridge_id, object, crm_id, state, problem, detail) SELECT 1, 'contact', 'c' || n, 'failed',"
        " 'rejected', 'phone +39 ' || n || ' is not valid' FROM generate_series(1, 42) n"
        " UNION ALL SELECT 1, 'contact', 'd', 'failed', 'forbidden', 'no'"
    )
    code, said = await shell("failures")
    assert code == 0
    first, *rest = said.splitlines()
    assert first.split() == ["COUNT", "KEY", "BRIDGE,", "PROBLEM", "AND", "REASON"]
    count, key, *title = rest[0].split()
    assert (count, " ".join(title)) == ("42", "Main: The other system refused the record (rejected)")
    assert rest[1].strip() == "phone … is not valid"
    assert rest[2].strip().startswith("-> Read the reason beside the record, correct the value")
    assert rest[-1].split()[0] == "43"
    code, said = await shell("failures", "--retry", key)
    assert (code, said.startswith("42 in the group, 42 queued")) == (0, True)
    locks = {lock for (lock,) in await shell.sql("SELECT lock FROM procrastinate_jobs WHERE task_name = 'sync_record'")}
    assert locks == {f"1/contact/crm/c{n}" for n in range(1, 43)}
    ((other,),) = await shell.sql("SELECT id FROM links WHERE crm_id = 'd'")
    for words in ("Queued: ", "It is queued already."):
        code, said = await shell("retry", str(other))
        assert (code, said.startswith(words)) == (0, True), said
    assert await shell("retry", "77") == (1, "There is no link 77.\n")
    await shell.sql("UPDATE links SET state = 'ok' WHERE crm_id = 'd'")
    assert await shell("retry", str(other)) == (1, "This record is not waiting to be tried: it is ok.\n")
    code, said = await shell("failures", "--retry", "7." + "0" * 16)
    assert (code, said) == (1, "There is no bridge 7.\n")
    await shell.sql("UPDATE bridges SET enabled = false")
    assert await shell("failures", "--retry", key) == (1, "Bridge 1 is switched off.\n")
