"""`crossledger runs`: how far long work is, and stopping it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import counted
from app.commands.shell import noted, with_service
from app.errors import Gone

if TYPE_CHECKING:
    from app.main import Service
    from app.models import Run

watching = typer.Typer()


@watching.command()
def runs(
    watch: Annotated[int, typer.Option(help="Follow this run to its end.")] = 0,
    pause: Annotated[int, typer.Option(help="Pause this run.")] = 0,
    resume: Annotated[int, typer.Option(help="Let this run go on.")] = 0,
    cancel: Annotated[int, typer.Option(help="End this run; what it has done stays.")] = 0,
) -> None:
    """List the last runs, or pause, resume, cancel or watch one."""

    async def work(service: "Service") -> bool:
        acts = (("paused", pause, service.runs.pause), ("resumed", resume, service.runs.resume))
        for done, run_id, act in (*acts, ("cancelled", cancel, service.runs.cancel)):
            if run_id:
                async with noted(service.engine, f"run.{done}", f"run {run_id}"):
                    await act(run_id)
        if watch:
            return await watched(service, watch)
        typer.echo(f"{'id':>6} {'bridge':>6} {'kind':<10} {'state':<10} {'done':>8} {'total':>8}  outcome")
        for run in await _last(service):
            typer.echo(
                f"{run.id:>6} {run.bridge_id:>6} {run.kind:<10} {run.state:<10} {run.done:>8} {run.total:>8}"
                f"  {counted(run.counts)} {run.detail}"
            )
        return True

    ended_well(work)


def ended_well(work: "Callable[[Service], Awaitable[bool]]") -> None:
    """Ends non-zero where `work` says that it did not come to a good end."""
    if not with_service(work):
        raise typer.Exit(1)


async def _last(service: "Service", most: int = 20) -> "Sequence[Run]":
    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlmodel import col

    from app.models import Run

    async with AsyncSession(service.engine) as session:
        return (await session.scalars(select(Run).order_by(col(Run.id).desc()).limit(most))).all()


async def watched(service: "Service", run_id: int) -> bool:
    """Show how far it is until it ends; Ctrl-C leaves it running."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.models import Run
    from app.models.run import RunState

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as shown:
        task = shown.add_task("", total=None)
        while True:
            async with AsyncSession(service.engine) as session:
                run = await session.get(Run, run_id)
            if run is None:
                raise Gone(f"There is no run {run_id}.")
            rate = f"{run.kind}, {run.done / run.worked:.0f}/s" if run.worked else run.kind
            shown.update(task, description=run.detail or rate, completed=run.done, total=run.total or None)
            if run.state != RunState.RUNNING:
                break
            await asyncio.sleep(0.5)
    typer.echo(f"{run.state}: {counted(run.counts) or 'nothing to do'} {run.detail}".rstrip())
    return run.state == RunState.DONE
