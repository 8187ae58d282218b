"""What is kept of a call that failed: enough to see why, and no secret."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.exchange import LONGEST, Exchange, exchange_of
from app.redaction import keep_secret

CANARY = "canary-of-exchanges-" + "q" * 30
keep_secret(CANARY)
UNKNOWN = "nobody-told-us-of-this-one-0123456789"


def exchanged(said: Any, status: int = 422, *, url: str = "https://v.example/api", **sent: Any) -> Exchange:
    request = httpx.Request("POST", url, headers={"Authorization": f"Bearer {UNKNOWN}"}, **sent)
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return exchange_of(request, httpx.Response(status, content=body))


def test_it_has_what_was_asked_and_answered_and_no_header() -> None:
    kept = exchanged({"message": "no", "errors": {"city": ["too long"]}}, json={"city": "York"})
    assert (kept.method, kept.url, kept.status) == ("POST", "https://v.example/api", 422)
    assert json.loads(kept.request) == {"city": "York"}
    assert json.loads(kept.answer)["errors"] == {"city": ["too long"]}
    assert UNKNOWN not in str(kept.dump())


@given(before=st.text(max_size=40), place=st.integers(0, 2 * LONGEST))
def test_a_secret_that_is_known_is_nowhere_in_it_not_even_half_of_it_where_it_is_cut(before: str, place: int) -> None:
    filled = "x" * place + before
    for kept in (
        exchanged({"message": f"{filled}{CANARY}", filled: [CANARY]}, json={"note": f"{filled}{CANARY}"}),
        exchanged(f"<html>{filled}{CANARY}</html>".encode(), url=f"https://v.example/{CANARY}?q={CANARY}"),
    ):
        assert CANARY[:20] not in str(kept.dump())


@pytest.mark.parametrize("name", ["password", "api_token", "X-Secret", "Authorization", "contact_key", "refreshToken"])
def test_what_is_called_like_a_secret_is_left_out_though_nobody_knows_it(name: str) -> None:
    kept = exchanged({"deep": [{name: UNKNOWN, "city": "York"}]}, json={name: {"x": UNKNOWN}})
    assert UNKNOWN not in str(kept.dump())
    assert "York" in kept.answer


def test_so_it_is_in_forms_addresses_sentences_and_links_to_a_customers_portal() -> None:
    for kept in (
        exchanged(b"", data={"password": UNKNOWN, "city": "York"}),
        exchanged(b"", url=f"https://v.example/x?access_token={UNKNOWN}&city=York"),
        exchanged({"message": f"Authorization: Bearer {UNKNOWN} was refused"}),
        exchanged({"link": f"https://in.example/client/key_login/{UNKNOWN.replace('-', '')}"}),
    ):
        assert UNKNOWN not in str(kept.dump())
        assert UNKNOWN.replace("-", "") not in str(kept.dump())


def test_it_is_bounded_and_of_what_is_no_text_only_the_size_is_told() -> None:
    kept = exchanged({"message": "y" * 100_000}, json={"z": "z" * 100_000})
    assert max(len(kept.answer), len(kept.request)) < LONGEST + 100
    assert exchanged(b"\xff\xfe\x00" * 50).answer == "(no text: 150 bytes)"
    assert exchange_of(httpx.Request("GET", "https://v.example"), None).status is None
