"""A login is exchanged for tokens, and its password is in nothing that comes back."""

import json
from typing import Any

import httpx
import pytest
import respx

from app.errors import CrossledgerError, Rejected, Retry
from app.providers.base import Login
from app.providers.invoice_ninja.provider import InvoiceNinja
from tests.providers.invoice_ninja.conftest import BASE
from tests.providers.invoice_ninja.recordings import answer, body

LOGIN = Login(email="admin@example.com", password="Passw0rd!ref")


def companies(**names: str) -> dict[str, Any]:
    first = body("login")["data"][0]
    return {
        "data": [
            {**first, "company": {"company_key": key, "settings": {"name": name}}, "token": {"token": f"token-{key}"}}
            for key, name in names.items()
        ]
    }


async def test_the_recorded_answer_is_read(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    ninja.post("/login").mock(answer("login"))
    [opened] = await InvoiceNinja().sign_in(BASE, LOGIN, http)
    assert (opened.account_id, opened.label) == ("fjrV06c7Qwf5sKa8FVrQq6agf96TLBgo", "Untitled Company")
    assert opened.token == "***"  # masked in the recording


async def test_each_company_comes_with_its_own_token(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    ninja.post("/login").respond(json=companies(one="First", two=""))
    opened = await InvoiceNinja().sign_in(BASE, LOGIN, http)
    assert [(each.account_id, each.label, each.token) for each in opened] == [
        ("one", "First", "token-one"),
        ("two", "Invoice Ninja", "token-two"),
    ]
    assert "token-one" not in repr(opened)


async def test_what_leaves_is_the_login_and_no_token(http: httpx.AsyncClient, ninja: respx.MockRouter) -> None:
    ninja.post("/login").mock(answer("login"))
    await InvoiceNinja().sign_in(f"{BASE}/", LOGIN, http)
    request = ninja.calls.last.request
    assert json.loads(request.content) == {"email": "admin@example.com", "password": "Passw0rd!ref"}
    assert request.headers["Accept"] == "application/json"
    assert not {"x-api-token", "x-api-secret", "authorization"} & set(request.headers)


async def test_a_code_and_a_servers_secret_are_sent_where_given(
    http: httpx.AsyncClient, ninja: respx.MockRouter
) -> None:
    ninja.post("/login").mock(answer("login"))
    login = Login(email="a@b.example", password="p", one_time_password="123456", api_secret="s3")
    await InvoiceNinja().sign_in(BASE, login, http)
    request = ninja.calls.last.request
    assert json.loads(request.content)["one_time_password"] == "123456"
    assert request.headers["X-API-SECRET"] == "s3"


REFUSALS = [
    (answer("login_bad"), "These credentials do not match our records"),
    (httpx.Response(401, json={"message": "Invalid one time password"}), "`one_time_password`"),
    (httpx.Response(401, json={"message": "Too many login attempts, you are being throttled"}), "Too many login"),
    (httpx.Response(403, json={"message": "Invalid secret", "errors": {}}), "`api_secret`"),
    (httpx.Response(422, json={"message": "x", "errors": {"email": ["The email is wrong."]}}), "The email is wrong"),
    (httpx.Response(403, html="<h1>nginx</h1>"), "check the base URL"),
    (httpx.Response(200, html="<p>web application</p>"), "check the base URL"),
    (httpx.Response(200, json={"data": []}), "no company"),
    (httpx.Response(200, json={"data": [{"company": {}}]}), "in a form we do not know"),
]


@pytest.mark.parametrize(("refused", "told"), REFUSALS)
async def test_a_refused_login_says_what_to_do(
    http: httpx.AsyncClient, ninja: respx.MockRouter, refused: httpx.Response, told: str
) -> None:
    """Not as a refused token: nothing is connected yet that could wait for a person."""
    ninja.post("/login").mock(refused)
    with pytest.raises(Rejected, match=told):
        await InvoiceNinja().sign_in(BASE, LOGIN, http)


@pytest.mark.parametrize("refused", [httpx.Response(500), httpx.Response(429), httpx.ReadTimeout("slow")])
async def test_a_server_in_trouble_is_tried_later(
    http: httpx.AsyncClient, ninja: respx.MockRouter, refused: httpx.Response | Exception
) -> None:
    ninja.post("/login").mock(side_effect=[refused])
    with pytest.raises(Retry) as failure:
        await InvoiceNinja().sign_in(BASE, LOGIN, http)
    assert type(failure.value) is Retry


@pytest.mark.parametrize("status", [400, 401, 403, 422, 500])
async def test_a_server_that_repeats_the_password_is_not_quoted(
    http: httpx.AsyncClient, ninja: respx.MockRouter, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"message": f"no: {LOGIN.password}", "errors": {"password": [f"{LOGIN.password} is wrong"]}}
    ninja.post("/login").respond(status, json=said)
    with pytest.raises(CrossledgerError) as failure:
        await InvoiceNinja().sign_in(BASE, LOGIN, http)
    assert LOGIN.password not in f"{failure.value} {failure.value!r} {LOGIN!r}"
    assert failure.value.__cause__ is None
    assert LOGIN.password not in capsys.readouterr().out
