"""What can be done with any resource: list, find, get, create, update, delete, act on several, keep a file with one."""

import re
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

import httpx

from app.errors import AnswerLost, Duplicate, Forbidden, Gone, Rejected, Unsupported, Wait
from app.providers.http import Wire
from app.providers.invoice_ninja.pages import each_of
from app.providers.invoice_ninja.resources.spec import Spec, T
from app.providers.invoice_ninja.resources.values import Entity
from app.providers.invoice_ninja.wire import LABEL, DoubleClick, Meta, parse

PER_PAGE = 200
MAX_PAGES = 1000

Lifecycle = Literal["active", "archived", "deleted"]
ALIVE: tuple[Lifecycle, ...] = ("active", "archived")

_ID = re.compile(r"[0-9A-Za-z_-]+")
# A refusal of a route: 404, or for a GET the HTML of the web application with 200 (section 2).
_NO_ROUTE = (httpx.codes.OK, httpx.codes.NOT_FOUND)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Bulk(Generic[T]):
    """What a bulk action really did: 200 says nothing (section 2)."""

    done: Sequence[T]
    undone: Sequence[T]
    """In the answer, but not as the action should have left them: no permission, or not possible for such a record."""
    missing: Sequence[str]
    """Ids that the answer left out."""

    def demand_all(self) -> Sequence[T]:
        if self.missing:
            raise Gone(f"{LABEL} has no such record: {', '.join(self.missing)}")
        if self.undone:
            ids = ", ".join(record.id for record in self.undone)
            raise Forbidden(
                f"{LABEL} answered, but did nothing to {ids}: the API token's user may not, or it cannot be"
            )
        return self.done


class Resource(Generic[T]):
    """One resource of one company. Raises what `Wire` raises, and Unsupported where this version has no such thing."""

    def __init__(self, wire: Wire, spec: Spec[T]) -> None:
        self.wire = replace(wire, parse_float=Decimal)
        self.spec = spec

    async def each(
        self,
        *,
        updated_since: datetime | None = None,
        lifecycle: Collection[Lifecycle] = ALIVE,
        narrowed: Mapping[str, str] | None = None,
        include: Collection[str] = (),
    ) -> AsyncIterator[T]:
        """Every record, deleted ones only where asked for. `updated_since` includes its own second and the one before.

        `narrowed`: a filter of theirs, which may be ignored: the caller looks at what comes (section 4). `include`:
        what is to come with each record.

        Sorted by id, so that a record which changes meanwhile moves to no other page.
        """
        since = max(0, int(updated_since.timestamp()) - 1) if updated_since else 0
        query = {"updated_at": str(since)} if since else {}
        query |= {**(narrowed or {}), **_including(include)}
        async for raw in self._raw({**query, "status": ",".join(lifecycle)}):
            record = parse(self.spec.model, raw)
            if record.lifecycle in lifecycle and (raw.get("updated_at") or 0) >= since:
                yield record

    async def find(self, field: str, value: str, *, include: Collection[str] = ()) -> Sequence[T]:
        """Records whose field is exactly that. The filter only narrows: it may be LIKE, and be ignored (section 4)."""
        if field not in self.spec.filters:
            raise Unsupported(self.spec.path, f"{LABEL} cannot be searched for {field}")
        if not value:
            return []  # an empty filter returns everything
        query = {self.spec.filters[field]: value, "status": ",".join(ALIVE), **_including(include)}
        found = [raw async for raw in self._raw(query) if str(raw.get(field) or "") == value]
        return [parse(self.spec.model, raw) for raw in found]

    async def get(self, id_: str, *, include: Collection[str] = ()) -> T:
        return self._one(await self._read(id_, _including(include)), id_)

    async def create(self, values: Mapping[str, Any]) -> T:
        """Raises Duplicate where its number is taken. A write whose answer was lost is looked up by its number."""
        body = self.spec.creating(values)
        number = str(body.get("number") or "")
        try:
            return self._one(await self._write("POST", f"/{self.spec.path}", body, self.spec.silence))
        except AnswerLost:
            # A race for a number ends in 500 for its losers: section 5.
            if ours := [each for each in await self._numbered(number) if _same_owner(each, body)]:
                return ours[0]
            raise
        except Rejected as refusal:
            clash = "number" in refusal.fields or refusal.status == httpx.codes.CONFLICT
            if clash and (taken := await self._numbered(number)):
                raise Duplicate(refusal.reason, refusal.status, refusal.fields, existing=taken[0].id) from refusal
            raise

    async def update(
        self,
        id_: str,
        values: Mapping[str, Any],
        *,
        dropped: Collection[str] = (),
        current: Mapping[str, Any] | None = None,
    ) -> T:
        """Read, merge, write: only what is in `values` changes. `dropped` are ids of contacts to delete.

        Line items are the exception, for they have no ids: given ones replace all others. `current`: the record as
        just read, which saves reading it again.
        """
        if current is None:
            current = {}
            if self.spec.sends_back or self.spec.merged:
                current = self._data(await self._read(id_))
        body = self.spec.updating(current, values, dropped)
        return self._one(await self._write("PUT", self._path(id_), body), id_)

    async def delete(self, id_: str) -> None:
        """It can be restored, but for tokens."""
        if self.spec.deletes_in_bulk:
            (await self.bulk("delete", [id_])).demand_all()
            return
        record = self._one(await self._write("DELETE", self._path(id_)), id_)
        if record.lifecycle == "active":
            raise Forbidden(f"{LABEL} answered, but did not delete {id_}")

    async def bulk(self, action: str, ids: Collection[str]) -> Bulk[T]:
        """An action that writes to nobody, on at most 5000. A second one of its kind must wait for a second: Wait."""
        if action in self.spec.emailing:
            raise Unsupported(self.spec.path, f"“{action}” may write to the customer: see emails.py")
        return await self._bulk(action, ids)

    async def _bulk(self, action: str, ids: Collection[str]) -> Bulk[T]:
        reached = {**self.spec.actions, **self.spec.emailing}.get(action)
        if reached is None:
            # The product would answer 200 to a word that it does not know, and do nothing: section 5.
            raise Unsupported(self.spec.path, f"{LABEL} does not know “{action}” here")
        if not ids:
            return Bulk([], [], [])
        body = await self._acted(action, ids)
        rows, _ = _page(body)
        records = {record.id: record for record in (parse(self.spec.model, row) for row in rows) if record.id in ids}
        return Bulk(
            done=[record for record in records.values() if reached(record)],
            undone=[record for record in records.values() if not reached(record)],
            missing=[id_ for id_ in ids if id_ not in records],
        )

    async def _acted(self, action: str, ids: Collection[str]) -> Any:
        # The answer is paged like any list, so that all of it must be asked for.
        params = {"per_page": str(max(len(ids), 1))}
        try:
            return await self._write("POST", f"/{self.spec.path}/bulk", {"action": action, "ids": list(ids)}, params)
        except Rejected as refusal:
            if "ids" in refusal.fields:
                raise Gone(f"{LABEL} has no such record any more") from refusal
            raise

    async def upload(self, id_: str, name: str, content: bytes, kind: str, *, customer_may_see: bool) -> T:
        """Keep a file with a record. A public one is shown in the customer's portal."""
        if not self.spec.has_documents:
            raise Unsupported(self.spec.path, f"{LABEL} keeps no files with it")
        before = len(self._data(await self._read(id_)).get("documents") or ())
        # PHP reads no files from a real PUT.
        form = {"_method": "PUT", "is_public": "1" if customer_may_see else "0"}
        upload = self.wire.upload(f"{self._path(id_)}/upload", form, [("documents[]", (name, content, kind))])
        body = await self._checked(upload)
        if len(self._data(body).get("documents") or ()) <= before:
            raise Rejected(f"{LABEL} answered, but keeps no new file: its plan or its settings may not allow it")
        return self._one(body, id_)

    async def _numbered(self, number: str) -> Sequence[T]:
        return await self.find("number", number) if "number" in self.spec.filters else []

    def _raw(self, query: Mapping[str, str]) -> AsyncIterator[Mapping[str, Any]]:
        async def ask(number: int) -> tuple[Sequence[Mapping[str, Any]], int]:
            if number > MAX_PAGES:
                raise Rejected(f"more than {PER_PAGE * MAX_PAGES} of {self.spec.path}: too many to go through")
            params = {**query, "sort": "id|asc", "per_page": str(PER_PAGE), "page": str(number)}
            return _page(await self._checked(self.wire.get(f"/{self.spec.path}", params)))

        return each_of(ask, lambda row: str(row.get("id")), self.spec.path)

    async def _read(self, id_: str, params: Mapping[str, str] | None = None) -> Any:
        return await self._checked(self.wire.get(self._path(id_), params or None))

    async def _write(self, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None) -> Any:
        return await self._checked(self.wire.write(method, path, body, params))

    async def _checked(self, call: Awaitable[Answer]) -> Answer:
        """Names what only some versions have, and the guard against double clicks."""
        try:
            return await call
        except DoubleClick as refusal:
            raise Wait(1, "double click") from refusal
        except Rejected as refusal:
            if self.spec.since and refusal.status in _NO_ROUTE:
                await self.wire.get("/ping")  # if this fails as well, it is not about the version
                reason = f"{LABEL} has it since {self.spec.since}, and this server has not"
                raise Unsupported(self.spec.path, reason) from refusal
            raise

    def _path(self, id_: str) -> str:
        """Nothing but an id may become a part of the URL: "" would list all, ".." leave the API."""
        if not _ID.fullmatch(id_):
            raise Gone(f"no record of {LABEL} has such an id")
        return f"/{self.spec.path}/{id_}"

    def _data(self, body: Any) -> Mapping[str, Any]:
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            raise Rejected(f"{LABEL} answers in a form we do not know (data)")
        return data

    def _one(self, body: Any, asked: str = "") -> T:
        record = parse(self.spec.model, self._data(body))
        if asked and record.id != asked:
            raise Rejected(f"{LABEL} was asked for {asked} and answers another one ({record.id})")
        return record


def _including(relations: Collection[str]) -> dict[str, str]:
    return {"include": ",".join(relations)} if relations else {}


def _page(body: Any) -> tuple[Sequence[Mapping[str, Any]], int]:
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Rejected(f"{LABEL} answers in a form we do not know (data)")
    return rows, parse(Meta, body.get("meta")).pagination.total_pages


def _same_owner(record: Entity, body: Mapping[str, Any]) -> bool:
    return all(getattr(record, name, None) == body[name] for name in ("client_id", "vendor_id") if body.get(name))
