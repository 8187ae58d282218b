"""Pages: work without scripts, show nothing that was not escaped, and stay in their frame."""

import re
from html.parser import HTMLParser
from typing import Annotated

import pytest
from fastapi import Depends
from fastapi.routing import APIRoute

from app.people.roles import Principal, Role
from app.web.access import require
from app.web.pages import bridging, company, connecting, layout
from app.web.pages.layout import Entry
from tests.people.conftest import House, form_token


class Reader(HTMLParser):
    """Labels, fields and forms of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.forms = 0
        self.tokens = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        self.forms += tag == "form"
        self.tokens += attributes.get("name") == "csrf_token"
        if tag == "label":
            self.labels.add(attributes["for"] or "")
        if tag in ("input", "select") and attributes.get("type") != "hidden":
            self.fields.append(attributes)


async def test_every_page_has_labels_and_tokens_and_no_scripts(house: House) -> None:
    owner = await house.user(Role.OWNER)
    await house.token(owner)
    browser = await house.logged_in(owner)
    browser.headers["Accept"] = "text/html"
    for path in ("/account", "/login", "/connect", "/connect/invoice-ninja", "/bridges/new", "/nothing"):
        answer = await browser.get(path)
        assert answer.status_code == (404 if path == "/nothing" else 200)
        read = Reader(answer.text)
        assert {field["id"] for field in read.fields} == read.labels
        assert read.forms == read.tokens
        assert "script" not in read.tags
        assert "style" not in re.findall(r"<\w+ [^>]*\bstyle=", answer.text)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_added_page_is_guarded_and_linked_for_those_who_may_open_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(who: Annotated[Principal, Depends(require(Role.OPERATOR))]) -> dict[str, str]:
        return {"who": who.name}

    house.app.add_api_route("/connect", connect, methods=["GET", "POST"])
    monkeypatch.setattr(layout, "NAVIGATION", [*layout.NAVIGATION, Entry("Connect", "/connect", Role.OPERATOR)])
    for role, status in ((Role.VIEWER, 403), (Role.OPERATOR, 200), (Role.OWNER, 200)):
        browser = await house.logged_in(await house.user(role))
        shown = await browser.get("/account")
        assert ('<a href="/connect">' in shown.text) is (status == 200)
        assert (await browser.get("/connect")).status_code == status
        assert (await browser.post("/connect")).status_code == 403
        form = {"csrf_token": form_token(shown)}
        assert (await browser.post("/connect", data=form)).status_code == status
    assert (await (await house.browser()).post("/connect")).headers["location"] == "/login"
    assert await house.sql("SELECT DISTINCT action FROM audit") == [("POST /connect",)]


async def test_a_refusal_of_a_page_is_a_page(house: House) -> None:
    browser = await house.logged_in(await house.user(Role.VIEWER))
    answer = await browser.post("/logout")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "This is not possible" in answer.text


CONNECTING = (
    ("GET", "/connect"),
    ("GET", "/oauth/highlevel/start"),
    ("GET", "/oauth/highlevel/callback"),
    ("POST", "/connect/{connection_id}/claim"),
    ("GET", "/connect/agencies/{connection_id}"),
    ("POST", "/connect/agencies/{connection_id}"),
    ("GET", "/connect/invoice-ninja"),
    ("POST", "/connect/invoice-ninja"),
    ("GET", "/bridges/new"),
    ("POST", "/bridges"),
    ("POST", "/bridges/{bridge_id}/live"),
)


@pytest.mark.parametrize(("method", "path"), CONNECTING)
async def test_accounts_are_connected_by_operators_only_and_by_forms_of_ours(
    house: House, method: str, path: str
) -> None:
    url = re.sub(r"{\w+}", "1", path) + ("?code=x&state=y" if "callback" in path else "")
    for role in Role:
        browser = await house.logged_in(await house.user(role))
        form = {"csrf_token": form_token(await browser.get("/account"))}
        answer = await browser.request(method, url, data=form if method == "POST" else None)
        needs_role = "This needs the role operator" in answer.text
        assert needs_role is (role is Role.VIEWER), (role, answer.status_code)
        if method == "POST":
            forged = await browser.post(url, data={"csrf_token": "x"})
            assert forged.status_code == 403
            assert ("load the page again" in forged.text) is (role is not Role.VIEWER)
    nobody = await (await house.browser()).request(method, url)
    assert (nobody.status_code, nobody.headers["location"].partition("?")[0]) == (303, "/login")


def test_every_way_to_connect_is_in_the_list_above() -> None:
    """All but what owners alone may do."""
    routers = (connecting.router, company.router, bridging.router)
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    others = {("POST", "/connect/{connection_id}/decline")}
    assert {(method, route.path) for route in routes for method in route.methods or ()} == set(CONNECTING) | others


async def test_a_browser_is_refused_with_a_page_and_a_program_with_a_problem(house: House) -> None:
    browser = await house.logged_in(await house.user(Role.OPERATOR))
    for path, status in (
        ("/nothing", 404),
        ("/connect/7/claim", 405),
        ("/bridges/x", 422),
        ("/bridges/7", 404),
        (f"/bridges/{10**20}", 422),
    ):
        page = await browser.get(path, headers={"Accept": "text/html,*/*"})
        assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8"), path
        assert 'role="alert"' in page.text
        assert "see errors" not in page.text
    for path in ("/nothing", "/api/v1/nothing", "/webhooks/nothing"):
        accept = "*/*" if path == "/nothing" else "text/html"
        answer = await browser.get(path, headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/problem+json", path


async def test_who_may_only_look_is_offered_nothing_that_they_may_not_do(house: House) -> None:
    browser = await house.logged_in(await house.user(Role.VIEWER))
    for path in ("/", "/account"):
        page = (await browser.get(path)).text
        assert not re.search(r'"/connect["/?]', page)
        assert '"/bridges/new"' not in page
