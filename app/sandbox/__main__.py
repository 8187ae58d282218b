"""`python -m app.sandbox invoice-ninja --port 0 --set queue=sync`: one simulator, until its stdin closes or SIGTERM."""

import argparse
import asyncio
import importlib
import json
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from app.sandbox.memory import Notebook
from app.sandbox.serving import listen, server

# Imported by name, so that starting one simulator does not load the other.
SIMULATORS = {"invoice-ninja": "app.sandbox.invoice_ninja", "highlevel": "app.sandbox.highlevel"}


def build(name: str, options: Sequence[str]) -> Starlette:
    """The app of that simulator; options are `field=value` of its `Config`, the value as JSON or else as plain text."""
    module = importlib.import_module(SIMULATORS[name])
    known = {each.name for each in fields(module.Config)}
    given: dict[str, Any] = {}
    for option in options:
        key, _, value = option.partition("=")
        if key not in known:
            raise SystemExit(f"{name} has no option {key!r}; it has: {', '.join(sorted(known))}")
        given[key] = _value(value)
    app: Starlette = module.create_app(module.Config(**given))
    return app


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def _announce(running: uvicorn.Server, name: str, url: str) -> None:
    while not running.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.005)
    print(json.dumps({"name": name, "url": url}), flush=True)  # noqa: T201 (the parent reads it)


async def _end_with_parent(running: uvicorn.Server) -> None:
    """Wait for the end of stdin, which comes when the parent dies, however it dies.

    Only a pipe can tell that; on a terminal or with no stdin (a container) SIGTERM or Ctrl-C ends it.
    """
    if not stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        return
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    running.should_exit = True


async def serve(name: str, port: int, options: Sequence[str], memory: Path | None = None) -> None:
    app = build(name, options)
    notebook = Notebook(memory, app.state.memory) if memory else None
    bound = listen(port)
    running = server(app)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    beside = [asyncio.create_task(_announce(running, name, url)), asyncio.create_task(_end_with_parent(running))]
    if notebook:
        beside.append(asyncio.create_task(notebook.keep()))
    try:
        await running.serve(sockets=[bound])
    finally:
        for task in beside:
            task.cancel()
        bound.close()
        if notebook:
            notebook.write()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.sandbox")
    parser.add_argument("name", choices=sorted(SIMULATORS))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--set", dest="options", action="append", default=[], metavar="OPTION=VALUE")
    parser.add_argument("--memory", type=Path, default=None, metavar="FILE")
    given = parser.parse_args()
    uvicorn_loop = uvicorn.Config("", loop="uvloop").get_loop_factory()
    with asyncio.Runner(loop_factory=uvicorn_loop) as runner:
        runner.run(serve(given.name, given.port, given.options, given.memory))


if __name__ == "__main__":
    main()
