"""Starting and stopping simulators as processes of their own, for the demo and the tests."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 5.0


@dataclass(frozen=True)
class Simulator:
    name: str
    url: str
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, name: str, *, port: int = 0, memory: Path | None = None, **options: Any) -> Self:
        """Start one simulator (port 0: a free one); returns when it serves. `options` are fields of its `Config`.

        `memory`: a file that it keeps its records in, and begins with where there is one.
        """
        settings = [f"--set={key}={json.dumps(value)}" for key, value in options.items()]
        if memory is not None:
            settings.append(f"--memory={memory}")
        process = subprocess.Popen(  # noqa: S603 (our own module, run by our own interpreter)
            [sys.executable, "-m", "app.sandbox", name, "--port", str(port), *settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("CROSSLEDGER_")},
            start_new_session=True,  # a Ctrl-C on the terminal is for the parent, whose end ends it
        )
        assert process.stdout is not None  # noqa: S101 (asked for above)
        line = process.stdout.readline()
        if not line:
            _close(process)
            raise RuntimeError(f"the {name} simulator ended with status {process.returncode} before it could serve")
        return cls(name, json.loads(line)["url"], process)

    def stop(self) -> None:
        """End the process: closing its stdin is enough, and SIGKILL follows if it is not."""
        _close(self.process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _close(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
