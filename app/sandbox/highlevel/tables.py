"""What the simulator remembers beside contacts: one table per kind of object."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.sandbox.highlevel.store import COMPANY_ID, new_id, now

_random = random.Random()  # noqa: S311 (ids, not secrets)


def object_id() -> str:
    """24 hexadecimal digits: HighLevel's newer objects have these (their answers say `_id`). The first is a digit."""
    return _random.choice("6789") + "".join(_random.choices("0123456789abcdef", k=23))


@dataclass(kw_only=True)
class Row:
    location_id: str
    values: dict[str, Any]
    """By HighLevel's names."""
    id: str = field(default_factory=new_id)
    added: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)

    def take(self, values: Mapping[str, Any]) -> set[str]:
        """Keep these values, and name those that are new."""
        changed = {name for name, value in values.items() if self.values.get(name) != value}
        self.values.update(values)
        self.updated = now()
        return changed


class Table(dict[str, Row]):
    """Rows by id, oldest first."""

    def add(self, row: Row) -> Row:
        self[row.id] = row
        return row

    def of(self, location_id: str, **values: Any) -> list[Row]:
        """The rows of a location that have these values."""
        return [
            row
            for row in self.values()
            if row.location_id == location_id and all(row.values.get(name) == value for name, value in values.items())
        ]


@dataclass
class Tables:
    tasks: Table = field(default_factory=Table)
    notes: Table = field(default_factory=Table)
    tags: Table = field(default_factory=Table)
    businesses: Table = field(default_factory=Table)
    users: Table = field(default_factory=Table)
    calendars: Table = field(default_factory=Table)
    appointments: Table = field(default_factory=Table)
    pipelines: Table = field(default_factory=Table)
    opportunities: Table = field(default_factory=Table)
    invoices: Table = field(default_factory=Table)
    transactions: Table = field(default_factory=Table)
    products: Table = field(default_factory=Table)
    prices: Table = field(default_factory=Table)
    mails: list[dict[str, Any]] = field(default_factory=list)
    """What a real HighLevel would have sent to people. Nothing is sent from here."""

    def forget_contact(self, contact_id: str) -> None:
        """Tasks and notes have no path but their contact's."""
        for table in (self.tasks, self.notes):
            for row in [row for row in table.values() if row.values["contactId"] == contact_id]:
                del table[row.id]

    def learn_tags(self, location_id: str, names: Iterable[str]) -> None:
        """A tag that a contact gets is a tag of the location from then on."""
        for name in names:
            if not self.tags.of(location_id, name=name):
                self.tags.add(Row(location_id=location_id, values={"name": name}))


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a person can do with one kind of object in HighLevel's own pages: `/_control/objects/{name}`."""

    name: str
    fields: frozenset[str]
    """What a person may set."""
    shown: Callable[[Row], dict[str, Any]]
    make: Callable[[str, dict[str, Any]], Row]
    """In a location, with these values."""
    change: Callable[[Row, dict[str, Any]], Any]
    remove: Callable[[Row], None]


def silent(name: str, table: Table, fields: Iterable[str], shown: Callable[[Row], dict[str, Any]]) -> Kind:
    """A kind whose changes no webhook tells."""
    return Kind(
        name=name,
        fields=frozenset(fields),
        shown=shown,
        make=lambda location_id, values: table.add(Row(location_id=location_id, values=values)),
        change=lambda row, values: row.take(values),
        remove=lambda row: table.__delitem__(row.id),
    )


def seeded(locations: Iterable[str]) -> Tables:
    """Two people in the company, and a calendar and a pipeline in each location."""
    tables = Tables()
    for number, (first, last) in enumerate((("Mira", "Solano"), ("Teo", "Lindqvist")), start=1):
        values = {
            "firstName": first,
            "lastName": last,
            "email": f"{first}.{last}@staff.example".lower(),
            "locationIds": list(locations),
        }
        tables.users.add(Row(id=f"sandboxUser{number:09d}", location_id=COMPANY_ID, values=values))
    for location_id in locations:
        tail = location_id[-4:]
        calendar = {"name": "First talks", "slotDuration": 30, "isActive": True}
        tables.calendars.add(Row(id=f"sandboxCalendar{tail}", location_id=location_id, values=calendar))
        stages = [
            {"id": f"sandboxStage{tail}{place}", "name": name, "position": place}
            for place, name in enumerate(("Asked", "Offered", "Agreed"))
        ]
        pipeline = {"name": "Orders", "stages": stages}
        tables.pipelines.add(Row(id=f"sandboxPipeline{tail}", location_id=location_id, values=pipeline))
    return tables
