"""Where the bundled PostgreSQL can live, and what is said where it cannot."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.db import Bundled, _forget_the_dead, conninfo
from app.errors import ConfigurationError
from app.migrations import newest, scripts


def test_a_path_with_a_blank_is_refused_with_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CROSSLEDGER_DATA_DIR"):
        Bundled(tmp_path / "two words")
    assert not (tmp_path / "two words").exists()


def test_a_place_that_cannot_be_written_is_refused_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="CROSSLEDGER_DATA_DIR"):
        Bundled(tmp_path / "file" / "data")


def test_a_process_that_died_hard_does_not_keep_the_server_running_for_ever(tmp_path: Path) -> None:
    """The library stops the server when the last process of its list leaves, and takes no dead one off it."""
    users = tmp_path / "pids.json"
    users.write_text(f"[{_dead()}, {os.getppid()}, {os.getpid()}]")
    _forget_the_dead(users)
    assert json.loads(users.read_text()) == [os.getppid()]
    _forget_the_dead(tmp_path / "none.json")


def _dead() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_next_start_stops_what_a_killed_one_has_left(tmp_path: Path) -> None:
    """As `crossledger serve` that was killed: PostgreSQL goes on, and ends with the next process that leaves."""
    start = f"from app.db import Bundled; from pathlib import Path; b = Bundled(Path({str(tmp_path)!r}));"
    killed = subprocess.run([sys.executable, "-c", f"{start} import os; os.kill(os.getpid(), 9)"], check=False)
    assert killed.returncode == -signal.SIGKILL
    running = tmp_path / "postgres" / "postmaster.pid"
    assert running.exists()
    subprocess.run([sys.executable, "-c", f"{start} b.stop()"], check=True)
    assert not running.exists()


@pytest.mark.parametrize("url", ["mysql://u@h/d", "no url at all"])
def test_a_url_that_is_no_postgresql_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"CROSSLEDGER_DATABASE_URL|PostgreSQL"):
        conninfo(url)


def test_what_is_done_once_on_a_machine_is_done_by_one_process_at_a_time(tmp_path: Path) -> None:
    place = tmp_path / "there"
    code = (
        "import time; from pathlib import Path; from app.db import _alone_on_this_machine as alone\n"
        f"place = Path({str(place)!r})\n"
        "with alone():\n place.mkdir(); time.sleep(0.2); place.rmdir()"
    )
    together = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [each.wait() for each in together] == [0, 0, 0, 0]


def test_the_newest_migration_is_the_one_that_all_others_lead_to() -> None:
    """A start that finds it in the database looks no further."""
    config = Config()
    config.set_main_option("script_location", str(scripts()))
    assert ScriptDirectory.from_config(config).get_heads() == [newest()]
