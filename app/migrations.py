"""Bring the database's schema up to date: our tables and the job engine's."""

from pathlib import Path

from alembic.config import Config
from sqlalchemy import create_engine, make_url, text

from alembic import command

# In a checkout the scripts are beside the package, in a wheel inside it.
_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE.parent / "alembic", _HERE / "alembic_scripts")
_LOCK = 7_202_611_210


def scripts() -> Path:
    return next(place for place in _PLACES if (place / "env.py").is_file())


def upgrade(url: str) -> None:
    """Run what is missing. Several processes may start at once: one migrates, the others wait for it."""
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), hide_parameters=True)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
