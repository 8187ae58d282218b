"""Documents kept with a record, and a client's statement: read in the product's code, never run (section 10)."""

import hashlib

from starlette.responses import Response

from app.sandbox.invoice_ninja.answers import NOT_SUPPORTED, ApiError, InvalidError, answer, data
from app.sandbox.invoice_ninja.bodies import flag, text
from app.sandbox.invoice_ninja.lists import page
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, shown
from app.sandbox.invoice_ninja.resources import Handler, Kind, row_of


def upload(kind: Kind) -> Handler:
    """The route is a PUT; PHP reads files from a POST only, so that a form says `_method=PUT`."""

    async def handle(ninja: Ninja, call: Call) -> Response:
        if text(call.body.get("_method")).upper() != "PUT":
            raise ApiError(404, {"message": NOT_SUPPORTED})
        row = row_of(ninja, kind, call.path["id"])
        kind.require(ninja, call, "edit")
        for name, content, media_type in call.body.get("documents") or ():
            document = {"user_id": ME, "name": name, "type": media_type.rpartition("/")[2], "size": len(content)}
            document |= {"hash": hashlib.sha256(content).hexdigest(), "url": ""}
            document |= {"is_public": flag(call.body.get("is_public", "1"))}
            row["documents"] = [*row["documents"], ninja.insert("documents", document)]
        ninja.save(kind.path, row)
        return data(kind.present(ninja, row, []))

    return handle


async def list_documents(ninja: Ninja, call: Call) -> Response:
    rows, meta = page(list(ninja.tables["documents"].rows.values()), call.query, f"{call.base_url}/api/v1/documents")
    return answer({"data": [shown(row) for row in rows], "meta": meta})


async def statement(ninja: Ninja, call: Call) -> Response:
    missing = [name for name in ("client_id", "start_date", "end_date") if not call.input(name)]
    if missing:
        raise InvalidError({name: [f"The {name.replace('_', ' ')} field is required."] for name in missing})
    client = ninja.tables["clients"].rows.get(text(call.input("client_id")))
    if client is None:
        raise InvalidError({"client_id": ["The selected client id is invalid."]})
    if str(call.input("send_email")).lower() == "true":
        ninja.note_email("statement", client["id"])
        return answer({"message": "email queued"})
    return Response(b"%PDF-1.4\n%%EOF\n", media_type="application/pdf")
