"""The objects that are kept in step, and what is particular to each: a table. Pure.

The engine knows none of them by name. A new object is a line here, a mapping and a `Records` class at each provider.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.sync.matching import title_of, twin_key
from app.sync.records import Record, Side

CONTACT = "contact"
TASK = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """`called`: what people call the record on each side.

    `parent`: the object that a record belongs to; a record waits until its parent's pair is made.
    `person`: it has an e-mail address to be recognised by, may be merged into another, and is one part of the vendor's
    record. Anything else is recognised by its external id, and by `identity` below its parent.
    `identity`: what two twins, entered on both sides at once, have in common; "" where nothing identifies the record.
    """

    name: str
    called: Mapping[Side, str]
    identity: Callable[[Record], str]
    parent: str = ""
    person: bool = False


OBJECTS: Mapping[str, ObjectType] = {
    each.name: each
    for each in (
        ObjectType(
            name=CONTACT,
            called={Side.CRM: "contact", Side.BILLING: "client"},
            identity=twin_key,
            person=True,
        ),
        ObjectType(
            name=TASK,
            called={Side.CRM: "task", Side.BILLING: "task"},
            identity=title_of,
            parent=CONTACT,
        ),
    )
}
