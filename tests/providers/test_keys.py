"""Calls with an OAuth token: what a refused one leads to."""

import json
from dataclasses import dataclass, field

import httpx
import pytest

from app.errors import Forbidden, Reconnect
from app.providers.base import OpenGate
from app.providers.highlevel.wire import HighLevelDialect
from app.providers.http import Wire

BAD_TOKEN = {"statusCode": 401, "message": "Invalid JWT"}
NO_SCOPE = {"statusCode": 401, "message": "The token is not authorized for this scope."}


@dataclass
class Ring:
    """Hands out `token 1`, and after each refusal the next one."""

    number: int = 1
    refused: list[str] = field(default_factory=list)

    async def current(self) -> str:
        return f"token {self.number}"

    async def renewed(self, refused: str) -> str:
        self.refused.append(refused)
        self.number += 1
        return f"token {self.number}"


@dataclass
class Vendor:
    """Lets in who has `good`; to others it says `says`."""

    good: str
    says: dict[str, object]
    heard: list[tuple[str, str, bytes]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append((request.method, request.headers["Authorization"], request.content))
        let_in = request.headers["Authorization"] == f"Bearer {self.good}"
        return httpx.Response(200, json={"ok": True}) if let_in else httpx.Response(401, json=self.says)


def wire(vendor: Vendor, keys: Ring) -> Wire:
    client = httpx.AsyncClient(transport=httpx.MockTransport(vendor))
    return Wire(client, "https://vendor.example", HighLevelDialect(""), OpenGate(), keys)


async def test_a_token_that_is_refused_is_renewed_and_the_same_call_made_once_more() -> None:
    vendor, keys = Vendor("token 2", BAD_TOKEN), Ring()
    assert await wire(vendor, keys).write("PUT", "/contacts/1", {"name": "Jane"}) == {"ok": True}
    assert keys.refused == ["token 1"]
    body = json.dumps({"name": "Jane"}, separators=(",", ":")).encode()
    assert vendor.heard == [("PUT", "Bearer token 1", body), ("PUT", "Bearer token 2", body)]


async def test_a_new_token_that_is_refused_as_well_is_for_a_person() -> None:
    vendor, keys = Vendor("another", BAD_TOKEN), Ring()
    with pytest.raises(Reconnect):
        await wire(vendor, keys).get("/contacts/1")
    assert len(vendor.heard) == 2


async def test_a_scope_that_is_missing_is_not_mended_by_another_token() -> None:
    vendor, keys = Vendor("another", NO_SCOPE), Ring()
    with pytest.raises(Forbidden):
        await wire(vendor, keys).get("/contacts/1")
    assert keys.refused == []
    assert len(vendor.heard) == 1
