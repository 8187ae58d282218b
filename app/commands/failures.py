"""`crossledger failures` and `retry`: what is not in step, by its reason, with the cure; and trying a group again."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import stop_with
from app.commands.shell import noted, with_service

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.failures import Failures
    from app.main import Service


def failures(
    bridge: Annotated[int | None, typer.Option(help="Only of this bridge, by its id.", min=1)] = None,
    retry: Annotated[str, typer.Option(help="Try the records of the group with this key again.", metavar="KEY")] = "",
) -> None:
    """List what is not in step, grouped by its reason, each with what to do; or try one group again."""
    if retry:
        records, queued = with_service(lambda service: _retry(service.engine, retry))
        typer.echo(f"{records} in the group, {queued} queued: a running worker tries them now, else the next one does.")
        return
    typer.echo(table(with_service(lambda service: _grouped(service.engine, bridge))))


def retry(link_id: Annotated[int, typer.Argument(metavar="LINK", help="Its id, see links.", min=1)]) -> None:
    """Try one record again, now, with its tries counted anew. A pair whose making was undone is linked again."""

    async def work(service: "Service") -> int:
        from app.retrying import retry_one

        async with noted(service.engine, "record.retried", f"link {link_id}"):
            return await retry_one(service.engine, link_id)

    queued = with_service(work)
    typer.echo("Queued: a running worker tries it now, else the next one does." if queued else "It is queued already.")


def table(found: "Failures") -> str:
    """In words for the operator."""
    from app.explanations import explain

    if not found.groups:
        return "Everything is in step."
    lines = [f"{'COUNT':>6}  {'KEY':<20}  BRIDGE, PROBLEM AND REASON"]
    for group in found.groups:
        words = explain(group.problem)
        title = words.title if words else group.problem
        lines += [
            f"{group.count:>6}  {group.key:<20}  {group.bridge}: {title} ({group.problem})",
            f"{'':30}{group.reason}",
        ]
        lines += [f"{'':30}-> {words.cure}"] if words else []
    groups = f"{found.kinds} group{'s' if found.kinds != 1 else ''}"
    lines.append(f"{found.records:>6}  in {groups}. To try one again: crossledger failures --retry KEY")
    return "\n".join(lines)


async def _grouped(engine: "AsyncEngine", bridge: int | None) -> "Failures":
    from app.failures import grouped

    return await grouped(engine, bridge_id=bridge)


async def _retry(engine: "AsyncEngine", key: str) -> tuple[int, int]:
    from app.failures import bridge_of
    from app.retrying import retry_group

    try:
        bridge_id = bridge_of(key)
    except ValueError as error:
        stop_with(f"{error}. `crossledger failures` lists them.")
    async with noted(engine, "failures.retried", f"bridge {bridge_id}", key):
        return await retry_group(engine, key)
