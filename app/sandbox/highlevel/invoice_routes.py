"""The routes of apps/invoices.json, and the transactions of apps/payments.json that their payments leave."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel import invoices
from app.sandbox.highlevel.dto import (
    Dto,
    asked,
    flag,
    instant,
    mapping,
    mentions,
    nested,
    number,
    one_of,
    page,
    text,
    texts,
)
from app.sandbox.highlevel.errors import bad_request, unprocessable
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import Location, iso
from app.sandbox.highlevel.tables import Row, Table
from app.sandbox.highlevel.tokens import Owner

Answer = tuple[int, dict[str, Any]]

_WHERE = {"altId": text, "altType": one_of("location")}
VOID = Dto(fields=_WHERE, required=("altId", "altType"))
SEND = Dto(
    fields={
        **_WHERE,
        "userId": text,
        "action": one_of(*invoices.ACTIONS),
        "liveMode": flag,
        "sentFrom": mapping,
        "autoPayment": mapping,
    },
    required=("altId", "altType", "userId", "action", "liveMode"),
)
PAYMENT = Dto(
    fields={
        **_WHERE,
        "mode": one_of(*invoices.MODES),
        "card": nested(Dto(fields={"brand": text, "last4": text}, required=("brand", "last4"))),
        "cheque": nested(Dto(fields={"number": text}, required=("number",))),
        "notes": text,
        "amount": number,
        "meta": mapping,
        "paymentScheduleIds": texts,
        "fulfilledAt": instant,
    },
    required=("altId", "altType", "mode", "card", "cheque", "notes"),
)


def routes(sandbox: Sandbox) -> list[Route]:
    read = partial(endpoint, sandbox, "invoices.readonly")
    write = partial(endpoint, sandbox, "invoices.write")
    payments = partial(endpoint, sandbox, "payments/transactions.readonly")
    one = "/invoices/{invoice_id}"
    return [
        Route("/invoices/", read(_list), methods=["GET"]),
        Route("/invoices/", write(_create), methods=["POST"]),
        Route("/invoices/generate-invoice-number", read(_number), methods=["GET"]),
        Route(one, read(_get), methods=["GET"]),
        Route(one, write(_update), methods=["PUT"]),
        Route(one, write(_delete), methods=["DELETE"]),
        Route(f"{one}/send", write(_send), methods=["POST"]),
        Route(f"{one}/void", write(_void), methods=["POST"]),
        Route(f"{one}/record-payment", write(_record_payment), methods=["POST"]),
        Route("/payments/transactions", payments(_transactions), methods=["GET"]),
        Route("/payments/transactions/{transaction_id}", payments(_transaction), methods=["GET"]),
    ]


def _place(sandbox: Sandbox, owner: Owner, given: Mapping[str, str]) -> Location:
    where = asked(given, "altId", "altType")
    if where["altType"] != "location":
        raise unprocessable(["altType must be one of the following values: location"])
    return sandbox.location(owner, where["altId"])


def _one(sandbox: Sandbox, request: Request, owner: Owner, given: Mapping[str, str]) -> Row:
    return _of(sandbox, owner, given, sandbox.tables.invoices, request.path_params["invoice_id"], "Invoice")


def _of(sandbox: Sandbox, owner: Owner, given: Mapping[str, str], table: Table, row_id: str, what: str) -> Row:
    location = _place(sandbox, owner, given)
    row = sandbox.row(owner, table, row_id, what)
    if row.location_id != location.id:
        raise bad_request(f"{what} not found in this location.")
    return row


async def _list(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """limit and offset have no default (contracts/ghl, section 4). Newest first."""
    query = request.query_params
    location = _place(sandbox, owner, query)
    asked(query, "limit", "offset")
    found = [invoices.shown(each) for each in sandbox.tables.invoices.of(location.id)]
    found = [each for each in found if _fits(each, query)][::-1]
    if query.get("sortField") == "issueDate":
        found.sort(key=lambda each: str(each["issueDate"]), reverse=query.get("sortOrder") == "descend")
    return 200, {"invoices": found[page(query, skip="offset", default=0)], "total": len(found)}


def _fits(invoice: dict[str, Any], query: Mapping[str, str]) -> bool:
    contact = invoice["contactDetails"]
    return (
        query.get("status", invoice["status"]) == invoice["status"]
        and query.get("contactId", contact["id"]) == contact["id"]
        and query.get("startAt", "") <= invoice["issueDate"] <= query.get("endAt", "9999")
        and mentions(query.get("search", ""), (invoice["name"], invoice["invoiceNumber"], contact["name"]))
    )


async def _create(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = invoices.CREATE.parse(await json_body(request))
    location = _place(sandbox, owner, values)
    contact = sandbox.contact(owner, values["contactDetails"]["id"])
    if contact.location_id != location.id:
        raise bad_request("The contact is in another location.")
    return 200, invoices.written(invoices.make(sandbox, location.id, _without_where(values)))


def _without_where(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _WHERE}


async def _number(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    location = _place(sandbox, owner, request.query_params)
    return 200, {"invoiceNumber": invoices.next_number(sandbox, location.id)}


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, invoices.shown(_one(sandbox, request, owner, request.query_params))


async def _update(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = invoices.UPDATE.parse(await json_body(request))
    invoice = _one(sandbox, request, owner, values)
    return 200, invoices.written(invoices.change(sandbox, invoice, _without_where(values)))


async def _delete(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    invoice = _one(sandbox, request, owner, request.query_params)
    invoices.remove(sandbox, invoice)
    return 200, invoices.written(invoice)


async def _send(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = SEND.parse(await json_body(request))
    invoice = _one(sandbox, request, owner, values)
    if values["userId"] not in sandbox.tables.users:
        raise bad_request("The user is not authorized to access this location.")
    invoices.send(sandbox, invoice, values["action"])
    return 200, {"invoice": invoices.written(invoice), "smsData": {}, "emailData": {}}


async def _void(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    invoice = _one(sandbox, request, owner, VOID.parse(await json_body(request)))
    invoices.void(sandbox, invoice)
    return 200, invoices.written(invoice)


async def _record_payment(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """card and cheque are asked for whatever the mode is, as the spec has it."""
    values = PAYMENT.parse(await json_body(request))
    invoice = _one(sandbox, request, owner, values)
    invoices.pay(sandbox, invoice, values.get("amount"), values["mode"])
    return 200, {"success": True, "invoice": invoices.written(invoice)}


async def act(sandbox: Sandbox, request: Request) -> Any:
    """A person's: `/_control/invoices/{id}/pay` (`{"amount", "mode"}`), `/send` (`{"action"}`) and `/void`."""
    invoice = sandbox.tables.invoices[request.path_params["invoice_id"]]
    body = await json_body(request) if await request.body() else {}
    match request.path_params["act"]:
        case "pay":
            invoices.pay(sandbox, invoice, body.get("amount"), body.get("mode", "stripe"))
        case "send":
            invoices.send(sandbox, invoice, body.get("action", "email"))
        case "void":
            invoices.void(sandbox, invoice)
        case unknown:
            raise ValueError(f"nobody can {unknown} an invoice")
    return invoices.shown(invoice)


async def mails(sandbox: Sandbox, request: Request) -> Any:
    return {"count": len(sandbox.tables.mails), "mails": sandbox.tables.mails}


def _payment(transaction: Row) -> dict[str, Any]:
    at = iso(transaction.added)
    where = {"_id": transaction.id, "altId": transaction.location_id, "altType": "location"}
    return {**where, **transaction.values, "amountRefunded": 0, "createdAt": at, "updatedAt": at}


async def _transactions(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    query = request.query_params
    location = _place(sandbox, owner, query)
    wanted = {name: query[name] for name in ("contactId", "entityId") if query.get(name)}
    found = [
        {**_payment(each), "entitySourceType": "invoice", "fulfilledAt": iso(each.added)}
        for each in sandbox.tables.transactions.of(location.id, **wanted)
    ]
    return 200, {"data": found[page(query, skip="offset", default=10)], "totalCount": len(found)}


async def _transaction(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    transaction_id = request.path_params["transaction_id"]
    row = _of(sandbox, owner, request.query_params, sandbox.tables.transactions, transaction_id, "Transaction")
    hidden = ("contactName", "contactEmail", "paymentProviderType")
    body = {name: value for name, value in _payment(row).items() if name not in hidden}
    invoice = row.values["entityId"]
    return 200, {**body, "invoiceId": invoice, "entitySource": {"type": "invoice", "id": invoice}}
