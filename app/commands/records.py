"""`crossledger bridges`, `links`, `activities`, `events` and `history`: what is there, and who wrote what."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from app.commands.shell import with_service

if TYPE_CHECKING:
    from app.main import Service
    from app.models import Activity, Bridge, Event, Link
    from app.undo.history import FieldHistory, Write

RowT = TypeVar("RowT", "Activity", "Bridge", "Event", "Link")

records = typer.Typer()
BridgeId = Annotated[int | None, typer.Option("--bridge", help="Only of this bridge, by its id.", min=1)]
State = Annotated[str | None, typer.Option(help="Only those in this state, for example failed.")]
Most = Annotated[int, typer.Option(help="Lines to print.", min=1)]


@records.command()
def bridges() -> None:
    """Which accounts are kept in step: id, name, and the connections."""
    from app.models import Bridge

    for row in _newest(Bridge, 500):
        state = "live" if row.enabled else "switched off" if row.live_since else "dry run"
        typer.echo(
            f"{row.id:>6}  {row.name}: connections {row.crm_connection_id} and {row.billing_connection_id}, {state}"
        )


@records.command()
def links(
    bridge: BridgeId = None,
    object_: Annotated[str | None, typer.Option("--object", help="Only of this object: contact, invoice ...")] = None,
    state: State = None,
    crm_id: Annotated[str | None, typer.Option(help="The record's id in the CRM.")] = None,
    billing_id: Annotated[str | None, typer.Option(help="The record's id in billing.")] = None,
    most: Most = 50,
) -> None:
    """Which record belongs to which, the newest first."""
    from app.models import Link

    only = {"bridge_id": bridge, "object": object_, "state": state, "crm_id": crm_id, "billing_id": billing_id}
    for row in _newest(Link, most, **only):
        ids = f"{row.crm_id or '-'} = {row.billing_id or '-'}"
        typer.echo(f"{row.id:>6}  {row.object} {ids}  {row.state} {row.detail}".rstrip())


@records.command()
def activities(
    bridge: BridgeId = None,
    link: Annotated[int | None, typer.Option(help="Only of this link.", min=1)] = None,
    run: Annotated[int | None, typer.Option(help="Only of this run.", min=1)] = None,
    most: Most = 50,
) -> None:
    """What was done, field by field, the newest first. To take one back: crossledger undo --activity ID."""
    from app.models import Activity

    for row in _newest(Activity, most, bridge_id=bridge, link_id=link, run_id=run):
        ids = f"{row.crm_id or '-'} = {row.billing_id or '-'}"
        part_of = f"run {row.run_id}" if row.run_id else ""
        came = ", ".join(filter(None, [row.action, row.cause, part_of, row.detail]))
        typer.echo(f"{row.id:>6}  {_at(row.at)}  {row.object} {ids}  {came}")
        for each in row.changes:
            if each.get("after") is not None:
                where = f"{each['field']} in {each.get('side')}"
                typer.echo(f"        {where}: “{each.get('before') or ''}” became “{each['after']}”")


@records.command()
def events(
    bridge: BridgeId = None,
    state: State = None,
    external_id: Annotated[str | None, typer.Option(help="The vendor's id of the record.")] = None,
    most: Most = 50,
) -> None:
    """What the vendors told of, the newest first. To look again at one's record: crossledger replay ID."""
    from app.models import Event

    for row in _newest(Event, most, bridge_id=bridge, state=state, external_id=external_id):
        what = f"{row.provider} {row.kind}: {row.object or '-'} {row.external_id or '-'}"
        typer.echo(f"{row.id:>6}  {_at(row.received_at)}  {what}  {row.state} {row.outcome}".rstrip())


@records.command()
def history(link_id: Annotated[int, typer.Argument(metavar="LINK", help="Its id, see links.", min=1)]) -> None:
    """Who wrote each field of a pair, when, from which event, and what was there before. The newest first."""

    async def work(service: "Service") -> "Sequence[FieldHistory]":
        from app.undo.history import history_of

        return await history_of(service.engine, link_id)

    for field in with_service(work):
        for line in _told(field):
            typer.echo(line)


def _told(field: "FieldHistory") -> Iterator[str]:
    who = "Crossledger" if field.writer == "crossledger" else f"somebody in {field.writer}"
    name = f" ({field.name})" if field.name != field.field else ""
    yield f"{field.field} in {field.side}{name}: last written by {who}, {_at(field.at)}"
    yield from (f"   {_write(each)}" for each in field.writes)


def _write(write: "Write") -> str:
    came = [f"activity {write.activity_id}", write.action, write.cause]
    came += [f"event {write.event_id}"] if write.event_id else []
    came += [f"run {write.run_id}"] if write.run_id else []
    came += [write.why]
    return f"{_at(write.at)}  “{write.before}” became “{write.after}” ({', '.join(filter(None, came))})"


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "-"


def _newest(model: type[RowT], most: int, **only: object) -> Sequence[RowT]:
    """`only`: columns, by name; None is any value."""

    async def work(service: "Service") -> Sequence[RowT]:
        from sqlalchemy import select
        from sqlalchemy.ext.asyncio import AsyncSession
        from sqlmodel import col

        wanted = [getattr(model, name) == value for name, value in only.items() if value is not None]
        async with AsyncSession(service.engine) as session:
            return (
                await session.scalars(select(model).where(*wanted).order_by(col(model.id).desc()).limit(most))
            ).all()

    return with_service(work)
