"""A worker's sign of life: a file whose age says whether one works here. For what watches the process from outside,

as a container's health check does; the job engine has its own, in the database.
"""

import time
from pathlib import Path

EVERY = 3.0
"""Seconds between two signs."""
GOOD_FOR = 60.0
_NAME = "worker.alive"


def give(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / _NAME).touch()


def age(home: Path) -> float | None:
    """Seconds since the last sign; None where there was none."""
    try:
        return max(0.0, time.time() - (home / _NAME).stat().st_mtime)
    except OSError:
        return None


def told(home: Path) -> tuple[bool, str]:
    """Whether a worker is alive here, and the sentence that says so."""
    seconds = age(home)
    if seconds is None:
        return False, f"No worker has given a sign of life in {home}."
    said = f"The last sign of life of a worker in {home} is {seconds:.0f} s old"
    return (True, f"{said}.") if seconds <= GOOD_FOR else (False, f"{said}: it is gone, or has no database.")
