"""`crossledger plan`, `items` and `apply`: what would be done with each record, and doing it."""

from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import candidate, chosen, counted, moment, stop_with, wrong
from app.commands.runs import ended_well, watched
from app.commands.shell import with_service
from app.people.roles import SHELL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.main import Service
    from app.models import PlanItem
    from app.sync.policy import BridgeSettings

planning = typer.Typer()
PlanId = Annotated[int, typer.Argument(metavar="PLAN", help="The id of a plan.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")]
Export = typer.FileTextWrite | None
_MOST_KEYS = 500


@planning.command()
def plan(
    bridge: Annotated[int, typer.Option(help="The bridge, by its id.")],
    since: Annotated[str, typer.Option("--from", help="Only records that events from then on have named: 14:05.")] = "",
    until: Annotated[str, typer.Option("--to", help="As --from; left out: until now.")] = "",
    settings: Annotated[
        typer.FileBinaryRead | None,
        typer.Option(help="Bridge settings (JSON) to try in place of its own; such a plan cannot be applied."),
    ] = None,
    detach: Detach = False,
) -> None:
    """Read both sides and say what would be done with each record. Nothing is written. A running worker does it."""
    if until and not since:
        raise typer.BadParameter("--to goes with --from")
    start, end = (moment(each) if each else None for each in (since, until))
    wanted = _settings(settings) if settings else None

    async def work(service: "Service") -> bool:
        from app.planning.plans import Plans

        plans = Plans(service.engine, service.runs, service.connections.directory)
        run_id = await plans.make(bridge, SHELL.name, settings=wanted, start=start, end=end)
        typer.echo(f"Plan {run_id} is being made. What it says: crossledger items {run_id}")
        return detach or await watched(service, run_id)

    ended_well(work)


@planning.command()
def items(
    plan_id: PlanId,
    action: Annotated[str, typer.Option(help="Only these: create, link, update, conflict, skip, wait, unlink.")] = "",
    state: Annotated[str, typer.Option(help="Only these: planned, done, changed, failed.")] = "",
    object_: Annotated[str, typer.Option("--object", help="Only of this object, for example contact.")] = "",
    most: Annotated[int, typer.Option(help="Records to print.", min=1)] = 50,
    csv: Annotated[
        Export, typer.Option(help="All of them, a row for each field; - prints them.", encoding="utf-8")
    ] = None,
    json: Annotated[
        Export, typer.Option(help="All of them, an object in each line; - prints them.", encoding="utf-8")
    ] = None,
) -> None:
    """Say what a plan would do: how much of what, keys that are not unique, and each record, before and after."""
    if csv and json:
        raise typer.BadParameter("--csv and --json are two calls")

    async def work(service: "Service") -> None:
        from app.models.plan import Action, ItemState
        from app.planning.listing import items_of, plan_of

        wanted = chosen(Action, action), chosen(ItemState, state)
        plan = await plan_of(service.engine, plan_id)
        found = items_of(service.engine, plan_id, action=wanted[0], state=wanted[1], object_=object_ or None)
        if csv or json:
            await _export(found, csv, json)
            return
        await _summary(service, plan_id, plan.position.get("unread", {}))
        shown = 0
        async for item in found:
            if shown == most:
                typer.echo("There are more: --most, or --csv FILE for all of them.")
                break
            shown += 1
            for line in _item(item):
                typer.echo(line)

    with_service(work)


@planning.command()
def apply(
    plan_id: Annotated[int, typer.Argument(metavar="PLAN", help="The id of a plan that is done.")],
    first: Annotated[int, typer.Option(help="Only so many records, to try it.")] = 0,
    item: Annotated[list[int] | None, typer.Option(help="Only this item; may be repeated.")] = None,
    changed: Annotated[bool, typer.Option("--changed", help="Also what had changed and was planned anew.")] = False,
    go_live: Annotated[bool, typer.Option("--go-live", help="From now on, events keep both sides in step.")] = False,
    detach: Detach = False,
) -> None:
    """Do what a plan says. A record that was changed since is shown, and not overwritten."""

    async def work(service: "Service") -> bool:
        from app.planning.plans import Plans

        plans = Plans(service.engine, service.runs, service.connections.directory)
        run_id = await plans.apply(
            plan_id, SHELL.name, items=item, first=first or None, changed=changed, go_live=go_live
        )
        typer.echo(f"Run {run_id} applies plan {plan_id}.")
        return detach or await watched(service, run_id)

    ended_well(work)


def _settings(file: IO[bytes]) -> "BridgeSettings":
    from pydantic import ValidationError

    from app.sync.policy import BridgeSettings

    try:
        return BridgeSettings.model_validate_json(file.read())
    except ValidationError as error:
        stop_with(f"{file.name} has no settings of a bridge: {wrong(error)}")


async def _export(found: "AsyncIterator[PlanItem]", csv: IO[str] | None, json: IO[str] | None) -> None:
    """As the API exports it."""
    from app.api.plans import json_line
    from app.api.spreadsheet import line
    from app.planning.listing import COLUMNS, rows_of

    if csv:
        csv.write(line(COLUMNS))
        async for item in found:
            csv.writelines(map(line, rows_of(item)))
    if json:
        json.write("")  # a plan of nothing is a file with nothing in it
        async for item in found:
            json.write(json_line(item))


async def _summary(service: "Service", plan_id: int, unread: Mapping[str, str]) -> None:
    from app.planning.listing import counted as counts
    from app.planning.snapshots import Snapshots

    for action, states in (await counts(service.engine, plan_id)).items():
        typer.echo(f"{action}: {counted(states)}")
    for each in await Snapshots(service.engine, plan_id).shared(_MOST_KEYS):
        what = f"{each.object} {each.kind} “{each.key}”"
        typer.echo(f"not unique in {each.side}: {what}, {each.records} records: {', '.join(each.ids)}")
    for name, why in unread.items():
        typer.echo(f"not read: {name}: {why}")


def _item(item: "PlanItem") -> Iterator[str]:
    ids = f"{item.crm_id or '-'} = {item.billing_id or '-'}"
    yield f"{item.id:>6}  {item.action}, {item.state}: {item.object} {ids}  {item.title}".rstrip()
    if item.detail:
        yield f"        {item.detail}"
    yield from (f"        {_change(each)}" for each in item.changes)
    yield from (f"        {candidate(each)}" for each in item.candidates)


def _change(change: Mapping[str, Any]) -> str:
    where = f"{change['field']} in {change['side']}" if change.get("side") else str(change["field"])
    why = change.get("why") or change.get("note") or ""
    if change.get("after") is None:
        return f"{where}: “{change.get('held') or ''}” is held back, {why}".rstrip(", ")
    return f"{where}: “{change.get('before') or ''}” becomes “{change['after']}” {why}".rstrip()
