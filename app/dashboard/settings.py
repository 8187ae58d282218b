"""What the service is set to, where each of it comes from, what it means; and what this installation is made of."""

from collections.abc import Mapping

from fastapi import Request

from app.api.service_settings import SettingOut, SettingsOut, show_settings
from app.dashboard.frame import frame, page, pages
from app.dashboard.parts import cell, fact, table, tag, text
from app.inventory import Source
from app.people.roles import Role

router = pages()

_LEAD = (
    "Settings are read when the service starts, from the environment or the file .env, and can only be changed there:"
    " set them, and restart. Most of them you never need."
)
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_CHANGED = "Changed here"


@page(router, "/settings", "Settings", Role.OWNER)
async def settings(request: Request) -> None:
    with frame(request, "Settings", lead=_LEAD) as visit:
        shown = await show_settings(visit.desk)
        changed = [each for each in shown.settings if each.source is not Source.DEFAULT]
        untouched = [each for each in shown.settings if each.source is Source.DEFAULT]
        text("h2", f"{_CHANGED}: {len(changed)}")
        _settings(_CHANGED, changed)
        with tag("details"):
            text("summary", f"As delivered: {len(untouched)}")
            _settings("As delivered", untouched)
        _keys(shown)
        _database(shown)
        text("h2", "Versions and places")
        _facts(shown.versions)
        _facts(shown.paths)


def _settings(label: str, rows: list[SettingOut]) -> None:
    with table(label, ("Setting", "Value", "From", "Meaning")):
        for row in rows:
            with tag("tr"):
                with tag("th", scope="row"):
                    text("code", row.name, "id")
                with cell("Value", "long"):
                    text("span", row.value, "faint" if row.value == "not set" else "")
                with cell("From"):
                    text("span", row.source)
                with cell("Meaning"):
                    text("span", row.meaning)


def _keys(shown: SettingsOut) -> None:
    text("h2", "Keys")
    sealed = shown.sealed
    total = sealed.newest + sealed.older + sealed.unreadable
    if sealed.unreadable:
        said = f"{sealed.unreadable:,} of {total:,} stored secrets were sealed with a key that is not here any more."
        text("p", f"{said} Put that key into CROSSLEDGER_SECRET_KEYS, or connect those accounts anew.", "wrong-words")
    if sealed.older:
        said = f"{sealed.older:,} of {total:,} stored secrets are still sealed with an older key."
        text("p", f"{said} Run “crossledger rotate-keys”; until then, keep that key.", "wrong-words")
    if not (sealed.older or sealed.unreadable):
        text(
            "p", f"All {total:,} stored secrets are sealed with the newest key." if total else "Nothing is sealed yet."
        )
        if shown.keys > 1:
            text("p", "The older keys are not needed any more: they can be removed from the settings.")


def _database(shown: SettingsOut) -> None:
    text("h2", "Database")
    with tag("dl", "facts"):
        for name, value in (
            ("Where", shown.database), ("Size", size(shown.database_bytes)), ("Schema", shown.migration),
        ):  # fmt: skip
            with fact(name):
                text("span", value)
    with table("Largest tables", ("Largest tables", "Size", "Rows, about")):
        for row in shown.tables:
            with tag("tr"):
                text("th", row.name, scope="row")
                with cell("Size", "number"):
                    text("span", size(row.bytes))
                with cell("Rows, about", "number"):
                    text("span", f"{row.rows:,}")


def _facts(facts: Mapping[str, str]) -> None:
    with tag("dl", "facts"):
        for name, value in facts.items():
            with fact(name):
                text("span", value)


def size(count: float) -> str:
    """12.3 MB"""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == _UNITS[0] else f"{count:.1f} {unit}"
        count /= 1000
    return ""
