"""The command line as an operator meets it: a process with an environment."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from app import heartbeat
from app.sandbox.processes import Simulator
from tests.command import SECRETS, crossledger, environment
from tests.conftest import ADMIN_TOKEN, LOCATION


@pytest.mark.parametrize(
    ("secrets", "names"),
    [
        ({}, "CROSSLEDGER_SECRET_KEY"),
        ({"CROSSLEDGER_SECRET_KEY": "changeme"}, "CROSSLEDGER_SECRET_KEY"),
        ({**SECRETS, "CROSSLEDGER_ADMIN_TOKEN": "changeme"}, "CROSSLEDGER_ADMIN_TOKEN"),
        ({**SECRETS, "CROSSLEDGER_ADMIN_TOKEN": "x" * 19}, "CROSSLEDGER_ADMIN_TOKEN"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "worker", "check"])
def test_a_start_without_real_secrets_is_one_sentence_that_says_what_to_set(
    command: str, secrets: dict[str, str], names: str, tmp_path: Path
) -> None:
    done = crossledger(command, env=environment(CROSSLEDGER_DATA_DIR=str(tmp_path), **secrets), cwd=tmp_path)
    assert done.returncode == 1
    assert f"Set {names}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "postgres").exists()


def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    done = crossledger("serve", env=environment(CROSSLEDGER_PORT="eighty", **SECRETS), cwd=tmp_path)
    assert done.returncode == 1
    assert "CROSSLEDGER_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    for url, words in {
        "mysql://root@127.0.0.1/x": "must name a PostgreSQL",
        "postgresql://x@127.0.0.1:1/x": "The database cannot be used",
        "not a url": "is not a database URL",
        "postgresql://x:one@two@127.0.0.1:1/x": "write one in a password as %40",
    }.items():
        done = crossledger("migrate", env=environment(CROSSLEDGER_DATABASE_URL=url, **SECRETS), cwd=tmp_path)
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_migrating_twice_is_harmless(database: str, tmp_path: Path) -> None:
    for _ in range(2):
        done = crossledger("migrate", env=environment(CROSSLEDGER_DATABASE_URL=database), cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "The database is up to date.\n")


def test_check_says_which_connection_fails_and_why_and_replay_says_what_it_did(
    database: str, tmp_path: Path, highlevel_process: Simulator
) -> None:
    highlevel = highlevel_process.url
    httpx.post(f"{highlevel}/_control/reset").raise_for_status()
    env = environment(
        CROSSLEDGER_DATABASE_URL=database,
        CROSSLEDGER_HIGHLEVEL_BASE_URL=highlevel,
        CROSSLEDGER_ALLOW_PRIVATE_ADDRESSES="true",
        CROSSLEDGER_PORT="0",
        **SECRETS,
    )
    with Service(env, tmp_path) as url:
        body = {
            "provider": "highlevel", "name": "Mine", "location_id": LOCATION,
            "private_token": "sandbox-highlevel-service-token",
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        assert httpx.post(f"{url}/api/v1/connections", json=body, headers=headers).status_code == 201
    done = crossledger("check", env=env, cwd=tmp_path)
    assert (done.returncode, "connection 1 “Mine” (highlevel): ok" in done.stdout) == (0, True), done.stdout
    httpx.post(f"{highlevel}/_control/faults", json={"kind": "status", "status": 401}).raise_for_status()
    done = crossledger("check", env=env, cwd=tmp_path)
    assert (done.returncode, "FAILS" in done.stdout) == (1, True)
    done = crossledger("replay", "77", env=env, cwd=tmp_path)
    assert (done.returncode, "There is no event 77." in done.stderr) == (1, True)
    done = crossledger("sweep", "--bridge", "77", env=env, cwd=tmp_path)
    assert (done.returncode, "There is no bridge 77." in done.stderr) == (1, True)
    done = crossledger("sweep", "--full", env=env, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "No sweep was begun.\n")


def test_whether_a_worker_is_alive_is_asked_without_a_database(tmp_path: Path) -> None:
    env = environment(CROSSLEDGER_DATA_DIR=str(tmp_path), CROSSLEDGER_DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    done = crossledger("check", "--worker", env=env, cwd=tmp_path)
    assert (done.returncode, "No worker has given a sign of life" in done.stdout) == (1, True)
    heartbeat.give(tmp_path)
    done = crossledger("check", "--worker", env=env, cwd=tmp_path)
    assert (done.returncode, " s old." in done.stdout) == (0, True), done.stdout


class Service:
    """`crossledger serve` on a free port, as a process."""

    def __init__(self, env: Mapping[str, str], cwd: Path) -> None:
        self.env, self.cwd = env, cwd

    def __enter__(self) -> str:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
        self.said = (self.cwd / "stdout").open("w")
        self.process = subprocess.Popen(
            command, env=dict(self.env), cwd=self.cwd, stdout=self.said, stderr=subprocess.DEVNULL
        )
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    return url
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        self.__exit__()
        raise AssertionError("the service did not start")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        self.said.close()


def test_serve_starts_on_an_empty_folder_with_the_bundled_database_and_takes_it_along_when_it_ends(
    tmp_path: Path,
) -> None:
    env = environment(CROSSLEDGER_DATA_DIR=str(tmp_path), **SECRETS)
    with Service(env, tmp_path) as url:
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
        assert (tmp_path / "postgres" / "postmaster.pid").exists()
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


def test_serve_says_how_to_become_the_owner_while_there_is_no_user(database: str, tmp_path: Path) -> None:
    env = environment(CROSSLEDGER_DATABASE_URL=database, CROSSLEDGER_SECRET_KEY=SECRETS["CROSSLEDGER_SECRET_KEY"])
    links = []
    for _ in range(2):
        with Service(env, tmp_path) as url:
            said = (tmp_path / "stdout").read_text()
            assert "becomes the owner" in said
            links.append(said.split()[-1])
            assert httpx.get(f"{url}/setup", params={"token": links[-1].partition("token=")[2]}).status_code == 200
            assert httpx.get(f"{url}/setup", params={"token": links[0].partition("token=")[2]}).status_code == (
                200 if len(links) == 1 else 403
            )
    add = ("admin", "add-user", "ada@example.com", "--role", "owner")
    added = crossledger(*add, env=env, cwd=tmp_path, typed="correct horse battery")
    assert added.returncode == 0, added.stderr
    with Service(env, tmp_path):
        assert (tmp_path / "stdout").read_text() == ""


def test_help_names_every_command(tmp_path: Path) -> None:
    done = crossledger("--help", env=environment(), cwd=tmp_path)
    commands = (
        *("serve", "worker", "migrate", "demo", "sandbox", "check", "rotate-keys", "objects", "admin", "notify"),
        *("plan", "items", "apply", "runs", "sweep", "health", "conflicts", "duplicates", "undo", "undone", "replay"),
        *("bridges", "links", "activities", "events", "history", "failures", "retry"),
    )
    listed = {line.split()[1] for line in done.stdout.splitlines() if len(line.split()) > 2 and line[:1] == "│"}
    assert set(commands) <= listed


def test_help_comes_at_once_for_nothing_that_a_command_needs_is_loaded() -> None:
    code = "import sys, app.cli; print(*(name for name in sys.modules if name in sys.argv))"
    slow = ("fastapi", "sqlmodel", "httpx", "procrastinate", "alembic", "app.main", "app.models")
    done = subprocess.run(
        [sys.executable, "-c", code, *slow],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
        cwd=Path.cwd(),
    )
    assert done.stdout.split() == []
