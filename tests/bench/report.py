"""What was measured, as rows, and the machine it was measured on."""

import json
import os
import platform
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.flows.driver import ROOT, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`met` is None where there is no target."""

    what: str
    measured: str
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return {None: "", True: "yes", False: "**no**"}[self.met]


async def load(site: Site, kind: str, count: int, *, connections: int = 50, contacts: Sequence[str] = ()) -> Any:
    """Run the load client in its own process; its result, see `tests.bench.load`."""
    process = await create_subprocess_exec(
        sys.executable, "-m", "tests.bench.load", stdin=PIPE, stdout=PIPE, cwd=ROOT
    )  # fmt: skip
    plan = {"port": site.port, "connections": connections, "kind": kind, "count": count, "contacts": list(contacts)}
    output, _ = await process.communicate(json.dumps(plan).encode())
    if process.returncode:
        raise RuntimeError(f"the load client ended with status {process.returncode}")
    return json.loads(output)


def at(share: float, values: Sequence[float]) -> float:
    """The value below which `share` of them are."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median, and how far the single runs were apart."""
    runs = f" ({min(values):,.{digits}f} to {max(values):,.{digits}f})" if len(values) > 1 else ""
    return f"{median(values):,.{digits}f}{runs}"


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def machine(postgres: str) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, PostgreSQL {postgres}; load before the start {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
