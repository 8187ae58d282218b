"""The customer's side: an invitation's link opens the document, and the company sees that it was viewed."""

from datetime import UTC, datetime

from starlette.responses import Response

from app.sandbox.invoice_ninja.answers import not_found, web_app
from app.sandbox.invoice_ninja.ninja import Call, Ninja

_TABLES = {"invoice": "invoices", "quote": "quotes", "credit": "credits"}


async def view(ninja: Ninja, call: Call) -> Response:
    """No webhook tells of it. An invitation touches its document, so `updated_at` shows it."""
    table = _TABLES.get(call.path["entity"], "invoices")
    for row in ninja.tables[table].rows.values():
        for invitation in row["invitations"]:
            if invitation["key"] == call.path["key"]:
                viewed = datetime.fromtimestamp(ninja.config.clock(), UTC).strftime("%Y-%m-%d %H:%M:%S")
                invitation["viewed_date"] = invitation["viewed_date"] or viewed
                ninja.save(table, row)
                return web_app()
    raise not_found("Invitation")
