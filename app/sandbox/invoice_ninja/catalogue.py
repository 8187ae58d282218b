"""Products, projects, task statuses (contracts/invoice_ninja, sections 5 and 6) and client groups (inferred)."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.invoice_ninja import columns
from app.sandbox.invoice_ninja.answers import InvalidError
from app.sandbox.invoice_ninja.bodies import text
from app.sandbox.invoice_ninja.lists import equals
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, shown
from app.sandbox.invoice_ninja.resources import Kind
from app.sandbox.invoice_ninja.store import Row


def _present(ninja: Ninja, row: Row, includes: list[str]) -> Row:
    return shown(row)


def _product() -> Row:
    return {
        "user_id": ME,
        "assigned_user_id": "",
        "product_key": "",
        "notes": "",
        "cost": 0,
        "price": 0,
        "quantity": 1,
        **columns.taxes(),
        **columns.customs(),
        "in_stock_quantity": 0,
        "stock_notification": False,
        "stock_notification_threshold": 0,
        "max_quantity": 0,
        "product_image": "",
        "tax_id": "1",
        "documents": [],
    }


_PRODUCT = tuple(name for name in _product() if name not in ("user_id", "documents"))


def _check_product(body: Mapping[str, Any]) -> None:
    price = body.get("price")
    if price is not None and not _numeric(price):
        raise InvalidError({"price": ["The price must be a number."]})


def _numeric(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


async def create_product(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    _check_product(call.body)
    row = ninja.insert("products", _product())
    columns.assign(row, call.body, _PRODUCT)
    ninja.save("products", row)
    await ninja.emit(50, lambda: shown(row))
    return row, shown(row)


async def update_product(ninja: Ninja, call: Call, row: Row) -> None:
    _check_product(call.body)
    before = dict(row)
    columns.assign(row, call.body, _PRODUCT)
    if row != before:
        ninja.save("products", row)
        await ninja.emit(51, lambda: shown(row))


PRODUCTS = Kind(
    path="products",
    entity="product",
    model="Product",
    create=create_product,
    update=update_product,
    present=_present,
    filters={
        "product_key": equals("product_key"),
        "filter": columns.searched("product_key", "notes", *columns.CUSTOM),
    },
    events={"delete": 52, "restore": 53, "archive": 54},
)


def _project() -> Row:
    return {
        "user_id": ME,
        "assigned_user_id": "",
        "client_id": "",
        "name": "",
        "number": "",
        "task_rate": 0,
        "due_date": "",
        "private_notes": "",
        "public_notes": "",
        "budgeted_hours": 0,
        **columns.customs(),
        "color": "#fff",
        "current_hours": 0,
        "documents": [],
    }


_PROJECT: tuple[str, ...] = (
    "assigned_user_id",
    "name",
    "task_rate",
    "due_date",
    "private_notes",
    "public_notes",
    "budgeted_hours",
)
_PROJECT += (*columns.CUSTOM, "color", "number")


def present_project(ninja: Ninja, row: Row, includes: list[str]) -> Row:
    return shown(row) | {name: [] for name in includes}


async def create_project(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    missing = {} if call.body.get("name") else {"name": ["The name field is required."]}
    errors = missing | columns.check_client(ninja, call.body, required=True)
    if errors:
        raise InvalidError(errors)
    number = columns.take_number(ninja, "projects", call.body)
    row = ninja.insert("projects", _project() | {"client_id": text(call.body["client_id"])})
    columns.assign(row, call.body, _PROJECT)
    row["number"] = number
    ninja.save("projects", row)
    await ninja.emit(25, lambda: with_client(ninja, row))
    return row, shown(row)


async def update_project(ninja: Ninja, call: Call, row: Row) -> None:
    columns.assign(row, call.body, _PROJECT)
    ninja.save("projects", row)
    await ninja.emit(26, lambda: with_client(ninja, row))


def with_client(ninja: Ninja, row: Row) -> Row:
    """As a webhook shows it; the row of a purged client is empty."""
    client = ninja.tables["clients"].rows.get(row["client_id"])
    return shown(row) | {"client": shown(client) if client else {}}


PROJECTS = Kind(
    path="projects",
    entity="project",
    model="Project",
    create=create_project,
    update=update_project,
    present=present_project,
    told=with_client,
    filters={"number": equals("number"), "client_id": equals("client_id"), "filter": columns.searched("name")},
    includes=frozenset({"client", "tasks", "invoices", "expenses", "quotes"}),
    events={"delete": 30, "archive": 38, "restore": 46},
)


async def create_status(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    name = text(call.body.get("name"))
    if not name:
        raise InvalidError({"name": ["The name field is required."]})
    if any(row["name"] == name for row in ninja.tables["task_statuses"].rows.values()):
        raise InvalidError({"name": ["The name has already been taken."]})
    color = text(call.body.get("color")) or "#fff"
    row = ninja.insert("task_statuses", {"name": name, "color": color, "status_order": 9999})
    return row, shown(row)


async def update_status(ninja: Ninja, call: Call, row: Row) -> None:
    columns.assign(row, call.body, ("name", "color", "status_order"))
    ninja.save("task_statuses", row)


STATUSES = Kind(
    path="task_statuses",
    entity="task_status",
    model="TaskStatus",
    create=create_status,
    update=update_status,
    present=_present,
)


async def create_group(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    name = text(call.body.get("name"))
    if not name:
        raise InvalidError({"name": ["The name field is required."]})
    row = ninja.insert("group_settings", {"name": name, "settings": {}})
    return row, shown(row)


async def update_group(ninja: Ninja, call: Call, row: Row) -> None:
    columns.assign(row, call.body, ("name", "settings"))
    ninja.save("group_settings", row)


GROUPS = Kind(
    path="group_settings",
    entity="group_setting",
    model="GroupSetting",
    create=create_group,
    update=update_group,
    present=_present,
)
