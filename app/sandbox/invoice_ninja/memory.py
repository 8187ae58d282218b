"""The simulator's records as JSON, and back: its tables, running numbers, and the company's settings."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.invoice_ninja.ninja import Ninja
from app.sandbox.memory import Memory


def memory_of(ninja: Ninja) -> Memory:
    return Memory(lambda: _dump(ninja), lambda said: _load(ninja, said))


def _dump(ninja: Ninja) -> dict[str, Any]:
    return {
        "tables": {name: [table.last, list(table.rows.values())] for name, table in ninja.tables.items()},
        "counters": {name: counter.next for name, counter in ninja.counters.items()},
        "contact_owner": ninja.contact_owner,
        "settings": ninja.settings,
    }


def _load(ninja: Ninja, said: Mapping[str, Any]) -> None:
    for name, (last, rows) in said["tables"].items():
        table = ninja.tables[name]
        for row_id in list(table.rows):
            table.drop(row_id)
        for row in rows:
            table.put(row)
        table.last = last
    for name, number in said["counters"].items():
        ninja.counters[name].next = number
    ninja.contact_owner.update(said["contact_owner"])
    ninja.settings.update(said["settings"])
