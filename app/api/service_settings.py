"""Settings: what this installation is set to, and what it is made of. They are changed in the environment only."""

import os

from fastapi import APIRouter
from pydantic import Field

from app.api.desk import AtDesk
from app.api.schemas import Out
from app.inventory import Source, inventory

router = APIRouter(prefix="/settings", tags=["settings"])


class SettingOut(Out):
    name: str = Field(description="The variable of the environment")
    value: str = Field(description="Of a secret: “set” or “not set”")
    source: Source
    secret: bool
    meaning: str


class TableOut(Out):
    name: str
    bytes: int
    rows: int = Field(description="About; the database estimates")


class SealedOut(Out):
    """Stored secrets, by what opens them. Older and unreadable ones: see “Changing the secret key” in the README."""

    newest: int
    older: int
    unreadable: int


class SettingsOut(Out):
    settings: list[SettingOut]
    versions: dict[str, str]
    paths: dict[str, str]
    database: str
    database_bytes: int
    migration: str
    tables: list[TableOut] = Field(description="The largest ones")
    keys: int = Field(description="Keys that seal and open; more than one: the key is being changed")
    sealed: SealedOut


@router.get("", summary="Show the settings")
async def show_settings(desk: AtDesk) -> SettingsOut:
    """Of the process that answers. No secret is in it. They are read at the start: change them there, and restart."""
    return SettingsOut.model_validate(await inventory(desk.settings, desk.engine, os.environ))
