"""The endpoints every entity has: list, show, create, update, delete, bulk. A `Kind` says how one differs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from app.sandbox.invoice_ninja import lists, statics
from app.sandbox.invoice_ninja.answers import DELETED, ApiError, InvalidError, answer, data, not_found, unauthorized
from app.sandbox.invoice_ninja.bodies import text
from app.sandbox.invoice_ninja.ninja import Call, Ninja
from app.sandbox.invoice_ninja.store import Row

Handler = Callable[[Ninja, Call], Awaitable[Response]]
Action = Callable[[Ninja, Call, Row], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    path: str
    entity: str
    model: str
    create: Callable[[Ninja, Call], Awaitable[tuple[Row, Row]]]
    """Returns the new row, and the create answer (which can show more than what is stored)."""
    update: Callable[[Ninja, Call, Row], Awaitable[None]]
    present: Callable[[Ninja, Row, list[str]], Row]
    told: Callable[[Ninja, Row], Row] | None = None
    """The row as a webhook shows it, when that is more than what the API shows."""
    filters: Mapping[str, lists.Filter] = field(default_factory=dict)
    includes: frozenset[str] = frozenset()
    events: Mapping[str, int] = field(default_factory=dict)
    """Event ids for archive, restore and delete."""
    actions: Mapping[str, Action] = field(default_factory=dict)
    check_list: Callable[[Ninja, Call], None] | None = None
    """Raises for a list that is refused as a whole."""
    check_bulk: Callable[[Ninja, Call], None] | None = None
    """Raises for a bulk call that is refused as a whole."""
    on_delete: Action | None = None
    on_restore: Action | None = None
    blank: Callable[[Ninja], Row] | None = None
    admin_only: bool = False
    delete_archives: bool = False
    """DELETE only archives; the bulk action deletes (recorded: webhooks_api/delete)."""
    strict_sort: bool = False

    def body(self, ninja: Ninja, row: Row) -> Row:
        return self.told(ninja, row) if self.told else self.present(ninja, row, [])

    def allows(self, ninja: Ninja, call: Call, verb: str) -> bool:
        return ninja.may(call, "admin" if self.admin_only else f"{verb}_{self.entity}")

    def require(self, ninja: Ninja, call: Call, verb: str) -> None:
        if not self.allows(ninja, call, verb):
            raise unauthorized()


def row_of(ninja: Ninja, kind: Kind, row_id: str) -> Row:
    row = ninja.tables[kind.path].rows.get(row_id)
    if row is None:
        if row_id.isdigit():
            raise ApiError(400, {"message": f"Record with value {row_id} not found"})
        raise not_found(kind.model)
    return row


def list_rows(kind: Kind) -> Handler:
    async def handle(ninja: Ninja, call: Call) -> Response:
        if kind.check_list is not None:
            kind.check_list(ninja, call)
        include = lists.includes(call.query, kind.includes)
        table = ninja.tables[kind.path]
        found = lists.select(table, {**kind.filters, **lists.COMMON}, call.query)
        found = lists.sort(found, call.query.get("sort"), strict=kind.strict_sort)
        if not kind.allows(ninja, call, "view"):
            found = []
        return _paged(ninja, kind, call, found, include)

    return handle


def _paged(ninja: Ninja, kind: Kind, call: Call, found: list[Row], include: list[str]) -> Response:
    rows, meta = lists.page(found, call.query, f"{call.base_url}/api/v1/{kind.path}")
    shown = [kind.present(ninja, row, include) for row in rows]
    if call.query.get("index") == "none":
        return answer(shown)
    body: dict[str, Any] = {"data": shown, "meta": meta}
    if call.asks("include_static"):
        body["static"] = statics.everything()
    return answer(body)


def show_row(kind: Kind) -> Handler:
    async def handle(ninja: Ninja, call: Call) -> Response:
        row = row_of(ninja, kind, call.path["id"])
        kind.require(ninja, call, "view")
        return data(kind.present(ninja, row, lists.includes(call.query, kind.includes)))

    return handle


def blank_row(kind: Kind) -> Handler:
    async def handle(ninja: Ninja, call: Call) -> Response:
        kind.require(ninja, call, "create")
        return data(kind.present(ninja, kind.blank(ninja), [])) if kind.blank else data({})

    return handle


def create_row(kind: Kind) -> Handler:
    async def handle(ninja: Ninja, call: Call) -> Response:
        kind.require(ninja, call, "create")
        _, body = await kind.create(ninja, call)
        return data(body)

    return handle


def update_row(kind: Kind) -> Handler:
    async def handle(ninja: Ninja, call: Call) -> Response:
        row = row_of(ninja, kind, call.path["id"])
        kind.require(ninja, call, "edit")
        if row["is_deleted"] and not kind.admin_only:
            raise ApiError(400, {"message": DELETED})
        await kind.update(ninja, call, row)
        return data(kind.present(ninja, row, lists.includes(call.query, kind.includes)))

    return handle


def delete_row(kind: Kind) -> Handler:
    async def handle(ninja: Ninja, call: Call) -> Response:
        row = row_of(ninja, kind, call.path["id"])
        kind.require(ninja, call, "edit")
        await (_archive if kind.delete_archives else _delete)(ninja, kind, call, row)
        return data(kind.present(ninja, row, []))

    return handle


def bulk(kind: Kind) -> Handler:
    """Without the permission to edit, or with an unknown action, it answers 200 and does nothing (section 2)."""

    async def handle(ninja: Ninja, call: Call) -> Response:
        if kind.check_bulk is not None:
            kind.check_bulk(ninja, call)
        table = ninja.tables[kind.path]
        ids = call.input("ids") or []
        rows = [table.rows[text(each)] for each in ids if text(each) in table.rows]
        action = {"archive": _archive, "restore": _restore, "delete": _delete}.get(text(call.input("action")))
        own = kind.actions.get(text(call.input("action")))
        for row in rows if kind.allows(ninja, call, "edit") else ():
            if action is not None:
                await action(ninja, kind, call, row)
            elif own is not None:
                await own(ninja, call, row)
        return _paged(ninja, kind, call, rows, [])

    return handle


async def _archive(ninja: Ninja, kind: Kind, call: Call, row: Row) -> None:
    if not row["archived_at"]:
        row["archived_at"] = ninja.now()
        await _changed(ninja, kind, row, "archive")


async def _restore(ninja: Ninja, kind: Kind, call: Call, row: Row) -> None:
    if row["archived_at"] or row["is_deleted"]:
        if row["is_deleted"] and kind.on_restore is not None:
            await kind.on_restore(ninja, call, row)
        row |= {"archived_at": 0, "is_deleted": False}
        await _changed(ninja, kind, row, "restore")


async def _delete(ninja: Ninja, kind: Kind, call: Call, row: Row) -> None:
    if not row["is_deleted"]:
        row |= {"archived_at": row["archived_at"] or ninja.now(), "is_deleted": True}
        if kind.on_delete is not None:
            await kind.on_delete(ninja, call, row)
        await _changed(ninja, kind, row, "delete")


async def _changed(ninja: Ninja, kind: Kind, row: Row, what: str) -> None:
    ninja.save(kind.path, row)
    if what in kind.events:
        await ninja.emit(kind.events[what], lambda: kind.body(ninja, row))


def refuse_unknown(path: str, known: frozenset[str]) -> Callable[[Ninja, Call], None]:
    """The stricter bulk check that clients have: unknown actions and unknown ids are refused."""

    def check(ninja: Ninja, call: Call) -> None:
        errors: dict[str, list[str]] = {}
        if text(call.input("action")) not in known:
            errors["action"] = ["The selected action is invalid."]
        ids = call.input("ids")
        if not isinstance(ids, list) or any(text(each) not in ninja.tables[path].rows for each in ids):
            errors["ids"] = ["The selected ids is invalid."]
        if errors:
            raise InvalidError(errors)

    return check
