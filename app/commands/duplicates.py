"""`crossledger duplicates`: records of one side that may be one thing, and what a person decides about them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import asked, stop_with, wrong
from app.commands.shell import noted, with_service
from app.people.roles import SHELL
from app.sync.records import Side

if TYPE_CHECKING:
    from app.duplicates.clusters import ClusterView
    from app.duplicates.merging import Decision
    from app.duplicates.proposal import Member
    from app.main import Service
    from app.models import DuplicateCluster
    from app.models.duplicate import ClusterState

duplicates = typer.Typer(name="duplicates", help="Records of one side that may be one thing.", no_args_is_help=True)
ClusterId = Annotated[int, typer.Argument(metavar="CLUSTER", help="Its id, see list.", min=1)]
OfSide = Annotated[Side | None, typer.Option(help="Only of this side.")]
_AT_ONCE = 100


@duplicates.command()
def search(
    bridge: Annotated[int, typer.Option(help="The bridge, by its id.", min=1)],
    side: OfSide = None,
    common_above: Annotated[
        int, typer.Option(help="What more records than this share joins none of them.", min=2, max=1000)
    ] = 10,
) -> None:
    """Begin a search: a running worker reads one side or both, whole, and changes nothing there."""

    async def work(service: "Service") -> int:
        from app.duplicates.search import begin

        return await begin(service.runs, bridge, side, common_above, SHELL.name)

    run_id = with_service(work)
    typer.echo(
        f"Run {run_id} has begun: a running worker does it. To wait for its end: crossledger runs --watch {run_id}"
    )


@duplicates.command("list")
def list_(
    bridge: Annotated[int, typer.Option(help="Only of this bridge.")] = 0,
    side: OfSide = None,
    dismissed: Annotated[bool, typer.Option("--dismissed", help="Instead: those that are none, as decided.")] = False,
) -> None:
    """Print what the last search has found and nobody has decided yet."""

    async def work(service: "Service") -> None:
        from app.models.duplicate import ClusterState

        await _list(service, bridge, side, ClusterState.DISMISSED if dismissed else ClusterState.OPEN)

    with_service(work)


@duplicates.command()
def show(cluster_id: ClusterId) -> None:
    """With their partners, the invoices at stake, and which one should survive. Their invoices are counted now."""

    async def work(service: "Service") -> "ClusterView":
        from app.duplicates.clusters import Clusters

        return await Clusters(service.connections).show(cluster_id)

    for line in _told(with_service(work)):
        typer.echo(line)


@duplicates.command()
def dismiss(cluster_id: ClusterId) -> None:
    """These are not duplicates: no search asks for them again."""
    _decide(cluster_id, "dismissed")
    typer.echo(f"Cluster {cluster_id} is dismissed. To take that back: crossledger duplicates reopen {cluster_id}")


@duplicates.command()
def reopen(cluster_id: ClusterId) -> None:
    """These may be duplicates after all: takes a dismissal back."""
    _decide(cluster_id, "reopened")
    typer.echo(f"Cluster {cluster_id} waits for a decision again.")


@duplicates.command()
def merge(
    cluster_id: ClusterId,
    survivor: Annotated[str, typer.Argument(help="The vendor's id of the one that stays.")],
    other: Annotated[
        list[str] | None, typer.Option(help="One that becomes a part of it; may be repeated. Left out: all others.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Through the vendor's own merge. There is no way back. The user's password at the vendor is asked for."""

    async def work(service: "Service") -> str:
        from app.duplicates.clusters import Clusters
        from app.duplicates.merging import Merging

        view = await Clusters(service.connections).show(cluster_id)
        others = other or [each.id for each in view.members if each.id != survivor]
        for line in _told(view):
            typer.echo(line)
        into = f"{', '.join(others)} into {survivor}"
        if not yes:
            typer.confirm(f"Merge {into}? There is no way back.", abort=True)
        decision, password = _decision(view, survivor, others)
        async with noted(service.engine, "duplicates.merged", f"cluster {cluster_id}", into):
            await Merging(service.connections).merge(cluster_id, decision, password)
        return into

    typer.echo(f"Merged: {with_service(work)}.")


def _decision(view: "ClusterView", survivor: str, others: list[str]) -> "tuple[Decision, str]":
    """With the password, which is kept nowhere; "" where the vendor has no merge, and refuses with what to do."""
    from pydantic import ValidationError

    from app.api.duplicates import MergeIn
    from app.duplicates.merging import Decision
    from app.providers.base import Support
    from app.redaction import keep_secret

    password = "" if view.capability.support is Support.NONE else asked("Password")
    keep_secret(password)
    given = {"survivor": survivor, "others": others, "version": view.version, "password": password}
    try:
        wanted = MergeIn.model_validate(given)
    except ValidationError as error:
        stop_with(wrong(error))
    return Decision(**wanted.model_dump(exclude={"password"}), actor=SHELL.name), password


def _decide(cluster_id: int, done: str) -> None:
    async def work(service: "Service") -> None:
        from app.duplicates.decisions import decide

        async with noted(service.engine, f"duplicates.{done}", f"cluster {cluster_id}"):
            await decide(service.connections, cluster_id, dismissed=done == "dismissed", actor=SHELL.name)

    with_service(work)


async def _list(service: "Service", bridge_id: int, side: Side | None, state: "ClusterState") -> None:
    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlmodel import col

    from app.models import DuplicateCluster as Cluster

    told, below = 0, 0
    only = [col(Cluster.state) == state.value]
    only += [col(Cluster.bridge_id) == bridge_id] if bridge_id else []
    only += [col(Cluster.side) == side.value] if side else []
    while True:
        newer = [col(Cluster.id) < below] if below else []
        async with AsyncSession(service.engine) as session:
            statement = select(Cluster).where(*only, *newer).order_by(col(Cluster.id).desc()).limit(_AT_ONCE)
            rows = (await session.scalars(statement)).all()
        for row in rows:
            for line in _lines(row):
                typer.echo(line)
        told, below = told + len(rows), (rows[-1].id or 0) if rows else 0
        if len(rows) < _AT_ONCE:
            break
    verb = "wait for a decision" if state == "open" else f"are {state}"
    typer.echo(f"{told} cluster(s) {verb}." if told else f"No duplicates {verb}.")
    await _tell_common(service, bridge_id, side)


async def _tell_common(service: "Service", bridge_id: int, side: Side | None) -> None:
    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlmodel import col

    from app.duplicates.keys import IN_WORDS, Trait
    from app.models import CommonKey

    only = [col(CommonKey.bridge_id) == bridge_id] if bridge_id else []
    only += [col(CommonKey.side) == side.value] if side else []
    async with AsyncSession(service.engine) as session:
        statement = select(CommonKey).where(*only).order_by(col(CommonKey.records).desc(), col(CommonKey.id)).limit(20)
        for each in (await session.scalars(statement)).all():
            shared = f"{IN_WORDS[Trait(each.kind)]}, {each.key}"
            typer.echo(f"too common, joins nothing: {shared} ({each.side}, {each.records} records)")


def _told(view: "ClusterView") -> Iterator[str]:
    yield from _lines(view.row, view.members)
    if view.proposal:
        yield f"   {view.proposal.survivor} should survive: {view.proposal.reason}"
    yield from (f"   {each}" for each in (*view.warnings, view.uncounted, view.capability.reason) if each)
    if view.row.merging is not None:
        yield "   It is not known yet whether the last merge was done: the next one finds out."


def _lines(row: "DuplicateCluster", members: "Sequence[Member] | None" = None) -> Iterator[str]:
    from app.duplicates.clusters import member_of
    from app.duplicates.keys import IN_WORDS, Trait

    decided = "" if row.state == "open" else f", {row.state} by {row.actor}"
    yield f"{row.id}  bridge {row.bridge_id}, {row.side}{decided}"
    for key in row.keys:
        yield f"   {IN_WORDS[Trait(key['kind'])]}: {key['key']} ({', '.join(key['ids'])})"
    for member in members or map(member_of, row.members):
        yield f"   - {member.id}  {_card(member)}"
        yield from (f"       {each.object} link {each.link_id}: {each.id}, {each.state}" for each in member.partners)


def _card(member: "Member") -> str:
    money = member.money or {}
    owes = [f"balance {money['balance']}, paid {money['paid_to_date']} {money['currency']}".strip()] if money else []
    owes += [] if member.invoices is None else [f"{member.invoices} invoice(s)"]
    return ", ".join(filter(None, (member.company, member.name, member.email, member.phone, member.city, *owes)))
