"""Connecting Invoice Ninja by e-mail and password: exchanged for a token, and forgotten."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Connection
from app.sandbox.processes import Simulator
from tests.conftest import World

EMAIL, PASSWORD, CODE = "admin@example.com", "sandbox-password", "123456"


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """An installation with two companies, two-factor authentication and an API_SECRET."""
    options: dict[str, Any] = {
        "other_companies": {"second-key": "Second Ltd"},
        "one_time_password": CODE,
        "api_secret": "s3cret",
    }
    with Simulator.start("invoice-ninja", **options) as simulator:
        yield simulator.url


async def sign_in(world: World, url: str = "", **changed: Any) -> httpx.Response:
    body = {"provider": "invoice_ninja", "name": "Company", "base_url": url or world.ninja_url}
    login = {"email": EMAIL, "password": PASSWORD, "install_webhooks": False}
    given = {name: value for name, value in {**body, **login, **changed}.items() if value is not None}
    return await world.admin.post("/api/v1/connections", json=given)


async def stored(world: World, id_: int) -> dict[str, str]:
    async with AsyncSession(world.service.engine) as session:
        row = await session.get_one(Connection, id_)
    return world.service.connections.vault.unseal(row.sealed)


async def test_a_login_is_exchanged_for_a_token_and_forgotten(
    bare_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await sign_in(bare_world)
    assert answer.status_code == 201, answer.text
    assert await stored(bare_world, answer.json()["id"]) == {"api_token": "sandbox-ninja-service-token"}
    async with bare_world.service.engine.connect() as connection:
        rows = str((await connection.execute(text("SELECT row_to_json(c) FROM connections c"))).all())
    printed = capsys.readouterr()
    for place in (answer.text, rows, printed.out, printed.err):
        assert PASSWORD not in place
    assert EMAIL not in rows


async def test_of_several_companies_one_is_chosen(bare_world: World, guarded: str) -> None:
    asked = await sign_in(bare_world, guarded, one_time_password=CODE, api_secret="s3cret")
    assert asked.status_code == 409, asked.text
    assert asked.json()["choices"] == {"sandbox-company-key": "Untitled Company", "second-key": "Second Ltd"}
    assert "`company_key`" in asked.json()["detail"]
    assert await bare_world.rows("connections") == []
    chosen = {"one_time_password": CODE, "api_secret": "s3cret", "company_key": "second-key"}
    answer = await sign_in(bare_world, guarded, **chosen)
    assert answer.status_code == 201, answer.text
    assert answer.json()["account_id"] == "second-key"
    assert await stored(bare_world, answer.json()["id"]) == {
        "api_token": "sandbox-ninja-token-of-second-key",
        "api_secret": "s3cret",
    }


async def test_a_company_that_the_login_does_not_open_is_answered_with_those_it_does(
    bare_world: World, guarded: str
) -> None:
    asked = await sign_in(bare_world, guarded, one_time_password=CODE, api_secret="s3cret", company_key="third-key")
    assert (asked.status_code, set(asked.json()["choices"])) == (409, {"sandbox-company-key", "second-key"})
    alone = await sign_in(bare_world, company_key="third-key")
    assert (alone.status_code, set(alone.json()["choices"])) == (409, {"sandbox-company-key"})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "not-it-at-all"}, "refuses this e-mail and password"),
        ({"one_time_password": None}, "`one_time_password`"),
        ({"one_time_password": "000000"}, "`one_time_password`"),
        ({"api_secret": None}, "`api_secret`"),
    ],
)
async def test_a_refused_login_says_what_to_do_and_stores_nothing(
    bare_world: World, guarded: str, wrong: dict[str, str | None], told: str
) -> None:
    answer = await sign_in(bare_world, guarded, **{"one_time_password": CODE, "api_secret": "s3cret", **wrong})
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text
    assert not any(secret in answer.text for secret in ("not-it-at-all", PASSWORD, "000000", CODE, "s3cret"))
    assert await bare_world.rows("connections") == []


NOT_ONE_WAY: list[dict[str, Any]] = [
    {"password": None},
    {"email": None},
    {"email": None, "password": None},
    {"api_token": "t0ken"},
    {"api_token": "t0ken", "email": None},
    {"api_token": "t0ken", "email": None, "password": None, "company_key": "k"},
    {"api_token": "t0ken", "email": None, "password": None, "one_time_password": "1"},
    {"password": ""},
    {"email": "nul\x00@example.com"},
    {"password": "x" * 1001},
]


async def test_exactly_one_way_in_is_asked_for_before_any_call(bare_world: World) -> None:
    await bare_world.ninja.delete("/_control/requests")
    for changed in NOT_ONE_WAY:
        answer = await sign_in(bare_world, **changed)
        assert answer.status_code == 422, (changed, answer.text)
        assert PASSWORD not in answer.text
    assert (await bare_world.ninja.get("/_control/requests")).json()["requests"] == []


async def test_a_login_installs_the_webhooks_as_a_token_does(bare_world: World) -> None:
    answer = await sign_in(bare_world, install_webhooks=True)
    assert (answer.status_code, answer.json()["webhooks_managed"]) == (201, True)
