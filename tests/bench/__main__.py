"""`python -m tests.bench [acks latency ...]`: measure, print a table, and write bench.md beside the README."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from app.logs import configure
from tests.bench import acks, backfill, drain, idle, killing, latency, ordering, pages, sweeping, undoing
from tests.bench.report import Row, machine
from tests.flows.driver import ROOT, installed

MEASUREMENTS: dict[str, Callable[[], Awaitable[list[Row]]]] = {
    "acks": acks.measure,
    "latency": latency.measure,
    "drain": drain.measure,
    "idle": idle.measure,
    "ordering": ordering.measure,
    "killing": killing.measure,
    "backfill": backfill.measure,
    "undoing": undoing.measure,
    "sweeping": sweeping.measure,
    "pages": pages.measure,
}


async def main(names: Sequence[str]) -> int:
    # A bench that is told to end takes its processes with it.
    if running := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    out = Console(width=150)
    where = machine(await _postgres_version())
    out.print(where)
    rows: list[Row] = []
    for name in names:
        began = time.perf_counter()
        measured = await MEASUREMENTS[name]()
        out.print(_table(measured, f"{name}, {time.perf_counter() - began:.0f} s"))
        rows += measured
    if set(names) == MEASUREMENTS.keys():
        (ROOT / "bench.md").write_text(_markdown(rows, where))
        out.print("written to bench.md")
    return sum(row.met is False for row in rows)


def _table(rows: Sequence[Row], title: str) -> Table:
    table = Table("what", "measured", "target", "met", title=title, title_justify="left")
    for row in rows:
        style = "red" if row.met is False else ""
        table.add_row(row.what, row.measured, row.target, row.verdict, style=style)
    return table


def _markdown(rows: Sequence[Row], where: str) -> str:
    day = datetime.now(UTC).date()
    head = f"Measured with `make bench` on {day}: {where}. Both simulators, PostgreSQL and the load share the cores."
    lines = ["| what | measured | target | met |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.measured} | {row.target} | {row.verdict} |" for row in rows]
    return "\n".join([head, "", *lines, ""])


async def _postgres_version() -> str:
    async with installed() as site:
        return str((await site.rows("SHOW server_version"))[0][0])


if __name__ == "__main__":
    configure("warning")
    chosen = sys.argv[1:] or list(MEASUREMENTS)
    if unknown := set(chosen) - MEASUREMENTS.keys():
        sys.exit(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    sys.exit(1 if asyncio.run(main(chosen)) else 0)
