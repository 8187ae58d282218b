"""Settings: what stops the start says what to set, and nothing shows a secret."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app.errors import ConfigurationError
from app.main import build, web_app
from app.providers.base import Access
from app.settings import Settings

SECRET = "a-good-long-random-secret-key-0123456789"
TOKEN = "a-good-random-token-0123456789"
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither variables nor a .env of the machine that runs the tests."""
    for name in [name for name in os.environ if name.startswith("CROSSLEDGER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings(secret: str = SECRET, token: str = TOKEN) -> Settings:
    return Settings(_env_file=None, secret_key=SecretStr(secret), admin_token=SecretStr(token))


def complaint_of(settings: Settings) -> str:
    with pytest.raises(ConfigurationError) as caught:
        build(settings, NOWHERE)
    return str(caught.value)


def test_with_real_secrets_it_starts() -> None:
    settings().require_secrets()


@pytest.mark.parametrize("secret", ["", "changeme", "CHANGEME", "secret", "x" * 31])
def test_without_a_real_secret_key_the_start_stops_and_says_what_to_set(secret: str) -> None:
    complaint = complaint_of(settings(secret=secret))
    assert complaint.startswith("Set CROSSLEDGER_SECRET_KEY to a random text of at least 32 characters")
    assert "python3 -c" in complaint


@pytest.mark.parametrize("token", ["changeme", "Admin", "token", "x" * 19])
def test_with_an_admin_token_that_can_be_guessed_the_start_stops_and_says_what_to_set(token: str) -> None:
    complaint = complaint_of(settings(token=token))
    assert complaint.startswith("Set CROSSLEDGER_ADMIN_TOKEN to a random text of at least 20 characters")


@pytest.mark.parametrize("token", ["", "  "])
def test_without_an_admin_token_it_starts_for_there_are_users(token: str) -> None:
    settings(token=token).require_secrets()


def test_several_keys_come_newest_first_and_the_single_one_last() -> None:
    newest, middle = "n" * 32, "m" * 32
    read = Settings(
        _env_file=None, secret_keys=SecretStr(f"{newest}, {middle},{SECRET},"), secret_key=SecretStr(SECRET)
    )
    assert read.sealing_keys == (newest, middle, SECRET)
    assert settings().sealing_keys == (SECRET,)
    assert Settings(_env_file=None, secret_keys=SecretStr(newest)).sealing_keys == (newest,)


@pytest.mark.parametrize("keys", ["changeme", f"{SECRET},short", "x" * 31])
def test_each_of_several_keys_must_be_a_real_one(keys: str) -> None:
    complaint = complaint_of(
        Settings(_env_file=None, secret_keys=SecretStr(keys), secret_key=SecretStr(SECRET), admin_token=TOKEN)
    )
    assert complaint.startswith("Set each key of CROSSLEDGER_SECRET_KEYS to a random text of at least 32 characters")
    assert "short" not in complaint


def test_blanks_are_no_secret() -> None:
    assert "CROSSLEDGER_SECRET_KEY" in complaint_of(settings(secret=" " * 40))


def test_a_refused_secret_is_not_repeated() -> None:
    assert "hunter2-hunter2" not in complaint_of(settings(secret="hunter2-hunter2"))


def test_a_webhook_key_that_is_none_stops_the_start() -> None:
    bad = settings().model_copy(update={"highlevel_webhook_public_keys": ("nonsense",)})
    with pytest.raises(ConfigurationError, match="webhook key"):
        web_app(build(bad, NOWHERE), None)


def test_a_database_that_is_no_postgresql_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="CROSSLEDGER_DATABASE_URL must name a PostgreSQL"):
        build(settings(), "sqlite:///x.db")


def test_keys_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSLEDGER_HIGHLEVEL_WEBHOOK_PUBLIC_KEYS", " one , two,, three\n")
    assert Settings().highlevel_webhook_public_keys == ("one", "two", "three")


def test_a_pem_block_of_several_lines_is_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    block = "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----"
    monkeypatch.setenv("CROSSLEDGER_HIGHLEVEL_WEBHOOK_PUBLIC_KEYS", f"{block},{block}\n")
    assert Settings().highlevel_webhook_public_keys == (block, block)


def test_no_keys_are_the_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSLEDGER_HIGHLEVEL_WEBHOOK_PUBLIC_KEYS", "")
    assert Settings().highlevel_webhook_public_keys == ()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PUBLIC_URL": "https://x.example/", "PORT": "9000", "HIGHLEVEL_CLIENT_ID": "a-b"}.items():
        monkeypatch.setenv(f"CROSSLEDGER_{name}", value)
    read = Settings()
    assert (read.public_url, read.port, read.highlevel_client_id) == ("https://x.example", 9000, "a-b")


def test_a_setting_of_the_wrong_kind_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSLEDGER_PORT", "many")
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize("name", ["poll_interval", "stalled_after"])
def test_an_interval_that_would_never_end_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({name: 0})


def test_the_last_try_comes_about_a_day_after_the_first() -> None:
    read = Settings(_env_file=None)
    waits = [min(read.retry_longest, read.retry_first * 2**n) for n in range(read.retry_tries - 1)]
    assert 20 * 3600 < sum(waits) < 26 * 3600


def test_settings_show_no_secret() -> None:
    for shown in (repr(settings()), str(settings()), settings().model_dump_json()):
        assert SECRET not in shown
        assert TOKEN not in shown


def test_an_opened_access_shows_no_secret() -> None:
    access = Access(base_url="http://x", account_id="loc", secrets={"private_token": "pit-1"}, data={"k": "data-1"})
    assert "pit-1" not in repr(access)
    assert "data-1" not in repr(access)


def test_a_database_password_is_not_shown_by_settings() -> None:
    read = Settings(_env_file=None, database_url="postgresql://user:pa55word@127.0.0.1/x")
    assert "pa55word" not in repr(read)


def test_the_agency_s_own_domain_is_an_address() -> None:
    assert Settings(_env_file=None, highlevel_app_url="https://crm.agency.example/").highlevel_app_url.endswith(
        "example"
    )
    for wrong in ("crm.agency.example", "javascript:alert(1)"):
        with pytest.raises(ValidationError, match="highlevel_app_url"):
            Settings(_env_file=None, highlevel_app_url=wrong)
