"""`crossledger admin`: users, tokens and the set-up link from the shell."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from typer.testing import CliRunner

from app.commands.admin import admin
from app.people.roles import Role
from tests.command import crossledger, environment
from tests.people.conftest import PASSWORD, House, log_in

SECRET_KEY = {"CROSSLEDGER_SECRET_KEY": "only-for-tests-" + "x" * 32}


@pytest.fixture
def env(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Without an admin token: the shell needs none."""
    values = {**SECRET_KEY, "CROSSLEDGER_DATABASE_URL": database, "CROSSLEDGER_ADMIN_TOKEN": ""}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("app.logs.configure", lambda level: None)  # it is for the process, and these tests share one
    return values


def run(*arguments: str, typed: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(admin, list(arguments), input=typed)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def rows(database: str, statement: str) -> list[Any]:
    engine = create_engine(make_url(database).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(statement))]
    engine.dispose()
    return found


def test_users_are_added_listed_changed_and_removed(env: Mapping[str, str], database: str) -> None:
    assert run("add-user", "Ada@example.com", "--role", "owner", typed=f"{PASSWORD}\n")[0] == 0
    assert run("add-user", "bob@example.com", typed=f"{PASSWORD}\n")[0] == 0
    assert run("set-role", "BOB@example.com", "operator")[0] == 0
    assert run("list-users") == (0, "   1  owner     ada@example.com\n   2  operator  bob@example.com\n")
    before = rows(database, "SELECT password_hash FROM users WHERE id = 2")
    assert run("set-password", "bob@example.com", typed="another good password\n")[0] == 0
    assert rows(database, "SELECT password_hash FROM users WHERE id = 2") != before
    assert run("remove-user", "bob@example.com")[0] == 0
    assert run("list-users") == (0, "   1  owner     ada@example.com\n")
    assert rows(database, "SELECT DISTINCT actor, address, outcome FROM audit") == [("command line", "shell", "done")]
    assert [action for (action,) in rows(database, "SELECT action FROM audit ORDER BY id")] == [
        "user.added",
        "user.added",
        "user.role_changed",
        "user.password_changed",
        "user.removed",
    ]


def test_what_is_not_allowed_ends_with_a_sentence(env: Mapping[str, str], database: str) -> None:
    run("add-user", "ada@example.com", "--role", "owner", typed=f"{PASSWORD}\n")
    for arguments, typed, sentence in (
        (("remove-user", "ada@example.com"), "", "last owner"),
        (("set-role", "ada@example.com", "viewer"), "", "last owner"),
        (("set-role", "eve@example.com", "viewer"), "", "no user eve@example.com"),
        (("set-password", "ada@example.com"), "short\n", "at least 12 characters"),
        (("add-user", "ada@example.com"), f"{PASSWORD}\n", "already"),
        (("add-user", "nobody"), f"{PASSWORD}\n", "not an e-mail address"),
        (("revoke-token", "7"), "", "no token 7"),
        (("setup-link",), "", "users already"),
    ):
        code, said = run(*arguments, typed=typed)
        assert (code, sentence in said) == (1, True), (arguments, said)
        assert PASSWORD not in said
    assert rows(database, "SELECT email, role FROM users") == [("ada@example.com", "owner")]


async def test_a_token_of_the_shell_works_until_it_is_revoked(env: Mapping[str, str], house: House) -> None:
    made = command("add-token", "CI", "--role", "operator", "--days", "3", env=env)
    token = made.stdout.strip()
    bearer = await house.bearer(token)
    me = (await bearer.get("/api/v1/me")).json()
    assert (me["name"], me["role"], me["user_id"]) == ("token 1 “CI”", "operator", None)
    ((days,),) = await house.sql("SELECT round(extract(epoch FROM expires_at - created_at) / 86400) FROM api_tokens")
    assert days == 3
    assert command("revoke-token", "1", env=env).returncode == 0
    assert (await bearer.get("/api/v1/me")).status_code == 401
    assert token not in str(await house.sql("SELECT * FROM audit"))


async def test_a_password_from_the_shell_ends_the_sessions(env: Mapping[str, str], house: House) -> None:
    ada = await house.user(Role.OWNER)
    browser = await house.logged_in(ada)
    for n in range(5):
        await log_in(await house.browser(address=f"198.51.100.{n}"), ada.name, "wrong")
    assert (await log_in(browser, ada.name)).status_code == 429
    assert command("set-password", ada.name, env=env, typed="another good password\n").returncode == 0
    assert (await browser.get("/api/v1/me")).status_code == 401
    assert (await log_in(browser, ada.name, "another good password")).status_code == 303


def test_each_link_is_a_new_one(env: Mapping[str, str], database: str) -> None:
    links = {run("setup-link")[1] for _ in range(2)}
    assert len(links) == 2
    assert all(link.startswith("http://127.0.0.1:8000/setup?token=") for link in links)
    assert rows(database, "SELECT count(*) FROM setup_links") == [(1,)]


def command(*arguments: str, env: Mapping[str, str], typed: str = "") -> subprocess.CompletedProcess[str]:
    """As a process: inside a test that has an event loop already."""
    return crossledger("admin", *arguments, env=environment(**env), cwd=Path.cwd(), typed=typed)
