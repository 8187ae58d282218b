"""Rows in memory. A row is a dict in the shape the API shows, plus keys that start with `_` and are never shown."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.sandbox.invoice_ninja.ids import encode

Row = dict[str, Any]
Keys = Mapping[str, Callable[[Row], Iterable[str]]]


class Table:
    """One entity's rows by public id, with look-ups by the given keys (without case, like the database's collation)."""

    def __init__(self, keys: Keys | None = None) -> None:
        self.rows: dict[str, Row] = {}
        self._keys: Keys = keys or {}
        self._found: dict[tuple[str, str], dict[str, None]] = {}
        self._listed: dict[str, list[tuple[str, str]]] = {}
        self.last = 0

    def next_id(self) -> str:
        self.last += 1
        return encode(self.last)

    def put(self, row: Row) -> None:
        """Insert, or note that a row has changed."""
        self._forget(row["id"])
        self.rows[row["id"]] = row
        all_ = ((name, value.lower()) for name, values in self._keys.items() for value in values(row) if value)
        listed = list(dict.fromkeys(all_))  # two contacts of one client may have one e-mail
        for each in listed:
            self._found.setdefault(each, {})[row["id"]] = None
        self._listed[row["id"]] = listed

    def drop(self, row_id: str) -> None:
        self._forget(row_id)
        self.rows.pop(row_id, None)

    def indexed(self, name: str) -> bool:
        return name in self._keys

    def find(self, name: str, value: str) -> list[Row]:
        return [self.rows[row_id] for row_id in self._found.get((name, value.lower()), ())]

    def _forget(self, row_id: str) -> None:
        for each in self._listed.pop(row_id, ()):
            ids = self._found[each]
            ids.pop(row_id, None)
            if not ids:
                del self._found[each]


class Counter:
    """The company's running number of one entity: four digits, and numbers in use are passed over."""

    def __init__(self) -> None:
        self.next = 1

    def take(self, table: Table) -> str:
        while table.find("number", f"{self.next:04}"):
            self.next += 1
        self.next += 1
        return f"{self.next - 1:04}"
