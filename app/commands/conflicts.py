"""`crossledger conflicts`: what waits for a person's decision, from the shell of the machine."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import candidate, stop_with
from app.commands.shell import noted, with_service
from app.people.roles import SHELL
from app.sync.decisions import ConflictKind, Deed, Take

if TYPE_CHECKING:
    from app.cases import Case, Which
    from app.main import Service
    from app.models import Link

conflicts = typer.Typer(name="conflicts", help="What waits for a person's decision.", no_args_is_help=True)
LinkId = Annotated[int, typer.Argument(help="The conflict's id, see list.", min=1)]
BridgeId = Annotated[int | None, typer.Option("--bridge", help="Only of this bridge, by its id.", min=1)]
Object = Annotated[str | None, typer.Option("--object", help="Only of this object: contact, invoice ...")]
OfKind = Annotated[ConflictKind | None, typer.Option("--kind", help="Only of this kind.")]
Field = Annotated[str | None, typer.Option("--field", help="The field, by its name in billing.")]


@conflicts.command("list")
def list_(
    bridge: BridgeId = None,
    object_: Object = None,
    kind: OfKind = None,
    field: Field = None,
    most: Annotated[int, typer.Option(help="Lines to print.", min=1)] = 50,
) -> None:
    """One line each, the newest first: id, object, its ids on both sides, and what it is about."""
    from app.cases import Which, listed

    which = Which(bridge_id=bridge, object=object_, kind=kind, field=field)
    for link in with_service(lambda service: listed(service.engine, which, most)):
        typer.echo(_line(link))


@conflicts.command()
def show(link_id: LinkId) -> None:
    """Base, left and right of each field, the candidates, and what each decision would do."""
    from app.cases import case_of

    for line in _told(with_service(lambda service: case_of(service.connections, link_id))):
        typer.echo(line)


@conflicts.command()
def decide(
    link_id: LinkId,
    field: Field = None,
    take: Annotated[Take | None, typer.Option(help="Of the field: whose value counts.")] = None,
    value: Annotated[str | None, typer.Option(help="With --take value: what both sides get.")] = None,
    always: Annotated[bool, typer.Option("--always", help="From now on as well, for this field.")] = False,
    partner: Annotated[str, typer.Option(help="Of several candidates: the id of the one.")] = "",
    create: Annotated[bool, typer.Option("--create", help="Make a partner of its own.")] = False,
    keep_apart: Annotated[bool, typer.Option("--keep-apart", help="It gets no partner; a pair is cut.")] = False,
    deletion: Annotated[Deed | None, typer.Option(help="Where a deletion met an edit.")] = None,
) -> None:
    """Decide one conflict. A running worker carries it out, if both sides are still as they are shown."""
    from app.deciding import Choice, decide_fields, decide_record

    options = [*(["partner"] if partner else []), *(["create"] if create else [])]
    options += [*(["keep_apart"] if keep_apart else []), *([deletion.value] if deletion else [])]
    if len(options) + (take is not None) != 1 or (take is None) != (field is None):
        stop_with("Give --field with --take, or one of --partner, --create, --keep-apart and --deletion.")
    if (take is Take.VALUE) != (value is not None):
        stop_with("--value goes with --take value, and only there.")

    async def work(service: "Service") -> None:
        detail = f"{field} {take}" if take else options[0]
        async with noted(service.engine, "conflict.decided", f"link {link_id}", detail):
            if take is None or field is None:
                await decide_record(service.connections, link_id, options[0], SHELL.name, partner=partner)
            else:
                choice = Choice(take=take, value=value or "", always=always)
                await decide_fields(service.connections, link_id, {field: choice}, SHELL.name)

    with_service(work)
    typer.echo(f"Decided. A running worker carries it out now, else the next one does; see: conflicts show {link_id}")


@conflicts.command()
def decide_all(
    take: Annotated[Take, typer.Option(help="crm or billing: whose values count.")],
    bridge: BridgeId = None,
    object_: Object = None,
    kind: OfKind = None,
    field: Field = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Decide all conflicts of fields that fit alike."""
    from app.cases import Which
    from app.deciding import decide_many

    if take is Take.VALUE:
        stop_with("A typed value is for one record: take crm or billing.")
    which = Which(bridge_id=bridge, object=object_, kind=kind, field=field)
    if not yes:
        typer.confirm(f"Take the {take} value for every conflict of fields that fits?", abort=True)

    async def work(service: "Service") -> int:
        async with noted(service.engine, "conflicts.decided", detail=_told_of(take, which)):
            return await decide_many(service.connections, which, take, SHELL.name)

    typer.echo(f"Queued: {with_service(work)}.")


def _told_of(take: Take, which: "Which") -> str:
    given = {"bridge": which.bridge_id, "object": which.object, "kind": which.kind, "field": which.field}
    return " ".join([take, *(f"{name}={value}" for name, value in given.items() if value is not None)])


def _line(link: "Link") -> str:
    about = [name for name, item in link.held.items() if item.get("conflict")]
    waits = " (decided)" if link.decisions else ""
    told = ", ".join(about) or link.detail
    ids = f"{link.crm_id or '-'} {link.billing_id or '-'}"
    return f"{link.id:>6}  {','.join(link.conflicts)}  {link.object} {ids}  {told}{waits}"


def _told(case: "Case") -> Iterator[str]:
    yield _line(case.link)
    if case.fields and case.link.detail:
        yield f"        {case.link.detail}"
    for each in case.fields:
        yield f"  {each.name}, since {each.told['since']}"
        yield from (f"    {name:<8} {_sides(each.told, name)}" for name in ("crm", "billing"))
        yield from (f"      {option.decide}: {option.refused or option.effect}" for option in each.options)
    yield from (f"  {candidate(each)}" for each in case.link.candidates)
    yield from (
        f"  {option.decide}{option.partner and ' '}{option.partner}: {option.refused or option.effect}"
        for option in case.options
    )


def _sides(told: Mapping[str, Any], side: str) -> str:
    base = told[f"base_{side}"]
    before = "never agreed on" if base is None else f"was “{base}”"
    return f"“{told[side]}” ({before}; edited {told[f'{side}_at'] or 'at an unknown time'})"
