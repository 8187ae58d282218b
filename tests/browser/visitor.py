"""Somebody in front of a browser: headless Chromium, which reaches nothing but this machine, and what they do in it.

Without playwright or Chromium these tests are skipped; CROSSLEDGER_TEST_BROWSER=required makes that a failure.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import urlsplit

import psycopg
import pytest

from app.sandbox.highlevel.config import Config
from tests.flows.driver import Site, installed


def _give_up(reason: str) -> NoReturn:
    if os.environ.get("CROSSLEDGER_TEST_BROWSER") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)


try:
    from axe_playwright_python.async_playwright import Axe
    from playwright.async_api import (
        Browser,
        ConsoleMessage,
        Locator,
        Page,
        Response,
        WebSocketRoute,
        async_playwright,
        expect,
    )
except ModuleNotFoundError:
    _give_up("the tests in a browser need playwright and axe-core, which are in the extra `dev`")

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None) or _give_up(
    "the tests in a browser need Chromium: apt-get install chromium"
)

__all__ = [
    "PASSWORD",
    "Browser",
    "Locator",
    "Page",
    "Visitor",
    "chromium",
    "empty_site",
    "expect",
    "setup_link",
    "visiting",
]

LOOPBACK = "127.0.0.1"
PASSWORD = "correct horse battery staple"
_ARGUMENTS = [
    "--no-proxy-server",
    # What a page asked for elsewhere would fail, and be noticed; so would Chromium's own calls home.
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
# A refusal of ours is a page with a status of its own, which Chromium puts into the console as well.
_A_STATUS = re.compile(r"Failed to load resource: the server responded with a status of \d+")

expect.set_options(timeout=30_000)


@dataclass
class Visitor:
    """`requests` is each address that was asked for; `complaints`, what the browser did not like."""

    page: Page
    site: Site
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        context = self.page.context
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("response", self._answered)
        # What is still loading when the page is left is cancelled by the browser itself.
        context.on("requestfailed", lambda request: self._failed(request.url, str(request.failure)))
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _failed(self, url: str, failure: str) -> None:
        if not (failure == "net::ERR_ABORTED" and (url.endswith("/icon.svg") or "/_nicegui/" in url)):
            self.complaints.append(f"{url}: {failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self.complaints.append(f"{response.url}: {response.status}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _A_STATUS.match(message.text):
            self.complaints.append(message.text)

    def content(self) -> None:
        """Nothing was asked of another machine, and nothing was blocked, missing or broken."""
        assert self.requests
        elsewhere = [url for url in self.requests if not url.startswith("data:") and urlsplit(url).hostname != LOOPBACK]
        assert not elsewhere, elsewhere
        assert not self.complaints, self.complaints

    async def is_usable_by_everybody(self) -> None:
        """axe-core finds nothing serious: contrast, labels, roles, what a screen reader needs."""
        found = (await Axe().run(self.page)).response["violations"]
        serious = [
            (each["id"], [node["html"] for node in each["nodes"]])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert not serious, (self.page.url, serious)

    async def open(self, path: str) -> None:
        await self.page.goto(self.site.url + path)

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def follow(self, name: str) -> None:
        await self.page.get_by_role("link", name=name, exact=True).click()

    async def fill_in(self, **fields: str) -> None:
        """By the id of the field."""
        for id_, value in fields.items():
            await self.page.locator(f"#{id_}").fill(value)

    async def sees(self, heading: str) -> None:
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    async def is_told(self, *words: str) -> None:
        """In the page's error."""
        for each in words:
            await expect(self.page.get_by_role("alert")).to_contain_text(each)

    async def sees_row(self, name: str, *cells: str) -> None:
        row = self.page.get_by_role("row").filter(has_text=name)
        for each in cells:
            await expect(row).to_contain_text(each)

    async def become_owner(self, email: str = "owner@ours.example") -> None:
        await self.page.goto(setup_link(self.site))
        await self.fill_in(email=email, password=PASSWORD, again=PASSWORD)
        await self.press("Become the owner")
        await self.sees("Overview")

    async def log_in(self, email: str = "owner@ours.example") -> None:
        await self.open("/login")
        await self.fill_in(email=email, password=PASSWORD)
        await self.press("Log in")
        await self.sees("Overview")

    async def lag(self) -> "Lag":
        """Of pages that are opened from now on."""
        lag = Lag()
        await self.page.route_web_socket("**/*", lag.between)
        return lag

    async def go_to_highlevel(self) -> None:
        await self.open("/connect")
        await self.follow("Connect HighLevel")
        await self.sees("Choose a location")


class Lag:
    """While `on`, what the service says comes later; what is said to it comes at once."""

    def __init__(self) -> None:
        self.on = False
        self._late: list[tuple[WebSocketRoute, str | bytes]] = []
        self._more = asyncio.Event()

    def between(self, browser: WebSocketRoute) -> None:
        def said(words: str | bytes) -> None:
            if self.on:
                self._late.append((browser, words))
                self._more.set()
            else:
                browser.send(words)

        browser.connect_to_server().on_message(said)

    async def holds(self, words: str) -> None:
        """Wait until the service has said them."""
        while not any(words in str(each) for _, each in self._late):
            self._more.clear()
            await self._more.wait()

    def end(self) -> None:
        self.on = False
        for browser, words in self._late:
            browser.send(words)


def setup_link(site: Site) -> str:
    """As the start of the service prints it."""
    found = re.search(r"^ +(http\S+/setup\?token=\S+)$", site.running[-1].log.read_text(), re.MULTILINE)
    assert found
    return found[1]


@asynccontextmanager
async def empty_site() -> AsyncIterator[Site]:
    """The service on a database without a single table, and a Marketplace app of the simulator's."""
    async with installed(forks=True) as site:
        async with await psycopg.AsyncConnection.connect(site.database, autocommit=True) as connection:
            await connection.execute("DROP SCHEMA public CASCADE")
            await connection.execute("CREATE SCHEMA public")
        site.settings |= {
            "highlevel_client_id": Config().client_id,
            "highlevel_client_secret": Config().client_secret,
            "highlevel_authorize_url": f"{site.simulators['highlevel'].url}/v2/oauth/chooselocation",
        }
        await site.serve()
        yield site


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, site: Site) -> AsyncIterator[Visitor]:
    """A person with cookies of their own, who has nothing to complain about at the end."""
    context = await browser.new_context()
    visitor = Visitor(await context.new_page(), site)
    visitor.watch()
    yield visitor
    visitor.content()
    await context.close()
