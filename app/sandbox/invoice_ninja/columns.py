"""Plain columns of the simpler entities: which there are, how a request sets them, and the checks they share."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.sandbox.invoice_ninja.bodies import flag, number, text
from app.sandbox.invoice_ninja.ninja import Ninja
from app.sandbox.invoice_ninja.store import Row

CUSTOM = tuple(f"custom_value{n}" for n in range(1, 5))
TAXES = tuple(name for n in range(1, 4) for name in (f"tax_name{n}", f"tax_rate{n}"))


def assign(row: Row, body: Mapping[str, Any], writable: Iterable[str]) -> None:
    """Set what is given, each column in the type it already has."""
    for name in writable:
        if name in body:
            row[name] = _like(row[name], body[name])


def _like(old: Any, new: Any) -> Any:
    if isinstance(old, bool):
        return flag(new)
    if isinstance(old, int | float):
        return number(new)
    return text(new)


def taxes() -> Row:
    return {name: "" if name.startswith("tax_name") else 0 for name in TAXES}


def customs() -> Row:
    return dict.fromkeys(CUSTOM, "")


def check_client(ninja: Ninja, body: Mapping[str, Any], *, required: bool) -> dict[str, list[str]]:
    given = body.get("client_id")
    if given is None:
        return {"client_id": ["The client id field is required."]} if required else {}
    client = ninja.tables["clients"].rows.get(text(given))
    if client is None or client["is_deleted"]:
        return {"client_id": ["The selected client id is invalid."]}
    return {}


def check_number(ninja: Ninja, path: str, body: Mapping[str, Any], row: Row | None) -> dict[str, list[str]]:
    others = ninja.tables[path].find("number", text(body.get("number")))
    return {"number": ["The number has already been taken."]} if any(other is not row for other in others) else {}


def check_dates(body: Mapping[str, Any], names: Iterable[str]) -> dict[str, list[str]]:
    def bad(value: Any) -> bool:
        return value is not None and not re.match(r"\d{4}-\d\d-\d\d", text(value))

    return {name: [f"The {name.replace('_', ' ')} is not a valid date."] for name in names if bad(body.get(name))}


def take_number(ninja: Ninja, path: str, body: Mapping[str, Any]) -> str:
    return text(body.get("number")) or ninja.counters[path].take(ninja.tables[path])


def searched(*names: str) -> Any:
    return lambda row, wanted: any(wanted.lower() in str(row[name]).lower() for name in names)
