"""What browsers are told, and the page that describes the API, which needs nothing from elsewhere."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import httpx
import pytest

from app.main import build, web_app
from app.settings import Settings
from tests.conftest import ADMIN_TOKEN, serving


@asynccontextmanager
async def visited(settings: Settings, database: str) -> AsyncIterator[httpx.AsyncClient]:
    service = build(settings, database)
    async with (
        serving(service, worker=False) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as browser,
    ):
        yield browser


@pytest.fixture
async def browser(settings: Settings, database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with visited(settings, database) as browser:
        yield browser


PAGES = (
    "/docs",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/links",
    "/nowhere",
    "/api/v1/nowhere",
    "/",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("token", ["", f"Bearer {ADMIN_TOKEN}"])
async def test_every_page_and_answer_is_protected(browser: httpx.AsyncClient, path: str, token: str) -> None:
    headers = (await browser.get(path, headers={"Authorization": token})).headers
    policy = headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert re.match(r"default-src '(self|none)';", policy[0])
    for part in ("form-action 'self'", "frame-ancestors 'none';", "base-uri 'none';"):
        assert part in policy[0]
    live = path == "/" and token != ""  # a page of the dashboard: Vue makes functions of templates
    assert ("unsafe-inline" in policy[0]) == (path == "/docs" or live)
    assert ("unsafe-eval" in policy[0]) == live
    assert ("script-src 'self' 'unsafe" in policy[0]) == live
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


async def test_an_error_of_our_own_is_protected_too(settings: Settings, database: str) -> None:
    service = build(settings, database)
    application = web_app(service, None)

    @application.get("/bug")
    async def bug() -> None:
        raise ValueError

    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as browser:
        answer = await browser.get("/bug")
    assert answer.status_code == 500
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    await service.client.aclose()
    await service.db.dispose()


async def test_behind_https_browsers_are_told_to_stay_there(settings: Settings, database: str) -> None:
    public = settings.model_copy(update={"public_url": "https://sync.example.com"})
    async with visited(public, database) as browser:
        for path in PAGES:
            assert (await browser.get(path)).headers["strict-transport-security"] == "max-age=31536000"


async def test_webhooks_are_answered_without_the_headers_for_browsers(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/webhooks/highlevel", content=b"{}")
    assert answer.status_code == 401
    assert not {"content-security-policy", "cache-control", "permissions-policy"} & answer.headers.keys()


async def test_the_description_of_the_api_needs_nothing_from_elsewhere(browser: httpx.AsyncClient) -> None:
    answer = (await browser.get("/docs")).raise_for_status()
    assert "http" not in re.sub(r"http-equiv", "", answer.text)
    policy = answer.headers["content-security-policy"]
    inside = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert len(inside) == 1
    assert f"'sha256-{b64encode(sha256(inside[0].encode()).digest()).decode()}'" in policy
    needed = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert len(needed) == 3
    for path in needed:
        asset = (await browser.get(path)).raise_for_status()
        assert len(asset.content) > 1000
        assert asset.headers["x-content-type-options"] == "nosniff"
        assert asset.headers.get("cache-control") != "no-store"
        kind = {"js": "javascript", "ss": "text/css", "ng": "image/png"}[path[-2:]]
        assert kind in asset.headers["content-type"]
    assert "url: '/openapi.json'" in inside[0]


async def test_only_the_assets_are_served(browser: httpx.AsyncClient) -> None:
    for path in ("/docs/assets/../core.py", "/docs/assets/%2e%2e/core.py", "/docs/assets", "/docs/assets/", "/redoc"):
        assert (await browser.get(path)).status_code == 404
