"""Secrets are planted everywhere, everything goes wrong, and then they are looked for everywhere."""

import asyncio
import base64
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString
from urllib.parse import quote, quote_plus

import httpx
import pytest
from psycopg import sql
from sqlalchemy import make_url

from app.people.sessions import form_token
from app.sandbox.highlevel.config import Config
from app.vault import Vault
from tests.flows.breaking import CONSOLE, EXPLODES, PASSWORDS, SWITCH, TOKENS
from tests.flows.driver import ADMIN_TOKEN, LOCATION, SECRET_KEY, SERVICE_TOKENS, Postman, Site, installed
from tests.forks import forked

TABLES: LiteralString = """
    SELECT table_schema, table_name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""
OTHER_LOCATION = "sandboxLocation0002"
# What a browser, and nobody else, is meant to be given: the token of its forms, its cookies, a token made just now, and
# in a form that is shown again what was typed.
MEANT = re.compile(
    r'name="(?:csrf_token|token|email)"[^>]* value="[^"]*"|"(?:csrf_token|token)":"[^"]*"|<code>cl_[^<]*</code>'
)
FEW = (400, 401, 403, 422, 500)
STATUSES = (400, 401, 403, 404, 409, 412, 413, 422, 429, 500, 503)


class Canaries:
    """`heard` is everything that left the service, by where it was found."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}
        self.heard: dict[str, str] = {}

    def plant(self, name: str, value: str = "") -> str:
        return self.planted.setdefault(name, value or f"canary-{secrets.token_hex(20)}")

    def hear(self, where: str, said: str) -> None:
        self.heard[f"{len(self.heard)} {where}"] = said

    def found(self) -> list[str]:
        return [
            f"{name} in {where}: {said[max(0, said.find(spelling) - 150) :][:250]!r}"
            for where, said in self.heard.items()
            for name, value in self.planted.items()
            for spelling in _spellings(value)
            if spelling in said
        ]


def _spellings(value: str) -> Iterator[str]:
    yield base64.b64encode(value.encode()).decode().rstrip("=")
    if value.startswith("canary-"):  # random: a part of it is a leak as well, and is spelled alike everywhere
        yield value[7:23]
        yield value[31:47]
    else:
        yield from {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1]}


def echo(token: str) -> dict[str, Any]:
    """An error body that repeats what it was sent, in every place where a vendor puts words."""
    said = f"Invalid token {token}"
    return {
        "message": [said] if len(token) % 2 else said,
        "error": token,
        "detail": said,
        "errors": {token: [said], "name": [said]},
        "meta": {"contactId": token},
    }


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with installed(
        forks=True, log_level="debug", retry_first="0.1", retry_longest="0.3", poll_interval="0.05"
    ) as site:
        site.program = ("-m", "tests.flows.breaking")
        yield site


@asynccontextmanager
async def talking(site: Site, canaries: Canaries, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose answers are all kept, but the two that show new webhook secrets."""

    async def keep(answer: httpx.Response) -> None:
        said = (await answer.aread()).decode()
        if answer.is_success and '"webhooks"' in said:
            return
        canaries.hear(f"{answer.request.method} {answer.request.url.path} {answer.status_code}", MEANT.sub("", said))
        canaries.hear("headers", str([each for each in answer.headers.raw if each[0].lower() != b"set-cookie"]))

    hooks = {"response": [keep]}
    async with httpx.AsyncClient(
        base_url=site.url, headers=headers, timeout=30, trust_env=False, event_hooks=hooks
    ) as it:
        yield it


@pytest.mark.timeout(300)
async def test_no_secret_is_found_anywhere_whatever_goes_wrong(site: Site) -> None:
    canaries = Canaries()
    password = canaries.plant("database password")
    site.settings["database_url"] = make_url(site.database).set(password=password).render_as_string(hide_password=False)
    site.settings["secret_keys"] = canaries.plant("newest key")
    for name, value in {"admin token": ADMIN_TOKEN, "secret key": SECRET_KEY, **SERVICE_TOKENS}.items():
        canaries.plant(name, value)
    site.settings |= {
        "highlevel_client_id": Config().client_id,
        "highlevel_client_secret": canaries.plant("client secret", Config().client_secret),
        "highlevel_authorize_url": f"{site.simulators['highlevel'].url}/v2/oauth/chooselocation",
        CONSOLE: "yes",
    }
    first = await site.serve()
    cookie = await _people(site, canaries, first.log.read_text())
    async with talking(site, canaries, Authorization=f"Bearer {ADMIN_TOKEN}") as admin:
        await _logins(site, admin, canaries)
        await _consents(site, admin, canaries, cookie)
    first.stop()
    # The next one has made none of these secrets: it knows them only while they are in its hands.
    del site.settings[CONSOLE]
    running = await site.serve()
    async with talking(site, canaries, Authorization=f"Bearer {ADMIN_TOKEN}") as admin:
        await _bugs_with_what_came_in(site, canaries, cookie)
        made = await _connect(site, admin, canaries)
        await _vendors_repeat_our_tokens(site, admin, canaries)
        await _wrong_fields(admin, canaries)
        await _jobs_fail(site, admin)
        await _read_everything(admin)
    async with talking(site, canaries) as stranger:
        await _strangers(stranger, canaries, made)
    _commands(site, canaries)
    await _no_database(site, canaries)
    running.stop()
    await _dump(site, canaries)
    log, console = running.log.read_text(), first.log.read_text()
    # The one place where it is meant to be.
    (link,) = re.findall(r"^ +http\S+/setup\?token=\S+$", console, re.MULTILINE)
    canaries.hear("log", log)
    canaries.hear("console", console.replace(link, ""))

    for event in ("vendor.call", "web.bug", "sync.bug", "webhook.refused", "httpcore", "Traceback", "[secret]"):
        assert event in log, f"{event} is not in the log: this test looks at too little"
    for event in ("vendor.call", "web.bug", "token.renewed", "\x1b[", "Traceback", "[secret]"):
        assert event in console, f"{event} is not on the console: this test looks at too little"
    assert len(canaries.heard) > 250
    assert canaries.found() == []


async def _people(site: Site, canaries: Canaries, log: str) -> str:
    """The first owner, by the link; passwords right and wrong, tokens. Returns the cookie of a session."""
    (token,) = re.findall(r"/setup\?token=(\S+)", log)
    canaries.plant("set-up link", token)
    password = canaries.plant("password", f"canary-{secrets.token_hex(20)} \"ä\\+'")
    changed = canaries.plant("new password")
    async with talking(site, canaries) as browser:

        async def send(path: str, **fields: str) -> httpx.Response:
            page = await browser.get("/login" if path == "/login" else "/account", params={"next": path})
            if path == "/setup":
                page = await browser.get("/setup", params={"token": token})
            form = {"csrf_token": _form_token(page.text), **fields}
            canaries.plant(f"CSRF token {len(canaries.planted)}", form["csrf_token"])
            return await browser.post(path, data=form, headers={"Connection": "close"})

        owner = {"email": "owner@example.com", "token": token, "password": password, "again": password}
        await send("/setup", **{**owner, "again": canaries.plant("another password")})
        (site.home / PASSWORDS).touch()
        assert (await send("/setup", **owner)).status_code == 500
        (site.home / PASSWORDS).unlink()
        assert (await send("/setup", **owner)).status_code == 303
        canaries.plant("session after set-up", browser.cookies["crossledger"])
        canaries.plant("CSRF token for the API", (await browser.get("/api/v1/me")).json()["csrf_token"])
        assert (await send("/account/password", present=canaries.plant("wrong present"), password=changed)).is_error
        (site.home / PASSWORDS).touch()
        for path in ("/account/password", "/login"):
            fields = {"email": "owner@example.com", "password": password, "present": password, "again": changed}
            assert (await send(path, **fields)).status_code == 500
        (site.home / PASSWORDS).unlink()
        new = {"present": password, "password": changed, "again": changed}
        assert (await send("/account/password", **new)).status_code in (200, 303)
        made = await send("/account/tokens", name="CI", role="viewer")
        canaries.plant("API token of the page", re.findall(r"cl_[\w-]{40,}", made.text)[0])
        await send("/logout")
        for email, given in (
            ("owner@example.com", canaries.plant("wrong password")),
            (canaries.plant("password in the place of the address"), "x"),
        ):
            assert (await send("/login", email=email, password=given)).status_code == 401
        assert (await send("/login", email="owner@example.com", password=changed)).status_code == 303
        cookie = canaries.plant("session", browser.cookies["crossledger"])
    async with talking(site, canaries, Authorization=f"Bearer {ADMIN_TOKEN}") as admin:
        body = {"email": "ada@example.com", "role": "viewer", "password": canaries.plant("password of another")}
        assert (await admin.post("/api/v1/users", json=body)).status_code == 201
        assert (await admin.post("/api/v1/users", json=body)).status_code == 409
        assert (await admin.post("/api/v1/users", json={**body, "role": changed, changed: 1})).status_code == 422
        made = await admin.post("/api/v1/tokens", json={"name": "n", "role": "operator"})
        canaries.plant("API token", made.json()["token"])
    return cookie


def _form_token(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


async def _logins(site: Site, admin: httpx.AsyncClient, canaries: Canaries) -> None:
    """Signing in to Invoice Ninja, which repeats what it is sent, and with a bug of ours."""
    url = site.simulators["ninja"].url
    login = {
        "email": "admin@example.com",
        "password": canaries.plant("Invoice Ninja password"),
        "one_time_password": canaries.plant("one-time code", str(secrets.randbelow(9 * 10**9) + 10**9)),
        "api_secret": canaries.plant("Invoice Ninja API secret"),
    }
    body = {"provider": "invoice_ninja", "name": "x", "base_url": url, **login}
    for repeated in ("password", "one_time_password", "api_secret"):
        for status in FEW:
            fault = {"kind": "status", "status": status, "body": echo(login[repeated]), "path": "/login$"}
            (await site.ninja.post("/_control/faults", json=fault)).raise_for_status()
            assert (await admin.post("/api/v1/connections", json=body)).status_code in (422, 503)
            await site.ninja.delete("/_control/faults")
    assert (await admin.post("/api/v1/connections", json=body)).status_code == 422
    explodes = {**body, "base_url": f"{url}/{EXPLODES}"}
    close = {"Connection": "close"}
    assert (await admin.post("/api/v1/connections", json=explodes, headers=close)).status_code == 500


async def _consents(site: Site, admin: httpx.AsyncClient, canaries: Canaries, cookie: str) -> None:
    """A location by OAuth; each pair is rotated, and the vendor repeats what it is sent."""
    vault = Vault(canaries.planted["newest key"])

    async def pair(name: str) -> tuple[str, str]:
        ((sealed,),) = await site.rows("SELECT sealed FROM tokens")
        held = vault.unseal(sealed)
        return canaries.plant(f"access token {name}", held["access_token"]), canaries.plant(
            f"refresh token {name}", held["refresh_token"]
        )

    async def fault(**given: Any) -> None:
        (await site.highlevel.post("/_control/faults", json={"kind": "status", **given})).raise_for_status()

    async def back(browser: httpx.AsyncClient) -> str:
        start = await browser.get("/oauth/highlevel/start")
        canaries.heard.popitem()  # the state that it leaves with is for the vendor
        url = httpx.URL(start.headers["location"])
        async with httpx.AsyncClient(trust_env=False) as elsewhere:
            agreed = await elsewhere.get(url.copy_merge_params({"approve": OTHER_LOCATION}))
        returned = httpx.URL(agreed.headers["location"])
        canaries.plant(f"code {len(canaries.planted)}", returned.params["code"])
        canaries.plant(f"state {len(canaries.planted)}", returned.params["state"])
        return returned.raw_path.decode()

    async with talking(site, canaries) as browser:
        browser.cookies.set("crossledger", cookie)
        for status in (400, 401, 422, 500):
            path = await back(browser)
            code = httpx.URL(path).params["code"]
            await fault(status=status, body=echo(f"{code} {Config().client_secret}"), path="^/oauth/token$")
            assert (await browser.get(path)).status_code == 502
            await site.highlevel.delete("/_control/faults")
        assert (await browser.get(await back(browser))).status_code == 303
        await browser.get("/connect")
    access, refresh = await pair("first")
    stale: dict[str, Any] = {"status": 401, "body": {"message": "Invalid JWT"}, "path": "^/(?!_|oauth)", "times": 1}
    for status in FEW:
        await fault(**stale)
        await fault(status=status, body=echo(f"{refresh} {access} {Config().client_secret}"), path="^/oauth/")
        assert (await admin.post("/api/v1/connections/1/check")).status_code in (422, 503)
        await site.highlevel.delete("/_control/faults")
    (site.home / TOKENS).touch()
    await fault(**stale)
    assert (await admin.post("/api/v1/connections/1/check", headers={"Connection": "close"})).status_code == 500
    (site.home / TOKENS).unlink()
    for name in ("second", "third"):
        await fault(**stale)
        assert (await admin.post("/api/v1/connections/1/check")).status_code == 200
        assert await pair(name) != (access, refresh)
    assert (await admin.delete("/api/v1/connections/1")).status_code == 204
    await site.rows("SELECT setval(pg_get_serial_sequence('connections', 'id'), 1, false)")


async def _bugs_with_what_came_in(site: Site, canaries: Canaries, cookie: str) -> None:
    """In a process that has made none of it."""
    for headers in (
        {"Cookie": f"crossledger={cookie}"},
        {"Authorization": f"Bearer {canaries.planted['API token']}"},
        {"Authorization": f"Bearer {canaries.plant('foreign token')}"},
    ):
        async with talking(site, canaries, **headers, **{EXPLODES: "yes"}, Connection="close") as visitor:
            for path in ("/api/v1/me", "/account", "/connect"):
                answer = await visitor.get(path)
                assert answer.status_code == 500
                assert answer.headers["content-type"] == "application/problem+json"
    async with talking(site, canaries, Connection="close") as browser:
        browser.cookies.set("crossledger", cookie)
        form = {"csrf_token": form_token(cookie), "present": canaries.planted["new password"]}
        (site.home / PASSWORDS).touch()
        assert (await browser.post("/account/password", data=form)).status_code == 500
        (site.home / PASSWORDS).unlink()
        assert (await browser.post("/account/tokens", data={**form, "name": form["csrf_token"], "role": "x"})).is_error


async def _connect(site: Site, admin: httpx.AsyncClient, canaries: Canaries) -> list[dict[str, Any]]:
    crm = {"location_id": LOCATION, "private_token": SERVICE_TOKENS["highlevel"]}
    billing = {
        "base_url": site.simulators["ninja"].url,
        "api_token": SERVICE_TOKENS["ninja"],
        "api_secret": canaries.plant("api secret"),
    }
    made = []
    for provider, body in (("highlevel", crm), ("invoice_ninja", billing)):
        answer = await admin.post("/api/v1/connections", json={"provider": provider, "name": "x", **body})
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
    bridge = {"name": "b", "crm_connection_id": made[0]["id"], "billing_connection_id": made[1]["id"], "live": True}
    assert (await admin.post("/api/v1/bridges", json=bridge)).status_code == 201
    anew = (await admin.post(f"/api/v1/connections/{made[1]['id']}/webhook-secrets")).json()
    canaries.heard.popitem()
    canaries.heard.popitem()  # it shows them, this once
    hooks = [made[0]["webhooks"], made[1]["webhooks"], anew]
    for number, webhooks in enumerate(hooks):
        canaries.plant(f"webhook secret {number}", webhooks["secret"])
        canaries.plant(f"webhook key {number}", webhooks["url"].removesuffix("/{event_id}").rpartition("/")[2])
    return hooks


async def _vendors_repeat_our_tokens(site: Site, admin: httpx.AsyncClient, canaries: Canaries) -> None:
    ninja = site.simulators["ninja"].url
    for status in STATUSES:
        token = canaries.plant(f"token {status}")
        for vendor in site.vendors:
            fault = {"kind": "status", "status": status, "body": echo(token), "path": "^/(?!_)"}
            (await vendor.post("/_control/faults", json=fault)).raise_for_status()
        for body in (
            {"provider": "highlevel", "location_id": LOCATION, "private_token": token},
            {"provider": "invoice_ninja", "base_url": ninja, "api_token": token, "api_secret": token},
        ):
            answer = await admin.post("/api/v1/connections", json={"name": "x", **body})
            assert answer.status_code in (422, 503), answer.text
        for number, name in ((1, "private_token"), (2, "api_token")):
            answer = await admin.post(f"/api/v1/connections/{number}/check", json={name: token})
            assert answer.status_code in (422, 503), answer.text
        for vendor in site.vendors:
            await vendor.delete("/_control/faults")
    token = canaries.plant("token of a bug")
    body = {"provider": "highlevel", "name": "x", "location_id": EXPLODES, "private_token": token}
    last = {"Connection": "close"}  # the server hangs up after a bug
    assert (await admin.post("/api/v1/connections", json=body, headers=last)).status_code == 500


async def _wrong_fields(admin: httpx.AsyncClient, canaries: Canaries) -> None:
    token = canaries.plant("in a wrong field")
    good = {"provider": "highlevel", "name": "x", "location_id": LOCATION, "private_token": "p"}
    wrong: list[Any] = [
        *({**good, "location_id": f"{token}-", field: token} for field in good),
        {**good, "location_id": token, "base_url": f"https://{token}@vendor.example"},
        {**good, "location_id": token, "base_url": f"ftp://{token}"},
        {**good, token: "x"},
        {**good, "private_token": [token], token: {token: token}},
        {**good, "private_token": f"{token} {token}"},
        {"provider": token},
        [token],
        token,
    ]
    for body in wrong:
        assert (await admin.post("/api/v1/connections", json=body)).status_code == 422
    settings: list[Any] = [
        {"prefer": token}, {"slot": token}, {token: 1}, {"contact": {"direction": token}}, {"contact": {token: token}},
        {"contact": {"fields": [{"crm": 1, "billing": token, "direction": token}]}}, token,
    ]  # fmt: skip
    for body in settings:
        await admin.patch("/api/v1/bridges/1", json={"settings": body, "name": ""})
    for method, path in (
        ("GET", f"/api/v1/links/{token}"),
        ("GET", f"/api/v1/events?state={token}"),
        ("GET", f"/api/v1/events?cursor={token}"),
        ("GET", f"/api/v1/{token}"),
        ("GET", f"/{token}"),
        ("POST", "/api/v1/connections/1/check"),
        ("POST", "/api/v1/jobs/retry"),
    ):
        assert (await admin.request(method, path, json={"state": token, token: token})).status_code in (404, 405, 422)
    raw = f'{{"provider": "highlevel", "private_token": "{token}'.encode()
    headers = {"Content-Type": "application/json"}
    assert (await admin.post("/api/v1/connections", content=raw, headers=headers)).status_code == 422


async def _jobs_fail(site: Site, admin: httpx.AsyncClient) -> None:
    """In each way: with a bug of ours, and with answers that repeat the tokens; what is stored of it stays."""
    postman = Postman()
    contact = await site.add_contact(firstName="Jane", lastName="Doe", email="jane@acme.example")

    async def deliver(state: str) -> None:
        headers, body = postman.delivery(contact)
        assert (await admin.post("/webhooks/highlevel", headers=headers, content=body)).status_code == 202
        for _ in range(400):
            if await site.rows("SELECT 1 FROM links WHERE state = %s", state):
                break
            await asyncio.sleep(0.05)
        for path in ("links", "jobs", "activities", "events", "connections"):
            await admin.get(f"/api/v1/{path}")

    (site.home / SWITCH).touch()
    await deliver("retrying")
    (site.home / SWITCH).unlink()
    await deliver("ok")
    for status, state in ((500, "retrying"), (422, "failed"), (400, "failed"), (401, "waiting")):
        for name, vendor in zip(SERVICE_TOKENS, site.vendors, strict=True):
            fault = {"kind": "status", "status": status, "body": echo(SERVICE_TOKENS[name]), "path": "^/(?!_)"}
            await vendor.post("/_control/faults", json=fault)
        await deliver(state)
        for vendor in site.vendors:
            await vendor.delete("/_control/faults")


async def _read_everything(admin: httpx.AsyncClient) -> None:
    for path in ("/metrics", "/readyz", "/healthz", "/openapi.json", "/docs", "/redoc", "/", "/favicon.ico"):
        await admin.get(path)
    for thing in ("connections", "bridges", "events", "links", "activities", "jobs"):
        rows = (await admin.get(f"/api/v1/{thing}", params={"limit": "500"})).json()["items"]
        for row in rows[:5] if thing != "jobs" else ():
            await admin.get(f"/api/v1/{thing}/{row['id']}")


async def _strangers(stranger: httpx.AsyncClient, canaries: Canaries, hooks: list[dict[str, Any]]) -> None:
    """Bad signatures and secrets in wrong places, from somebody who has no token."""
    header, body = hooks[0]["header"], json.dumps({"id": "x", "token": canaries.plant("in a body")}).encode()
    for webhooks in hooks:
        path = webhooks["url"].replace("{event_id}", "1").partition("/webhooks/")[2]
        key, secret = path.split("/")[-2 if "ninja" in path else -1], webhooks["secret"]
        for place, headers in (
            (path, {}),
            (path, {header: canaries.plant("wrong secret")}),
            (path, {header: key}),
            (path.replace(key, secret), {header: secret}),
            (path.replace(key, canaries.plant("wrong key")), {header: secret}),
            (f"highlevel/{key}", {header: secret}),
            (f"{secret}/{key}", {header: secret}),
            (f"highlevel?key={key}", {"X-GHL-Signature": secret}),
        ):
            answer = await stranger.post(f"/webhooks/{place}", content=body, headers=headers)
            assert answer.status_code == 401, (place, answer.text)
    for value in (f"Basic {ADMIN_TOKEN}", ADMIN_TOKEN, f"Bearer {ADMIN_TOKEN}x"):
        assert (await stranger.get("/api/v1/links", headers={"Authorization": value})).status_code == 401


def _commands(site: Site, canaries: Canaries) -> None:
    for command in (["check"], ["rotate-keys"], ["replay", "1"], ["serve", "--port", "x"]):
        canaries.hear(f"crossledger {command[0]}", _said(site, *command))


async def _no_database(site: Site, canaries: Canaries) -> None:
    """The URL is wrong in several ways, and the sentence that says so must not repeat the password."""
    password = canaries.planted["database password"]
    for url in (
        f"postgresql://postgres:{password}@127.0.0.1:1/x",
        f"postgresql://postgres:{password}@/x?host=%2Fnowhere",
        f"postgresql://postgres:{password}@127.0.0.1:port/x",
        f"postgresql://postgres:p@{password}@127.0.0.1:1/x",
        f"mysql://root:{password}@127.0.0.1/x",
        f"{password}",
        f"postgresql://postgres:{password}@127.0.0.1:1/x?nonsense={password}",
    ):
        site.settings["database_url"] = url
        canaries.hear(f"without a database: {url.replace(password, '')}", _said(site, "check"))


def _said(site: Site, *command: str) -> str:
    out = site.home / "said"
    forked((*site.program, *command), env=site.environment(), cwd=site.home, stdout=out).wait(60)
    said = out.read_text()
    assert said
    return said


async def _dump(site: Site, canaries: Canaries) -> None:
    tables = await site.rows(TABLES)
    assert {"connections", "events", "links", "procrastinate_jobs"} <= {name for _, name in tables}
    for schema, name in tables:
        every = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, name)).as_string()
        rows = await site.rows(every)
        canaries.hear(f"table {name}", "\n".join(row[0] for row in rows))
