"""Tags of tasks, as versions of 2026 have them: contracts/invoice_ninja, section 9. Read in the product's code."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.invoice_ninja import columns
from app.sandbox.invoice_ninja.answers import InvalidError
from app.sandbox.invoice_ninja.bodies import text
from app.sandbox.invoice_ninja.lists import equals
from app.sandbox.invoice_ninja.ninja import Call, Ninja, shown
from app.sandbox.invoice_ninja.resources import Kind
from app.sandbox.invoice_ninja.store import Row

TAGGABLE = ("App\\Models\\Task", "App\\Models\\Project")
LONGEST = 191


def _check_entity(ninja: Ninja, call: Call) -> None:
    if call.input("entity_type") not in TAGGABLE:
        raise InvalidError({"entity_type": ["The entity type field is required."]})


async def create(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    ninja.require(call, "admin")
    _check_entity(ninja, call)
    name, entity = text(call.body.get("name")), call.body["entity_type"]
    if not name:
        raise InvalidError({"name": ["The name field is required."]})
    if len(name) > LONGEST:
        raise InvalidError({"name": [f"The name may not be greater than {LONGEST} characters."]})
    if any(row["entity_type"] == entity for row in ninja.tables["tags"].find("name", name)):
        raise InvalidError({"name": ["The name has already been taken."]})
    row = ninja.insert("tags", {"entity_type": entity, "name": name, "color": call.body.get("color")})
    return row, shown(row)


async def update(ninja: Ninja, call: Call, row: Row) -> None:
    columns.assign(row, call.body, ("name",))
    ninja.save("tags", row)


def check(ninja: Ninja, body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of a task's body: every id is that of a tag of tasks which is not deleted."""
    live = {id_ for id_, row in ninja.tables["tags"].rows.items() if not row["is_deleted"]}
    tasks = {id_ for id_ in live if ninja.tables["tags"].rows[id_]["entity_type"] == TAGGABLE[0]}
    given = body.get("tags", []) if ninja.config.task_tags else []
    return {} if tasks.issuperset(given) else {"tags": ["One or more tags are invalid for this entity."]}


KIND = Kind(
    path="tags",
    entity="tag",
    model="Tag",
    create=create,
    update=update,
    present=lambda ninja, row, includes: shown(row),
    check_list=_check_entity,
    filters={"entity_type": equals("entity_type")},
)
