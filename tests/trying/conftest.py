"""The service as it is delivered, next to nothing connected: whoever tries it presses one button."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.main import Service, build
from app.providers.client import trusted
from app.settings import Settings
from tests.conftest import ADMIN_TOKEN, serving, until
from tests.ports import free_port


@dataclass
class House:
    service: Service
    admin: httpx.AsyncClient

    @property
    def url(self) -> str:
        return self.service.settings.local_url

    async def begin(self) -> dict[str, Any]:
        answer = await self.admin.post("/api/v1/sandbox")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def show(self) -> dict[str, Any]:
        return dict((await self.admin.get("/api/v1/sandbox")).raise_for_status().json())

    async def people(self) -> list[dict[str, Any]]:
        return list((await self.admin.get("/api/v1/sandbox/people")).raise_for_status().json()["items"])

    async def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return list((await self.admin.get(f"/api/v1/{path}", params=params)).raise_for_status().json()["items"])

    async def in_step(self) -> list[dict[str, Any]]:
        """Wait until everybody is on both sides, alike; returns them."""

        async def alike() -> list[dict[str, Any]]:
            found = await self.people()
            waiting = (await self.show())["waiting"]
            good = all(each["crm"] and each["billing"] and each["state"] == "ok" for each in found)
            return found if good and not any(waiting.values()) else []

        return list(await until(alike, 30, "the sandbox is not in step"))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As in a fresh installation: no address of this machine is called. The sandbox calls our own port."""
    port = free_port()
    return settings.model_copy(
        update={"allow_private_addresses": False, "port": port, "public_url": f"http://127.0.0.1:{port}"}
    )


@pytest.fixture
async def house(settings: Settings, database: str) -> AsyncIterator[House]:
    service = build(settings, database)
    async with serving(service) as url, _admin(url) as admin:
        yield House(service, admin)


def _admin(url: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False, verify=trusted())
