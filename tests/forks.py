"""Processes of our own programs without what loading them takes (two seconds): forks of one that has loaded them."""

import atexit
import multiprocessing
import os
import random
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["app.cli", "app.main", "app.web.docs", "uvicorn", "tests.forks"])


@dataclass(frozen=True)
class Fork:
    """A process with the part of `subprocess.Popen` that is needed of one that only runs and ends."""

    process: ForkServerProcess

    @property
    def pid(self) -> int:
        return self.process.pid or 0

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.process.name), timeout or 0)
        return self.process.exitcode

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()


def forked(
    program: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdout: Path,
    stderr: Path | None = None,
    stdin: Path | None = None,
) -> Fork:
    """Start `python PROGRAM`, where PROGRAM is `-m MODULE ARGUMENTS`. `stderr`: None for the same file as `stdout`."""
    assert program[0] == "-m", program
    process = _FORKS.Process(
        target=_run, args=(tuple(program[1:]), dict(env), cwd, stdin, stdout, stderr), name=program[1], daemon=True
    )
    process.start()
    return Fork(process)


def _run(
    program: tuple[str, ...],
    env: Mapping[str, str],
    cwd: Path,
    stdin: Path | None,
    stdout: Path,
    stderr: Path | None,
) -> None:
    # One that is forked has the dice of all others.
    random.seed()
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined] # it may have children
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for path, flags, number in (
        (stdin or Path(os.devnull), os.O_RDONLY, 0),
        (stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 1),
        (stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 2),
    ):
        opened = 1 if path is None else os.open(path, flags, 0o600)
        os.dup2(opened, number)
        if opened > 2:
            os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    sys.argv = list(program)
    status = 0
    try:
        if loaded := sys.modules.get(program[0]):
            loaded.main()
        else:
            runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 -- told, as an interpreter does
        traceback.print_exc()
        status = 1
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends already
    atexit._run_exitfuncs()  # a fork leaves without them
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
