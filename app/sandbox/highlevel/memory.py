"""The simulator's records as JSON, and back: contacts, custom fields, and one list for each kind of object."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from app.sandbox.highlevel.sandbox import Sandbox
from app.sandbox.highlevel.store import Contact
from app.sandbox.highlevel.tables import Row, Table
from app.sandbox.memory import Memory


def memory_of(sandbox: Sandbox) -> Memory:
    return Memory(lambda: _dump(sandbox), lambda said: _load(sandbox, said))


def _dump(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "contacts": [_contact(each) for each in sandbox.store.contacts.values()],
        "custom_fields": {each.id: each.custom_fields for each in sandbox.store.locations.values()},
        "tables": {name: [_row(each) for each in table.values()] for name, table in _tables(sandbox).items()},
        "mails": sandbox.tables.mails,
    }


def _load(sandbox: Sandbox, said: Mapping[str, Any]) -> None:
    for location_id, custom_fields in said["custom_fields"].items():
        sandbox.store.locations[location_id].custom_fields = custom_fields
    for each in said["contacts"]:
        dated = {name: datetime.fromisoformat(each[name]) for name in ("added", "updated")}
        contact = Contact(**{**each, **dated, "tags": tuple(each["tags"])})
        sandbox.store.put(contact, at=0, lag=0)
    for name, table in _tables(sandbox).items():
        table.clear()
        for each in said["tables"][name]:
            dated = {name: datetime.fromisoformat(each[name]) for name in ("added", "updated")}
            table.add(Row(**{**each, **dated}))
    sandbox.tables.mails[:] = said["mails"]


def _tables(sandbox: Sandbox) -> dict[str, Table]:
    found = {each.name: getattr(sandbox.tables, each.name) for each in fields(sandbox.tables)}
    return {name: table for name, table in found.items() if isinstance(table, Table)}


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "id": contact.id,
        "location_id": contact.location_id,
        "values": dict(contact.values),
        "custom": dict(contact.custom),
        "tags": list(contact.tags),
        "added": contact.added.isoformat(),
        "updated": contact.updated.isoformat(),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "location_id": row.location_id,
        "values": row.values,
        "added": row.added.isoformat(),
        "updated": row.updated.isoformat(),
    }
