"""What the service is set to is told truly, and no secret with it."""

import re
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.inventory import Source, explained
from app.meanings import MEANINGS
from app.settings import Settings
from tests.people.conftest import House

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-" + "c" * 40


def test_every_setting_means_what_the_readme_says() -> None:
    rows = re.findall(
        r"^\| `CROSSLEDGER_([A-Z_]+)` \| .*? \| (.*?) \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    said = {name.lower(): " ".join(meaning.replace("`", "").split()) for name, meaning in rows}
    assert {name: " ".join(meaning.split()) for name, meaning in MEANINGS.items()} == said
    assert sorted(MEANINGS) == sorted(Settings.model_fields)


@pytest.mark.parametrize(
    ("environ", "file", "value", "source"),
    [
        ({}, {}, 8000, Source.DEFAULT),
        ({"CROSSLEDGER_PORT": "9000"}, {}, 9000, Source.ENVIRONMENT),
        ({"crossledger_port": "9000"}, {"CROSSLEDGER_PORT": "7000"}, 9000, Source.ENVIRONMENT),
        ({}, {"CROSSLEDGER_PORT": "7000"}, 7000, Source.FILE),
        ({"CROSSLEDGER_PORT": "9000"}, {}, 5000, Source.START),
        ({}, {}, 5000, Source.START),
    ],
)
def test_each_comes_from_where_it_is_said(
    environ: dict[str, str], file: dict[str, str | None], value: int, source: Source
) -> None:
    settings = Settings(_env_file=None, port=value)
    (port,) = [each for each in explained(settings, environ, file) if each.name == "CROSSLEDGER_PORT"]
    assert (port.value, port.source) == (str(value), source)


def test_of_a_secret_it_is_told_whether_it_is_set_and_nothing_else() -> None:
    secret = SecretStr(CANARY)
    settings = Settings(
        _env_file=None,
        secret_key=secret,
        secret_keys=secret,
        admin_token=secret,
        highlevel_client_secret=secret,
        database_url=f"postgresql://u:{CANARY}@h/d",
    )
    found = explained(settings, {"CROSSLEDGER_SECRET_KEY": CANARY}, {"CROSSLEDGER_ADMIN_TOKEN": CANARY})
    assert CANARY not in str(found)
    assert {each.value for each in found if each.secret} == {"set"}
    assert {each.value for each in explained(Settings(_env_file=None), {}, {}) if each.secret} == {"not set"}


async def test_the_endpoint_tells_of_the_database_and_of_what_is_sealed(house: House) -> None:
    vault = house.service.connections.vault
    insert = "INSERT INTO connections (provider, account_id, sealed) VALUES ('highlevel', :account, :sealed)"
    for account, sealed in (("a", vault.seal({"private_token": CANARY})), ("b", "torn")):
        await house.sql(insert, account=account, sealed=sealed)
    answer = await (await house.bearer()).get("/api/v1/settings")
    shown = answer.raise_for_status().json()
    assert shown["sealed"] == {"newest": 1, "older": 0, "unreadable": 1}
    assert shown["database_bytes"] > 1_000_000
    assert shown["migration"]
    assert not _secrets(answer, house.service.settings)


def _secrets(answer: httpx.Response, settings: Settings) -> list[str]:
    return [each for each in (*settings.secrets, CANARY) if each and each in answer.text]
