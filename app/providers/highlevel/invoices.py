"""The invoices of one HighLevel location. contracts/ghl, section 5; apps/invoices.json.

Nothing here sends an invoice: what we make there stays a draft until a person sends it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from app.errors import AnswerLost, Conflict, Gone, Rejected
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.highlevel import documents
from app.providers.highlevel.replies import ContactReply, reply
from app.providers.highlevel.wire import ID
from app.providers.http import Wire
from app.providers.paging import Page, each_row, since_or_later
from app.sync.canonical import document_of, text_of
from app.sync.documents import Document, Status
from app.sync.money import Money, as_json
from app.sync.objects import InvoiceSettings
from app.sync.records import FieldSpec, Kind, Record, Values, Writable
from app.sync.totals import HIGHLEVEL, totals

PER_PAGE = 100
_CHARGED = ("document", "issued", "due")


class Whose(BaseModel):
    id: str


class Invoice(BaseModel):
    """What it charges is read by `documents`; all of it is kept, to be sent back whole."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    id: str = Field(validation_alias="_id")
    status: str
    currency: str = ""
    total: Decimal
    amount_paid: Decimal = Field(validation_alias="amountPaid")
    live_mode: bool = Field(True, validation_alias="liveMode")
    contact: Whose = Field(validation_alias="contactDetails")
    created_at: datetime | None = Field(None, validation_alias="createdAt")
    updated_at: datetime | None = Field(None, validation_alias="updatedAt")


class InvoicesReply(BaseModel):
    invoices: list[dict[str, Any]]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Invoices(Plain):
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: InvoiceSettings = field(default_factory=InvoiceSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        specs = (
            FieldSpec(name="number", label="Invoice number", writable=Writable.ON_CREATE),
            FieldSpec(name="issued", label="Issue date", kind=Kind.DATE, strict=True),
            FieldSpec(name="due", label="Due date", kind=Kind.DATE, strict=True),
            FieldSpec(name="document", label="Items", kind=Kind.DOCUMENT, required=True, rules=HIGHLEVEL),
            FieldSpec(name="status", label="Draft or sent", writable=Writable.NEVER),
            FieldSpec(name="void", label="Void"),
            FieldSpec(name="total", label="Total", writable=Writable.NEVER),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        return self._read(await self._wire.get(_path(external_id), self._where))

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """All are listed, newest first: the list cannot be asked for what changed.

        One that cannot be read must not hide the others: it comes without values.
        """
        async for each in self._rows({}):
            record = self._read_or_name(each)
            if since_or_later(record, since):
                yield record

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The invoice of this id, or those of the contact with this number."""
        if key.kind is KeyKind.SLOT:
            try:
                return [await self.fetch(key.value)]
            except Gone:
                return []
        if not ID.fullmatch(key.parent):
            return []
        found = [self._read(each) for each in await self._of_contact(key.parent)]
        return [each for each in found if each.values["number"] == key.value and each.parent == key.parent]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        """A draft. Where its sum is not the one that was asked for, to the cent, it is deleted again."""
        if not values.get("document"):
            raise Rejected("an invoice cannot be made without its items: they are missing in the field map")
        wanted = document_of(values["document"])
        whose = await self._whose(parent)
        body = {
            **self._where,
            "name": f"Invoice {values.get('number', '')}".strip(),
            "businessDetails": {},
            "currency": wanted.currency,
            "items": documents.items(wanted),
            "discount": documents.discount(wanted),
            "contactDetails": whose,
            "issueDate": values.get("issued", ""),
            "sentTo": {"email": [whose["email"]]},
            "liveMode": True,
            **({"dueDate": values["due"]} if values.get("due") else {}),
            # Without a prefix of the location's: an invoice whose answer was lost is found by this number.
            **({"invoiceNumber": values["number"], "invoiceNumberPrefix": ""} if values.get("number") else {}),
        }
        made = reply(Invoice, await self._wire.write("POST", "/invoices/", body), failure=AnswerLost)
        if (sum_ := _sum(made, wanted)) != (asked := totals(wanted, HIGHLEVEL).total):
            await self._wire.call("DELETE", _path(made.id), params=self._where, writes=True)
            raise Conflict(f"HighLevel makes {sum_} of what comes to {asked}; the draft was deleted again")
        return await self.fetch(made.id)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """Only a void is a change of state; where new items come to another sum, the old ones are put back."""
        raw = current.raw
        wanted = document_of(values["document"]) if values.get("document") else None
        if wanted or {"issued", "due"} & values.keys():
            items = documents.items(wanted) if wanted else documents.as_sent(raw["invoiceItems"])
            off = documents.discount(wanted) if wanted else raw.get("discount")
            made = await self._put(current, items, off, {**current.values, **values})
            if wanted and (sum_ := _sum(made, wanted)) != (asked := totals(wanted, HIGHLEVEL).total):
                before = documents.as_sent(raw["invoiceItems"])
                await self._put(current, before, raw.get("discount"), current.values)
                raise Conflict(f"HighLevel makes {sum_} of what comes to {asked}; the items before were put back")
        if values.get("void") and not current.values["void"]:
            await self._wire.write("POST", f"{_path(current.id)}/void", dict(self._where))
        return await self.fetch(current.id)

    async def _put(self, current: Record, items: Any, off: Any, values: Values) -> Invoice:
        body = {
            **self._where,
            **{name: current.raw[name] for name in ("name", "currency")},
            "invoiceItems": _plain(items),
            "issueDate": values["issued"],
            "dueDate": values["due"] or values["issued"],
            **({"discount": _plain(off)} if off else {}),
        }
        return reply(Invoice, await self._wire.write("PUT", _path(current.id), body), failure=AnswerLost)

    async def _whose(self, contact_id: str) -> dict[str, str]:
        """HighLevel makes no invoice for a contact without an e-mail or a phone (highlevel-api-docs#16)."""
        contact = reply(ContactReply, await self._wire.get(f"/contacts/{contact_id}")).contact
        names = (contact.get("firstName"), contact.get("lastName"))
        name = " ".join(each for each in names if each) or contact.get("companyName") or contact.get("email")
        details = {"id": contact_id, "name": name, "email": contact.get("email"), "phoneNo": contact.get("phone")}
        if missing := [word for word, key in (("e-mail", "email"), ("phone", "phoneNo")) if not details[key]]:
            raise Rejected(f"HighLevel makes no invoice for a contact with no {' and no '.join(missing)}: enter it")
        return {key: str(value) for key, value in details.items()}

    async def _of_contact(self, contact_id: str) -> Sequence[Mapping[str, Any]]:
        return [each async for each in self._rows({"contactId": contact_id})]

    def _rows(self, narrowed: Mapping[str, str]) -> AsyncIterator[Mapping[str, Any]]:
        async def ask(skip: int) -> Page[dict[str, Any]]:
            params = {**self._where, **narrowed, "limit": str(PER_PAGE), "offset": str(skip)}
            found = reply(InvoicesReply, await self._wire.get("/invoices/", params))
            return Page(found.invoices, found.total)

        return each_row(ask, lambda each: str(each["_id"]), size=PER_PAGE, what="HighLevel's invoices")

    @property
    def _wire(self) -> Wire:
        return replace(self.wire, parse_float=Decimal)

    @property
    def _where(self) -> Mapping[str, str]:
        return {"altId": self.location_id, "altType": "location"}

    def _read(self, raw: Mapping[str, Any]) -> Record:
        invoice = reply(Invoice, raw)
        document = self._document(raw)
        draft = document.status is Status.DRAFT and not self.settings.drafts
        test = not invoice.live_mode and not self.settings.test_mode
        return Record(
            id=invoice.id,
            parent=invoice.contact.id,
            values={
                "number": document.number,
                "issued": document.issued.isoformat(),
                "due": document.due.isoformat() if document.due else "",
                "document": text_of(document),
                "status": "draft" if document.status is Status.DRAFT else "sent",
                "void": "yes" if document.status is Status.VOID else "",
                "total": str(document.stated),
            },
            created_at=invoice.created_at,
            updated_at=invoice.updated_at,
            aside="It is one of HighLevel's test mode." if test else "It is a draft." if draft else "",
            locked=_locked(document),
            raw=dict(raw),
        )

    def _read_or_name(self, raw: Mapping[str, Any]) -> Record:
        try:
            return self._read(raw)
        except Rejected:
            return Record(id=str(raw["_id"]), values={})

    def _document(self, raw: Mapping[str, Any]) -> Document:
        try:
            return documents.read(raw, ZoneInfo(self.data.get("timezone") or "UTC"))
        except (KeyError, TypeError, ValueError) as error:
            raise Rejected(f"HighLevel's invoice cannot be read: {error}") from error


def _sum(made: Invoice, wanted: Document) -> Money:
    return Money.parse(made.total, wanted.currency)


def _locked(document: Document) -> Mapping[str, str]:
    """What people have done with it that must not be undone behind their backs."""
    if document.paid.amount:
        return dict.fromkeys((*_CHARGED, "void"), f"{document.paid} of it is paid in HighLevel: change it there")
    if document.status is Status.VOID:
        return dict.fromkeys((*_CHARGED, "void"), "it is void in HighLevel")
    if document.status is not Status.DRAFT:
        return dict.fromkeys(_CHARGED, "it was sent to the customer from HighLevel: change it there by hand")
    return {}


def _plain(value: Any) -> Any:
    """What was read with exact numbers, as it can be sent."""
    if isinstance(value, Decimal):
        return as_json(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _path(invoice_id: str) -> str:
    if not ID.fullmatch(invoice_id):
        raise Gone(f"“{invoice_id[:80]}” is not the id of a HighLevel invoice")
    return f"/invoices/{invoice_id}"
