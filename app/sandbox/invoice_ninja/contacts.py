"""Contacts exist only inside clients, and a given list replaces the set (contracts/invoice_ninja, section 3)."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.invoice_ninja.bodies import flag, text
from app.sandbox.invoice_ninja.ninja import Ninja
from app.sandbox.invoice_ninja.store import Row

_FIELDS = ("first_name", "last_name", "email", "phone", *(f"custom_value{n}" for n in range(1, 5)))
_CUT_AT = 191


def replace(ninja: Ninja, client: Row, given: list[Any], *, blank_email: str, base_url: str) -> bool:
    """Make `given` the client's contacts. True when something changed."""
    before = [dict(contact) for contact in client["contacts"]]
    entries = sorted(
        (each for each in given if isinstance(each, dict)), key=lambda each: not flag(each.get("is_primary"))
    )
    kept = [_take(ninja, client, entry, base_url) for entry in entries]
    if not kept:
        kept = [_new(ninja, base_url) | {"email": blank_email}]
    for place, contact in enumerate(kept):
        contact["is_primary"] = place == 0
    if not any(flag(entry.get("send_email")) for entry in entries):
        kept[0]["send_email"] = True
    client["contacts"] = kept
    for contact in before:
        if ninja.contact_owner.get(contact["id"]) == client["id"]:
            del ninja.contact_owner[contact["id"]]
    ninja.contact_owner.update({contact["id"]: client["id"] for contact in kept})
    if before != kept:
        _touch(ninja, before, kept)
    return before != kept


def _take(ninja: Ninja, client: Row, entry: Mapping[str, Any], base_url: str) -> Row:
    contact = _existing(ninja, client, text(entry.get("id"))) or _new(ninja, base_url)
    contact.update({name: text(entry[name])[:_CUT_AT] for name in _FIELDS if name in entry})
    if "send_email" in entry:
        contact["send_email"] = flag(entry["send_email"])
    return contact


def _existing(ninja: Ninja, client: Row, contact_id: str) -> Row | None:
    """The contact of that id, whoever's it is: one of another client is moved, and that client is left without it."""
    owner_id = ninja.contact_owner.get(contact_id)
    if owner_id is None:
        return None
    owner = client if owner_id == client["id"] else ninja.tables["clients"].rows[owner_id]
    contact: Row = next(each for each in owner["contacts"] if each["id"] == contact_id)
    if owner is not client:
        owner["contacts"] = [each for each in owner["contacts"] if each is not contact]
        ninja.tables["clients"].put(owner)
        ninja.contact_owner[contact_id] = client["id"]
    return contact


def _new(ninja: Ninja, base_url: str) -> Row:
    now, key = ninja.now(), ninja.key()
    return {
        "id": ninja.tables["contacts"].next_id(),
        **dict.fromkeys(("first_name", "last_name", "email"), ""),
        **dict.fromkeys(("created_at", "updated_at"), now),
        "archived_at": 0,
        "is_primary": False,
        "is_locked": False,
        **dict.fromkeys(("phone", *_FIELDS[4:]), ""),
        "contact_key": key,
        "send_email": True,
        "last_login": 0,
        "password": "",
        "link": f"{base_url}/client/key_login/{key}",
    }


def _touch(ninja: Ninja, before: list[Row], kept: list[Row]) -> None:
    unchanged = {contact["id"]: contact for contact in before}
    for contact in kept:
        if unchanged.get(contact["id"]) != contact:
            contact["updated_at"] = ninja.now()
