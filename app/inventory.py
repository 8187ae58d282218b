"""What this installation is set to, and from where; what it is made of, where it lies, and how large it has become."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import DotEnvSettingsSource
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.meanings import MEANINGS
from app.rotation import Sealed, sealed
from app.settings import Settings
from app.vault import Vault

PREFIX = "CROSSLEDGER_"
SET, NOT_SET = "set", "not set"
_HIDDEN = {"database_url"}
"""Beside those that are secret by their type: it may have a password."""
_PACKAGES = ("crossledger", "fastapi", "nicegui", "sqlmodel", "sqlalchemy", "procrastinate", "psycopg", "httpx")
_LARGEST = 6
_DATABASE = text("""
    SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS bytes,
           (SELECT version_num FROM alembic_version) AS migration
""")
_TABLES = text("""
    SELECT relname AS name, pg_total_relation_size(oid) AS bytes, greatest(reltuples, 0)::bigint AS rows FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY bytes DESC LIMIT :limit
""")


class Source(StrEnum):
    ENVIRONMENT = "environment"
    FILE = ".env"
    START = "command line"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """`value` as people read it. Of a secret: whether it is set, and nothing else."""

    name: str
    value: str
    source: Source
    secret: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class TableSize:
    """`rows`: as the planner estimates."""

    name: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Inventory:
    settings: Sequence[Setting]
    versions: Mapping[str, str]
    paths: Mapping[str, str]
    database: str
    database_bytes: int
    migration: str
    tables: Sequence[TableSize]
    keys: int
    sealed: Sealed


async def inventory(settings: Settings, engine: AsyncEngine, environ: Mapping[str, str]) -> Inventory:
    """`environ`: of the process."""
    async with engine.connect() as connection:
        database = (await connection.execute(_DATABASE)).mappings().one()
        tables = [TableSize(**row) for row in (await connection.execute(_TABLES, {"limit": _LARGEST})).mappings()]
    return Inventory(
        settings=explained(settings, environ, _file()),
        versions={"Python": platform.python_version(), "PostgreSQL": database["version"], **_versions()},
        paths=_paths(settings),
        database=_where(settings),
        database_bytes=database["bytes"],
        migration=database["migration"],
        tables=tables,
        keys=len(settings.sealing_keys),
        sealed=await sealed(engine, Vault(*settings.sealing_keys)),
    )


def explained(settings: Settings, environ: Mapping[str, str], file: Mapping[str, str | None]) -> list[Setting]:
    """Every setting, in the order in which they are declared. PURE."""
    of_process = {name.upper(): value for name, value in environ.items()}
    of_file = {name.upper(): value for name, value in file.items()}
    found = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        secret = isinstance(value, SecretStr) or name in _HIDDEN
        key = f"{PREFIX}{name.upper()}"
        # The public address has a default that depends on the port.
        default = value if name == "public_url" else field.default
        source = _source(value, default, of_process.get(key), of_file.get(key))
        found.append(Setting(key, _shown(value, secret=secret), source, secret, MEANINGS.get(name, "")))
    return found


def _source(value: object, default: object, in_process: str | None, in_file: str | None) -> Source:
    """What was given at the start goes before the environment, and that before the file."""
    for source, given in ((Source.ENVIRONMENT, in_process), (Source.FILE, in_file)):
        if given is not None:
            typed = isinstance(value, int) and not isinstance(value, bool)
            return Source.START if typed and given.strip() != str(value) else source
    return Source.DEFAULT if value == default else Source.START


def _shown(value: object, *, secret: bool) -> str:
    if secret:
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        return SET if plain else NOT_SET
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"{len(value)} {'key' if len(value) == 1 else 'keys'}" if value else NOT_SET
    return str(value) if value != "" else NOT_SET


def _env_file() -> Path:
    return Path(str(Settings.model_config.get("env_file") or ".env"))


def _file() -> Mapping[str, str | None]:
    return DotEnvSettingsSource(Settings, env_file=_env_file()).env_vars


def _paths(settings: Settings) -> dict[str, str]:
    return {
        "Data directory": str(settings.home),
        "Settings file": str(_env_file().resolve()) if _env_file().is_file() else "none",
        "Program": str(Path(__file__).resolve().parent),
    }


def _where(settings: Settings) -> str:
    if not settings.database_url:
        return f"bundled, in {settings.home / 'postgres'}"
    url = make_url(settings.database_url)
    return f"{url.database or '?'} at {url.host or 'this machine'}"


def _versions() -> dict[str, Any]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
