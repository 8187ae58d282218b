from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import pytest
import respx

from app.providers.addresses import Reach
from app.providers.base import Access
from app.providers.client import make_client
from app.providers.invoice_ninja.clients import Clients
from app.providers.invoice_ninja.provider import InvoiceNinja

BASE = "https://ninja.example"
DATA: Mapping[str, Any] = {
    "countries": {"276": "DE", "826": "GB", "840": "US"},
    "groups": {"g1": "Gold", "g2": "Silver"},
    "slot_field": "custom_value1",
}


class OpenGate:
    connection_id: int = 7

    def __init__(self) -> None:
        self.closed_for: list[float] = []

    async def pass_(self, *, writes: bool) -> None:
        pass

    async def close(self, seconds: float) -> None:
        self.closed_for.append(seconds)

    def heard(self, left_today: int) -> None:
        raise AssertionError("it does not say how much is left of its day")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(Reach.PRIVATE_TOO) as client:
        yield client


@pytest.fixture
def ninja() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=f"{BASE}/api/v1") as router:
        yield router


@pytest.fixture
def access() -> Access:
    return Access(base_url=BASE, account_id="key", secrets={"api_token": "t0ken"}, data=DATA)


@pytest.fixture
def account(access: Access, http: httpx.AsyncClient) -> Clients:
    account = InvoiceNinja().open(access, OpenGate(), http)
    return Clients(account.wire, account.data)
