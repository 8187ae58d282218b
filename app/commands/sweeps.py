"""`crossledger sweep` and `health`: begun by a person, how far it is, and what webhooks missed, in lines."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.shell import with_service
from app.people.roles import SHELL

if TYPE_CHECKING:
    from app.main import Service
    from app.models import Run
    from app.runs import Runs
    from app.sweep.health import Health
    from app.sweep.readings import Scope

sweeps = typer.Typer()
Say = Callable[[str], object]

LOOK = 0.3
PATIENCE = 10.0
"""Seconds in which a worker takes a run, where there is one."""


@sweeps.command()
def sweep(
    bridge: Annotated[int, typer.Option(help="The id of one bridge; else all that are switched on.")] = 0,
    full: Annotated[bool, typer.Option("--full", help="Compare everything, and look for what was deleted.")] = False,
) -> None:
    """Look for what webhooks missed. A running worker does it; this waits and tells how far it is."""

    async def work(service: "Service") -> bool:
        from app.sweep.readings import Scope

        return await begin_and_follow(service.runs, bridge, Scope.FULL if full else Scope.CHANGED, typer.echo)

    if not with_service(work):
        raise typer.Exit(1)


@sweeps.command()
def health(
    bridge: Annotated[int, typer.Option(help="The bridge, by its id.", min=1)],
) -> None:
    """Say what webhooks missed, by provider and day, whether they have fallen silent, and how far sweeps have read."""

    async def work(service: "Service") -> "Health":
        from app.sweep.health import health_of

        return await health_of(service.engine, service.directory, bridge, datetime.now(UTC))

    for line in _told(with_service(work)):
        typer.echo(line)


def _told(health: "Health") -> Iterator[str]:
    for what, run in (("last sweep", health.last_sweep), ("last full compare", health.last_full)):
        yield f"{what}: {f'run {run.id}, {_at(run.created_at)}, {_line(run)}' if run else 'none yet'}"
    for heard in health.heard:
        yield f"{heard.provider} ({heard.side}): last delivery {_at(heard.last_at)}"
        yield from (f"   {kind}: {_at(at)}" for kind, at in heard.kinds)
        yield from (f"   {each}" for each in (heard.said, health.webhooks[heard.connection_id]) if each)
    for day in health.missed:
        yield f"{day.day} {day.provider} {day.object}: {day.missed} missed, {day.repaired} of them repaired"
    if not health.missed:
        yield "No event was missed in the last 30 days, as far as sweeps have looked."
    for read in health.readings:
        yield (
            f"read {read.object} in {read.side}: to {_at(read.read_to)}, compared {_at(read.compared_at)}"
            f" {read.problem}".rstrip()
        )


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"


async def begin_and_follow(runs: "Runs", bridge_id: int, scope: "Scope", say: Say) -> bool:
    """Sweep one bridge, or with 0 all that are switched on. True: all that has begun came to its end.

    Raises Gone and Rejected for a bridge that was named.
    """
    from app.errors import Rejected
    from app.models.run import RunKind

    named = [bridge_id] if bridge_id else [each.id for each in await runs.connections.directory.bridges()]
    begun: list[int] = []
    for each in named:
        try:
            begun.append(await runs.begin(each, RunKind.SWEEP, {"scope": scope}, SHELL.name))
        except Rejected as refusal:
            if bridge_id:
                raise
            say(f"bridge {each}: {refusal}")
    if not begun:
        say("No sweep was begun.")
    return all(await asyncio.gather(*(_follow(runs, run_id, say) for run_id in begun)))


async def _follow(runs: "Runs", run_id: int, say: Say) -> bool:
    from app.models.run import RunState

    told = ""
    waited = 0.0
    while True:
        run = await _run(runs, run_id)
        line = f"bridge {run.bridge_id}: {_line(run)}"
        if line != told:
            say(line)
            told = line
        if run.state != RunState.RUNNING:
            return run.state == RunState.DONE
        if run.beat_at is None and waited > PATIENCE:
            say(f"bridge {run.bridge_id}: no worker has taken it (run {run_id}); it begins when one runs.")
            return True
        await asyncio.sleep(LOOK)
        waited += LOOK


async def _run(runs: "Runs", run_id: int) -> "Run":
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.errors import Gone
    from app.models import Run

    async with AsyncSession(runs.engine) as session:
        run = await session.get(Run, run_id)
    if run is None:
        raise Gone("The bridge was deleted.")
    return run


def _line(run: "Run") -> str:
    counts = [f"{run.counts[name]} {words}" for name, words in _COUNTS if run.counts.get(name)]
    return ", ".join([f"{run.state}, {run.done} records read", *counts, *([run.detail] if run.detail else [])])


_COUNTS: Sequence[tuple[str, str]] = (
    ("found", "with news"),
    ("missed", "of them missed by webhooks"),
    ("absent", "missing from their list"),
)
