"""`crossledger`: the service and the tools around it."""

import asyncio
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app import heartbeat
from app.commands.admin import admin, offer_setup
from app.commands.conflicts import conflicts
from app.commands.console import guarded, listen, prepared, read_settings, tell_addresses
from app.commands.duplicates import duplicates
from app.commands.failures import failures, retry
from app.commands.notify import notify
from app.commands.plans import planning
from app.commands.records import records
from app.commands.runs import watching
from app.commands.shell import with_service
from app.commands.sweeps import sweeps
from app.commands.undo import repairs

if TYPE_CHECKING:
    from app.main import Service

cli = typer.Typer(
    name="crossledger",
    help="Keeps GoHighLevel and Invoice Ninja in step, both ways. Settings come from CROSSLEDGER_* variables or .env.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.add_typer(admin)
cli.add_typer(planning)
cli.add_typer(watching)
cli.add_typer(records)
cli.add_typer(repairs)
cli.add_typer(sweeps)
cli.add_typer(duplicates)
cli.add_typer(conflicts)
cli.add_typer(notify)
cli.command()(failures)
cli.command()(retry)


def _keep_what_is_loaded() -> None:
    """What a process has loaded by now lives as long as it does: the garbage collector need not walk it each time,

    which stopped everything for a tenth of a second. Nor what fifty requests at once hold until they are answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; default CROSSLEDGER_HOST.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on; default CROSSLEDGER_PORT.")] = 0,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only receive; workers run elsewhere.")] = False,
) -> None:
    """Start the service: webhooks, admin API, and the worker in the same process."""

    def work() -> None:
        from app.main import build, managed, web_app
        from app.web.server import Server

        given: dict[str, Any] = {name: value for name, value in (("host", host), ("port", port)) if value}
        settings, url, bundled = prepared(**given)
        listener = listen(settings.host, settings.port)
        # uvicorn raises the signal again once it has stopped: leave as usual, so that the database is stopped too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        # The terminal was closed: as SIGTERM.
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        asyncio.run(offer_setup(url, settings))
        service = build(settings, url, bundled)
        app = web_app(service, managed(service, worker=not no_worker))
        _keep_what_is_loaded()
        tell_addresses(settings)
        Server(app, log_config=None).run(sockets=[listener])

    guarded(work)


@cli.command()
def worker() -> None:
    """Start a worker only, for a fleet: `serve --no-worker` elsewhere receives."""

    def work() -> None:
        import uvloop

        from app.main import build, work_until_told

        settings, url, bundled = prepared()
        service = build(settings, url, bundled)
        _keep_what_is_loaded()
        uvloop.run(work_until_told(service))

    guarded(work)


@cli.command()
def migrate() -> None:
    """Bring the database's schema up to date. `serve` and `worker` do so themselves."""

    def work() -> None:
        from app.db import open_database
        from app.migrations import upgrade

        url, _ = open_database(read_settings())
        upgrade(url)
        typer.echo("The database is up to date.")

    guarded(work)


@cli.command()
def check(
    worker: Annotated[
        bool, typer.Option("--worker", help="Only whether a worker has been alive in the data directory lately.")
    ] = False,
) -> None:
    """Try everything the service needs: settings, database, and each stored connection. Ends non-zero if one fails."""
    if worker:
        well, said = heartbeat.told(read_settings().home)
        typer.echo(said)
    else:
        well = with_service(_examined)
    if not well:
        raise typer.Exit(1)


async def _examined(service: "Service") -> bool:
    from app.commands.check import examine

    return await examine(service, typer.echo)


@cli.command()
def rotate_keys() -> None:
    """Seal everything stored anew with the newest of CROSSLEDGER_SECRET_KEYS. The service may run meanwhile."""

    async def work(service: "Service") -> bool:
        from app.rotation import rotate, told

        rotation = await rotate(service.engine, service.connections.vault)
        typer.echo(told(rotation))
        return rotation.complete

    if not with_service(work):
        raise typer.Exit(1)


@cli.command()
def sandbox(
    highlevel_port: Annotated[int, typer.Option(help="Port of the HighLevel simulator.")] = 8101,
    ninja_port: Annotated[int, typer.Option(help="Port of the Invoice Ninja simulator.")] = 8102,
) -> None:
    """Start both simulators, for trying things out without accounts."""
    from app.sandbox.stage import run_simulators

    run_simulators(highlevel_port, ninja_port, typer.echo)


@cli.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the story; non-zero if a step came out wrong.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the demo's service; 0 takes a free one.")] = 8000,
) -> None:
    """Tell the story: both simulators, the service, one bridge, and what happens between them."""
    from app.sandbox.scenes import SCENES
    from app.sandbox.story import run_demo

    sys.exit(guarded(lambda: asyncio.run(run_demo(SCENES, once=once, port=port))))


@cli.command()
def objects() -> None:
    """Print what is kept in step, and how: the README's table."""
    from app.providers.highlevel.provider import HighLevel
    from app.providers.invoice_ninja.provider import InvoiceNinja
    from app.providers.overview import what_syncs

    typer.echo(what_syncs(HighLevel(), InvoiceNinja()))


def main() -> None:
    cli()


if __name__ == "__main__":
    main()
