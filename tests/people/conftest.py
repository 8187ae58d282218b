"""The web application without vendors, and people who use it."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.main import Service, build, web_app
from app.people import passwords, sessions, tokens, users
from app.people.roles import Principal, Role
from app.settings import Settings
from tests.conftest import ADMIN_TOKEN

PASSWORD = "correct horse battery"
ADDRESS = "192.0.2.7"


@dataclass
class House:
    service: Service
    app: FastAPI
    clients: AsyncExitStack
    hashes: dict[str, str] = field(default_factory=dict)

    async def browser(self, *, address: str = ADDRESS, **headers: str) -> httpx.AsyncClient:
        """Somebody with cookies of their own, at this address."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 4711))
        base = "https://test" if self.service.settings.public_url.startswith("https") else "http://test"
        return await self.clients.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=base, headers=headers)
        )

    async def bearer(self, token: str = ADMIN_TOKEN, **rest: str) -> httpx.AsyncClient:
        return await self.browser(Authorization=f"Bearer {token}", **rest)

    async def user(self, role: Role, email: str = "", password: str = PASSWORD) -> Principal:
        if password not in self.hashes:
            self.hashes[password] = await passwords.hashed(password)
        address = email or f"{role}@example.com"
        async with self.service.engine.begin() as connection:
            id_ = await users.add(connection, address, self.hashes[password], role)
        return Principal(id_, address, role)

    async def token(self, of: Principal, role: Role | None = None, expires_at: datetime | None = None) -> str:
        async with self.service.engine.begin() as connection:
            _, token = await tokens.make(connection, of, name="test", role=role or of.role, expires_at=expires_at)
        return token

    async def session(self, of: Principal) -> str:
        async with self.service.engine.begin() as connection:
            return await sessions.start(connection, of.user_id or 0)

    async def logged_in(self, of: Principal, **rest: str) -> httpx.AsyncClient:
        browser = await self.browser(**rest)
        browser.cookies.set("crossledger", await self.session(of))
        return browser

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        async with self.service.engine.begin() as connection:
            done = await connection.execute(text(statement), values)
            return [tuple(row) for row in done] if done.returns_rows else []


@pytest.fixture
async def house(settings: Settings, database: str) -> AsyncIterator[House]:
    service = build(settings, database)
    async with AsyncExitStack() as clients:
        yield House(service, web_app(service, None), clients)
    await service.client.aclose()
    await service.db.dispose()


def form_token(page: httpx.Response) -> str:
    """What the forms on a page send back."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found.group(1)


async def log_in(
    browser: httpx.AsyncClient, email: str, password: str = PASSWORD, next_path: str = "/"
) -> httpx.Response:
    """As a person does: load the page, fill in the form."""
    page = await browser.get("/login", params={"next": next_path})
    said = re.search(r'name="next" value="([^"]*)"', page.text)
    assert said
    body = {"csrf_token": form_token(page), "next": said.group(1), "email": email, "password": password}
    return await browser.post("/login", data=body)
