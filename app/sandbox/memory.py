"""What a simulator remembers when it is started again: its records, in a file of JSON."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EVERY = 1.0
"""Seconds between two looks for what has changed."""


@dataclass(frozen=True, slots=True)
class Memory:
    """`dump` answers all records as JSON has them; `load` takes them in place of what is there."""

    dump: Callable[[], Any]
    load: Callable[[Any], None]


@dataclass(slots=True)
class Notebook:
    """A simulator's memory on disk. One that cannot be read is an error: whoever starts it decides what then."""

    path: Path
    memory: Memory
    _written: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if self.path.exists():
            self.memory.load(json.loads(self.path.read_text()))

    async def keep(self) -> None:
        """For as long as the simulator runs: one that is killed has lost a second."""
        while True:
            await asyncio.sleep(EVERY)
            self.write()

    def write(self) -> None:
        """Whole, or not at all."""
        said = json.dumps(self.memory.dump())
        if said == self._written:
            return
        aside = self.path.with_suffix(".new")
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(said)
        aside.replace(self.path)
        self._written = said
