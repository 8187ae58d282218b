"""Answers and deliveries in HighLevel's documented shapes, with values of our own, and an account to use them on."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from app.providers.highlevel.contacts import Contacts
from app.providers.highlevel.wire import BASE_URL, HighLevelDialect
from app.providers.http import Wire
from tests.providers.highlevel import openapi

FIXTURES = Path(__file__).parent / "fixtures"
LOCATION = "LocNorthQuay00000001"
CONTACT = "ConMiraAndersen00001"
APP = "aa11bb22cc33dd44ee55ff66"
TOKEN = "pit-not-a-real-token"
NOW = datetime(2026, 3, 2, 9, 16, 0, tzinfo=UTC)
"""A minute after the recorded contact was made."""

DATA: Mapping[str, Any] = {
    "custom_fields": [
        {"id": "CufVatNumber00000001", "key": "contact.vat_number", "label": "VAT number", "type": "TEXT"},
        {"id": "CufInvoiceMail000001", "key": "contact.invoice_email", "label": "Invoice e-mail", "type": "EMAIL"},
        {"id": "CufShoeSize000000001", "key": "contact.shoe_size", "label": "Shoe size", "type": "NUMERICAL"},
    ]
}


class CountingGate:
    """Lets every call pass, and remembers which wrote and for how long the vendor closed it."""

    def __init__(self) -> None:
        self.connection_id = 7
        self.passed: list[bool] = []
        self.closed: list[float] = []
        self.left: list[int] = []

    async def pass_(self, *, writes: bool) -> None:
        self.passed.append(writes)

    async def close(self, seconds: float) -> None:
        self.closed.append(seconds)

    def heard(self, left_today: int) -> None:
        self.left.append(left_today)


def load(case: str) -> Any:
    return json.loads(raw(case))


def raw(case: str) -> bytes:
    return (FIXTURES / f"{case}.json").read_bytes()


def answer(case: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=raw(case), headers={"content-type": "application/json"})


def account(client: httpx.AsyncClient, gate: CountingGate | None = None) -> Contacts:
    wire = Wire(client, BASE_URL, HighLevelDialect(TOKEN), gate or CountingGate())
    return Contacts(wire, LOCATION, DATA, clock=lambda: NOW)


def check_documented(request: httpx.Request) -> None:
    """Raises AssertionError unless HighLevel documents such a request; passes where its documents are missing."""
    if openapi.available():
        url = request.url
        openapi.check_request(request.method, url.path, dict(url.params), dict(request.headers), request.content)


def sent(request: httpx.Request) -> Any:
    return json.loads(request.content)
