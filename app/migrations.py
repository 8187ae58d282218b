"""Bring the database's schema up to date: our tables and the job engine's."""

from pathlib import Path

from sqlalchemy import Connection, create_engine, make_url, text

# In a checkout the scripts are beside the package, in a wheel inside it.
_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE.parent / "alembic", _HERE / "alembic_scripts")
_LOCK = 7_202_611_210
_PRESENT = "SELECT version_num FROM alembic_version"


def scripts() -> Path:
    return next(place for place in _PLACES if (place / "env.py").is_file())


def newest() -> str:
    """The last revision: the scripts are named by their numbers."""
    return max(script.name.partition("_")[0] for script in (scripts() / "versions").glob("[0-9]*.py"))


def upgrade(url: str) -> None:
    """Run what is missing. Several processes may start at once: one migrates, the others wait for it."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), hide_parameters=True)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if _present(connection) != newest():
                _migrate(connection)
    finally:
        engine.dispose()


def _present(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found = connection.scalar(text(_PRESENT))
    return None if found is None else str(found)


def _migrate(connection: Connection) -> None:
    # A service that has nothing to migrate keeps no alembic in memory, and is there sooner.
    from alembic.config import Config

    from alembic import command

    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
