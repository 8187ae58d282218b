"""What the service costs while nothing happens, and how long it takes to start."""

import asyncio
import os
from pathlib import Path
from statistics import median

from tests.bench.report import Row, spread
from tests.flows.driver import installed

STARTS = 3
SECONDS = 20


async def measure() -> list[Row]:
    async with installed() as site:
        service = await site.serve()
        await site.connect()
        service.stop()
        starts = []
        for _ in range(STARTS):
            service = await site.serve()
            starts.append(service.started_in)
            service.stop()
        service = await site.serve()
        await asyncio.sleep(SECONDS)
        memory = _memory(service.pid)
        before = _seconds(service.pid)
        await asyncio.sleep(SECONDS)
        busy = 100 * (_seconds(service.pid) - before) / SECONDS
        return [
            Row(
                what="start until /readyz, existing database",
                measured=f"{spread(starts, 1)} s",
                target="<= 3 s",
                met=median(starts) <= 3,
            ),
            Row(
                what=f"memory (RSS) of `serve` after {SECONDS} s, without PostgreSQL",
                measured=f"{memory:.0f} MB",
                target="<= 160 MB",
                met=memory <= 160,
            ),
            Row(
                what=f"CPU of `serve` over {SECONDS} idle seconds",
                measured=f"{busy:.1f} % of a core",
                target="<= 2 %",
                met=busy <= 2,
            ),
        ]


def _memory(pid: int) -> float:
    """Resident, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def _seconds(pid: int) -> float:
    """Of a core, used so far: utime and stime (proc(5))."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
