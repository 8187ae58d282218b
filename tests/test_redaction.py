"""What is secret here is left out of everything that goes through `redacted`, however it is spelled."""

import asyncio
import io
import json
import logging
import time
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

import app.redaction
from app.api.requests import HighLevelIn, InvoiceNinjaIn, SecretsIn
from app.api.webhook_setup import webhooks
from app.logs import Redacting, _redact, configure
from app.main import build
from app.people import passwords, sessions
from app.providers.base import Access, OpenGate
from app.providers.client import make_client
from app.providers.highlevel.oauth import HighLevelOAuth
from app.providers.highlevel.provider import HighLevel
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.redaction import HIDDEN, MOST, keep_secret, keep_secret_here, redacted
from app.settings import Settings
from app.vault import Vault, WebhookSecrets, digest, new_secret

CANARY = "canary-0123456789-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.redaction, "_known", {})
    monkeypatch.setattr(app.redaction, "_by_piece", {})


def forget_all() -> None:
    app.redaction._known.clear()
    app.redaction._by_piece.clear()


def test_a_secret_is_left_out_wherever_it_stands() -> None:
    keep_secret(CANARY)
    assert redacted(f"Bearer {CANARY}, {CANARY}!") == f"Bearer {HIDDEN}, {HIDDEN}!"
    assert redacted("nothing of it") == "nothing of it"


def test_a_secret_is_found_as_json_and_urls_spell_it() -> None:
    secret = 'p"a\\ss/wörd@1'
    keep_secret(secret)
    for spelling in (secret, json.dumps({"a": secret}), f"postgresql://u:{quote(secret, safe='')}@h", quote(secret)):
        assert "rd@1" not in redacted(spelling).replace("%40", "@")


def test_of_two_secrets_the_longer_one_goes_first() -> None:
    keep_secret(CANARY, f"{CANARY}-and-more")
    assert redacted(f"{CANARY}-and-more") == HIDDEN


def test_short_words_stay() -> None:
    keep_secret("", "token")
    assert redacted("the token is refused") == "the token is refused"


def test_the_oldest_are_forgotten_before_memory_is() -> None:
    keep_secret(*(f"secret-number-{n:04}" for n in range(MOST)))
    keep_secret(CANARY)
    assert len(app.redaction._known) == MOST
    assert redacted(f"{CANARY} secret-number-0001") == f"{HIDDEN} {HIDDEN}"
    assert redacted("secret-number-0000") == "secret-number-0000"
    keep_secret(*(f"another-{n:04}" for n in range(MOST)))
    held = {each for found in app.redaction._by_piece.values() for each in found}
    assert held == app.redaction._known.keys()
    assert redacted(CANARY) == CANARY


@given(st.lists(st.text("ab%/é", min_size=6, max_size=12), max_size=6), st.text("ab%/é", max_size=40), st.data())
def test_it_finds_what_a_search_for_each_one_would_find(secrets: list[str], text: str, data: st.DataObject) -> None:
    forget_all()
    keep_secret(*secrets)
    for secret in secrets:
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + secret + text[place:]
    expected = text
    for secret in sorted(app.redaction._known, key=len, reverse=True):
        expected = expected.replace(secret, HIDDEN)
    # Of two that overlap and are as long, either may go first.
    left = redacted(text)
    assert not [secret for secret in app.redaction._known if secret in left]
    assert (HIDDEN in left) == (HIDDEN in expected)


def test_what_a_vault_seals_or_opens_and_what_is_made_anew_is_secret() -> None:
    sealed = Vault("k" * 40).seal({"token": CANARY})
    assert redacted(CANARY) == HIDDEN
    forget_all()
    assert redacted(CANARY) == CANARY
    Vault("k" * 40).unseal(sealed)
    assert redacted(CANARY) == HIDDEN
    assert redacted(new_secret()) == HIDDEN


def test_lines_of_the_log_and_tracebacks_of_libraries_have_no_secret() -> None:
    keep_secret(CANARY)
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Redacting("%(message)s"))
    library = logging.Logger("library")
    library.addHandler(handler)
    try:
        raise ValueError(CANARY)
    except ValueError:
        library.exception("with %s", CANARY)
    assert "Traceback" in out.getvalue()
    assert CANARY not in out.getvalue()
    assert _redact(structlog.get_logger(), "info", f"event=x reason={CANARY}") == f"event=x reason={HIDDEN}"


async def test_nothing_that_holds_a_secret_shows_it(settings: Settings, tmp_path: Path) -> None:
    secret, url = SecretStr(CANARY), f"postgresql://u:{CANARY}@127.0.0.1:1/x"
    given = settings.model_copy(update={"admin_token": secret, "secret_key": secret, "database_url": url})
    service = build(given.model_copy(update={"secret_keys": SecretStr(f"{CANARY}-2")}), url)
    made = WebhookSecrets(CANARY, CANARY)
    access = Access(base_url="https://x.example", account_id="a", secrets=dict.fromkeys(_NAMES, CANARY))
    async with make_client() as client:
        holders = [
            given,
            service,
            *(getattr(service, name) for name in service.__slots__),
            service.connections.vault,
            made,
            webhooks("highlevel", "https://x.example", made),
            webhooks("invoice_ninja", "https://x.example", made),
            access,
            HighLevel().open(access, OpenGate(), client),
            InvoiceNinja().open(access, OpenGate(), client),
            HighLevelOAuth(client_id="a-b", client_secret=CANARY, base_url="https://x.example", authorize_url=""),
            HighLevelIn(provider="highlevel", name="x", location_id="l", private_token=secret),
            InvoiceNinjaIn(provider="invoice_ninja", name="x", api_token=secret, api_secret=secret),
            SecretsIn(private_token=secret),
        ]
        for holder in holders:
            for shown in (repr(holder), str(holder), f"{[holder]}"):
                assert CANARY not in shown, type(holder)
    await service.client.aclose()
    await service.db.dispose()


_NAMES = ("private_token", "api_token", "api_secret")


async def test_what_came_with_a_request_is_a_secret_of_that_request_only() -> None:
    async def answer() -> str:
        digest(CANARY)
        await passwords.matches(f"{CANARY} pass", None)
        return redacted(f"{CANARY} pass {CANARY} {sessions.form_token(CANARY)}")

    assert await asyncio.create_task(answer()) == f"{HIDDEN} {HIDDEN} {HIDDEN}"
    assert redacted(CANARY) == CANARY
    assert app.redaction._known == {}


async def test_a_request_with_many_secrets_keeps_the_latest() -> None:
    async def answer() -> list[str]:
        for n in range(40):
            keep_secret_here(f"secret-number-{n:04}")
        return [redacted(f"secret-number-{n:04}") for n in (0, 39)]

    assert await asyncio.create_task(answer()) == ["secret-number-0000", HIDDEN]


@pytest.mark.parametrize("secret", ['p"a\\ss wörd+1', 'it\'s "both" ones', "half \ud800 of a pair"])
def test_a_secret_is_found_as_reprs_and_forms_spell_it(secret: str) -> None:
    keep_secret(secret)
    for text in (repr({"a": secret}), json.dumps(secret, ensure_ascii=False), quote_plus(secret, errors="replace")):
        assert HIDDEN in redacted(text), text


def test_a_traceback_is_logged_quickly_without_variables_and_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """Drawn by rich, the same takes seconds, and shows what is in `held`."""
    keep_secret(CANARY, 'p"a\\ss wörd+1')
    before = structlog.get_config()
    try:
        configure("info")
        held = {"password": "in a variable only"}
        try:
            raise ValueError({"token": CANARY, "password": 'p"a\\ss wörd+1', "count": len(held)})
        except ValueError:
            started = time.process_time()
            structlog.get_logger().exception("web.bug")
            seconds = time.process_time() - started
    finally:
        structlog.configure(**before)
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "ValueError: {'token': '[secret]', 'password': '[secret]', 'count': 1}" in said
    assert "in a variable only" not in said
    assert seconds < 1
