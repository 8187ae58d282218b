"""`crossledger` as an operator meets it: a process with an environment, a directory, and what is typed into it.

Loading the program takes two seconds: that is done once, and each command is a fork of the process that did it.
"""

import asyncio
import atexit
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess

from tests.conftest import ADMIN_TOKEN, World

SECRETS = {"CROSSLEDGER_SECRET_KEY": "only-for-tests-" + "x" * 32, "CROSSLEDGER_ADMIN_TOKEN": ADMIN_TOKEN}

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["app.cli", "app.main", "uvicorn", "tests.command"])


def environment(**settings: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CROSSLEDGER_")}
    return {**clean, **settings}


def crossledger(
    *arguments: str, env: Mapping[str, str], cwd: Path, typed: str = "", timeout: float = 60
) -> CompletedProcess[str]:
    """Raises TimeoutError, and ends it."""
    with tempfile.TemporaryDirectory() as place:
        said, complained, keys = (Path(place, name) for name in ("stdout", "stderr", "stdin"))
        keys.write_text(typed)
        process = _FORKS.Process(target=_run, args=(arguments, dict(env), cwd, (keys, said, complained)))
        process.start()
        _end(process, timeout)
        return CompletedProcess(arguments, process.exitcode or 0, said.read_text(), complained.read_text())


@dataclass(frozen=True)
class Shell:
    """Commands typed beside a service that runs."""

    env: Mapping[str, str]
    cwd: Path

    @classmethod
    def beside(cls, world: World, database: str, cwd: Path) -> "Shell":
        settings = {
            "CROSSLEDGER_DATABASE_URL": database,
            "CROSSLEDGER_HIGHLEVEL_BASE_URL": world.highlevel_url,
            "CROSSLEDGER_ALLOW_PRIVATE_ADDRESSES": "true",
            "CROSSLEDGER_SECRET_KEY": world.service.settings.secret_key.get_secret_value(),
            "CROSSLEDGER_ADMIN_TOKEN": ADMIN_TOKEN,
        }
        return cls(environment(**settings), cwd)

    async def __call__(self, *arguments: str, typed: str = "", status: int = 0) -> str:
        """All that was said, of a command that ends with this status."""
        done = await asyncio.to_thread(crossledger, *arguments, env=self.env, cwd=self.cwd, typed=typed)
        said = done.stdout + done.stderr
        assert (done.returncode, "Traceback" in said) == (status, False), said
        return said


def _end(process: BaseProcess, timeout: float) -> None:
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"it was still at work after {timeout} s")


def _run(arguments: tuple[str, ...], env: Mapping[str, str], cwd: Path, streams: tuple[Path, Path, Path]) -> None:
    from app.cli import main

    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for number, (path, mode) in enumerate(zip(streams, ("r", "w", "w"), strict=True)):
        with path.open(mode) as stream:
            os.dup2(stream.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate(("r", "w", "w")))
    sys.argv = ["crossledger", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # a fork leaves without them
