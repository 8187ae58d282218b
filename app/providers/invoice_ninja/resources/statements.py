"""The fixed tables, and a client's statement."""

from datetime import date
from typing import Any

from pydantic import Field

from app.providers.http import Wire
from app.providers.invoice_ninja.resources.values import Answered, Text
from app.providers.invoice_ninja.wire import parse


class Static(Answered):
    """A row of a fixed table. Its id is a number, sent as a string."""

    id: str = Field(min_length=1)
    name: Text = ""


class Country(Static):
    iso_3166_2: Text = ""
    iso_3166_3: Text = ""
    currency_code: Text = ""


class Currency(Static):
    code: Text = ""
    precision: int = 2


class Statics(Answered):
    countries: tuple[Country, ...]
    currencies: tuple[Currency, ...]
    languages: tuple[Static, ...] = ()
    industries: tuple[Static, ...] = ()
    sizes: tuple[Static, ...] = ()
    payment_types: tuple[Static, ...] = ()
    timezones: tuple[Static, ...] = ()
    date_formats: tuple[dict[str, Any], ...] = ()


async def statics(wire: Wire) -> Statics:
    return parse(Statics, await wire.get("/statics"))


async def statement(wire: Wire, client_id: str, start: date, end: date) -> bytes:
    """A client's statement as a PDF; it is sent to nobody. Read in the product's code, not recorded: section 10."""
    body = {
        "client_id": client_id,
        "start_date": start.isoformat(),
        "end_date": end.isoformat(),
        "show_payments_table": True,
        "show_aging_table": True,
    }
    return await wire.file("/client_statement", body, "application/pdf")
