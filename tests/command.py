"""`crossledger` as an operator meets it: a process with an environment, a directory, and what is typed into it."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from tests.conftest import ADMIN_TOKEN, World
from tests.forks import forked

SECRETS = {"CROSSLEDGER_SECRET_KEY": "only-for-tests-" + "x" * 32, "CROSSLEDGER_ADMIN_TOKEN": ADMIN_TOKEN}


def environment(**settings: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CROSSLEDGER_")}
    return {**clean, **settings}


def crossledger(
    *arguments: str, env: Mapping[str, str], cwd: Path, typed: str = "", timeout: float = 60
) -> CompletedProcess[str]:
    """Raises subprocess.TimeoutExpired, and ends it."""
    with tempfile.TemporaryDirectory() as place:
        said, complained, keys = (Path(place, name) for name in ("stdout", "stderr", "stdin"))
        keys.write_text(typed)
        process = forked(("-m", "app.cli", *arguments), env=env, cwd=cwd, stdin=keys, stdout=said, stderr=complained)
        try:
            status = process.wait(timeout)
        finally:
            process.kill()
        return CompletedProcess(arguments, status, said.read_text(), complained.read_text())


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
