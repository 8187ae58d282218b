"""`crossledger undo` and `replay`: shown first, and begun when somebody has agreed."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import chosen, moment, wrong
from app.commands.shell import noted, with_service
from app.people.roles import SHELL
from app.sync.records import Side

if TYPE_CHECKING:
    from app.main import Service
    from app.runs import Runs
    from app.undo.undoing import Preview, Shown

repairs = typer.Typer()


@repairs.command()
def undo(
    activity: Annotated[int, typer.Option(help="Take back one activity.")] = 0,
    link: Annotated[int, typer.Option(help="All that was done to one pair.")] = 0,
    run: Annotated[int, typer.Option(help="All that a run did; of an undo: what it took back.")] = 0,
    bridge: Annotated[int, typer.Option(help="All that a bridge did, with --since.")] = 0,
    since: Annotated[str, typer.Option(help="14:05 (today), or 2026-11-21 14:05.")] = "",
    until: Annotated[str, typer.Option(help="Left out: until now.")] = "",
    object_: Annotated[str, typer.Option("--object", help="Only this object, for example contact.")] = "",
    side: Annotated[Side | None, typer.Option(help="Only what was written there.")] = None,
    field: Annotated[list[str] | None, typer.Option(help="Only this field; may be given several times.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take back what was written, where nobody has changed it since. Shows what will be, and asks."""
    if sum(map(bool, (activity, link, run, bridge))) != 1 or bool(bridge) != bool(since) or (until and not since):
        raise typer.BadParameter("name one of --activity, --link, --run, and --bridge with --since")

    def agreed(preview: str) -> bool:
        typer.echo(preview)
        return yes or typer.confirm("Undo this?")

    async def take_back(service: "Service") -> str:
        return await _begin(
            service,
            agreed,
            activity_id=activity or None,
            link_id=link or None,
            run_id=run or None,
            bridge_id=bridge or None,
            since=moment(since) if since else None,
            until=moment(until) if until else None,
            object_=object_ or None,
            side=side,
            fields=field,
        )

    typer.echo(with_service(take_back))


@repairs.command()
def undone(
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="The run of an undo.")],
    outcome: Annotated[
        str, typer.Option(help="Only these: restored, changed_since (by somebody: left as it was), cannot.")
    ] = "",
    csv: Annotated[
        typer.FileTextWrite | None, typer.Option(help="As a table instead; - prints it.", encoding="utf-8")
    ] = None,
) -> None:
    """List what became of each value of an undo, also what somebody has changed since, which was left."""

    async def work(service: "Service") -> None:
        from app.api.spreadsheet import line
        from app.models.undo import UndoOutcome
        from app.undo.listing import COLUMNS, require_undo, values_of

        only = chosen(UndoOutcome, outcome)
        await require_undo(service.engine, run_id)
        if csv:
            csv.write(line(COLUMNS))
        async for each in values_of(service.engine, run_id, only):
            if csv:
                csv.write(line(tuple(each.values())))
            else:
                typer.echo(_value(each))

    with_service(work)


@repairs.command()
def replay(
    event: Annotated[int, typer.Argument(help="The id of a stored event, see events.")] = 0,
    bridge: Annotated[int, typer.Option(help="Instead: all events of this bridge, with --from and --to.")] = 0,
    since: Annotated[str, typer.Option("--from", help="14:05 (today), or 2026-11-21 14:05.")] = "",
    until: Annotated[str, typer.Option("--to", help="As --from.")] = "",
    object_: Annotated[str, typer.Option("--object", help="Only records of this object.")] = "",
    side: Annotated[Side | None, typer.Option(help="Only events of this side.")] = None,
    state: Annotated[str, typer.Option(help="Only events in this state, for example failed.")] = "",
) -> None:
    """Look again, now, at the record that an event was about; or at all that the events of a window were about."""
    if bool(event) == bool(bridge) or bool(bridge) != bool(since and until):
        raise typer.BadParameter("name an event, or --bridge with --from and --to")

    async def again(service: "Service") -> str:
        from app.retrying import replay_event

        if event:
            async with noted(service.engine, "event.replayed", f"event {event}"):
                job, _ = await replay_event(service.engine, event)
            return (
                f"{job.object} {job.external_id} is queued: a running worker looks at it now, else the next one does."
            )
        only = {"object": object_ or None, "side": side, "state": state or None}
        return await _window(service.runs, bridge, since=moment(since), until=moment(until), **only)

    typer.echo(with_service(again))


async def _begin(service: "Service", agreed: Callable[[str], bool], **what: Any) -> str:
    """`agreed` is shown the preview, and asked. `what`: as of `scope_of`. Raises as a preview does."""
    from app.undo.scope import scope_of

    bridge_id, scope = await scope_of(service.engine, **what)
    preview = await service.undoing.preview(bridge_id, scope)
    if not agreed("\n".join(_lines(preview))):
        return "Nothing was undone."
    run_id = await service.undoing.begin(service.runs, bridge_id, scope, SHELL.name)
    return f"Run {run_id} has begun: a running worker does it. crossledger undone {run_id} lists what became of it."


def _lines(preview: "Preview") -> Iterator[str]:
    yield f"Bridge {preview.bridge_id}: records {preview.records}, activities {preview.activities}."
    if preview.looked_at < preview.records:
        yield f"The newest {preview.looked_at} of them:"
    yield from map(_line, preview.shown)
    counts = (f"{count} {outcome.replace('_', ' ')}" for outcome, count in preview.counts.items())
    yield f"Of these values: {', '.join(counts) or 'none'}."


def _line(row: "Shown") -> str:
    from app.models.undo import UndoOutcome

    wish, finding = row.finding.wish, row.finding
    where = f"{row.object} {row.link.crm_id or '-'} = {row.link.billing_id or '-'}: {wish.field} {_WHERE[wish.side]}"
    if finding.outcome is UndoOutcome.RESTORING:
        return f"  {where}: “{finding.now}” becomes “{finding.write}”"
    return f"  {where}: {_LEFT[finding.outcome]}, {finding.reason}"


def _value(row: Mapping[str, Any]) -> str:
    where = f"{row['object']} {row['crm_id'] or '-'} = {row['billing_id'] or '-'}: {row['field']}"
    values = f"“{row['now']}” was found, “{row['wrote']}” had been written, “{row['back']}” is what it was before"
    side = f" {_WHERE[row['side']]}" if row["side"] else ""
    return f"{where}{side}: {row['outcome'].replace('_', ' ')}; {values} {row['reason']}".rstrip()


_LEFT = {"changed_since": "left", "cannot": "cannot", "restored": "nothing to do"}
_WHERE = {"crm": "in the CRM", "billing": "in billing"}


async def _window(runs: "Runs", bridge_id: int, **given: Any) -> str:
    """Begin the run. `given`: as of `Window`. Raises Gone, and Rejected where it is none."""
    from pydantic import ValidationError

    from app.errors import Rejected
    from app.replaying import Window, begin

    try:
        window = Window.model_validate(given)
    except ValidationError as error:
        raise Rejected(wrong(error)) from error
    run_id = await begin(runs, bridge_id, window, SHELL.name)
    return f"Run {run_id} has begun: a running worker does it. To wait: crossledger runs --watch {run_id}"
