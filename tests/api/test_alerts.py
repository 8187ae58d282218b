"""Alerts by the API. No worker runs: it would end what does not hold."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from app.main import build
from app.settings import Settings
from tests.conftest import ADMIN_TOKEN, serving
from tests.notify.house import House


@pytest.fixture
async def house(settings: Settings, database: str) -> AsyncIterator[House]:
    service = build(settings, database)
    async with serving(service, worker=False) as url:
        yield House(service, url=url)


async def shown(house: House, path: str = "", **params: Any) -> Any:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(base_url=house.url, headers=headers, trust_env=False) as admin:
        return (await admin.get(f"/api/v1/alerts{path}", params=params)).raise_for_status().json()


async def alert(house: House, kind: str, thing: str, thing_id: int, *, ended: bool = False, cure: str = "") -> int:
    (row,) = await house.sql(
        "INSERT INTO alerts (kind, thing, thing_id, name, count, cure, since, told_at, ended_at)"
        " VALUES (:kind, :thing, :thing_id, 'Main', 2, :cure, now(), now(), CASE WHEN :ended THEN now() END)"
        " RETURNING id",
        kind=kind,
        thing=thing,
        thing_id=thing_id,
        ended=ended,
        cure=cure,
    )
    return int(row["id"])


async def test_open_and_past_ones_are_listed_in_the_words_they_were_told_in(house: House) -> None:
    past = await alert(house, "conflict", "bridge", 3, ended=True)
    waiting = await alert(house, "conflict", "bridge", 3)
    refused = await alert(house, "reconnect", "connection", 1, cure="Make a new token.")

    async def ids(**params: Any) -> list[int]:
        return [each["id"] for each in (await shown(house, **params))["items"]]

    assert await ids() == [refused, waiting, past]
    assert await ids(open="true") == [refused, waiting]
    assert await ids(open="false") == [past]
    assert await ids(kind="conflict", thing="bridge", thing_id=3) == [waiting, past]
    first = await shown(house, limit=2)
    assert [each["id"] for each in first["items"]] == [refused, waiting]
    assert await ids(cursor=first["next_cursor"]) == [past]
    one = await shown(house, f"/{refused}")
    assert one == first["items"][0]
    assert one["said"]["title"] == "“Main” needs to be reconnected"
    assert one["said"]["cure"] == "Make a new token."
    assert (await shown(house, f"/{past}"))["said"]["title"] == "No decision is needed on “Main” any more"


async def test_only_one_of_a_kind_and_thing_is_open(house: House) -> None:
    await alert(house, "conflict", "bridge", 3)
    await alert(house, "conflict", "bridge", 4)
    await alert(house, "failures", "bridge", 3)
    with pytest.raises(IntegrityError, match="alerts_open"):
        await alert(house, "conflict", "bridge", 3)
