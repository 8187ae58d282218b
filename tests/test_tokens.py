"""The token guardian against the simulator: one exchange for each pair, and no pair lost that can be kept."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import tokens
from app.db import Database
from app.errors import AnswerLost, Inactive, Reconnect, Rejected, Wait
from app.oauth import HighLevelExchange
from app.providers.addresses import Reach
from app.providers.base import Grant
from app.providers.client import LONGEST_ANSWER
from app.providers.highlevel.oauth import SCOPES, HighLevelOAuth
from app.sandbox.highlevel.config import Config
from app.sandbox.processes import Simulator
from app.tokens import ConnectionKeys, Guardian
from app.vault import Vault
from tests.conftest import LOCATION, until

SECRET_KEY = "only-for-tests-" + "x" * 32
CALLBACK = "https://ours.example/oauth/highlevel/callback"


def make_guardian(db: Database, client: httpx.AsyncClient, url: str) -> Guardian:
    guardian = Guardian(db, Vault(SECRET_KEY), {})
    guardian.exchanges = {"highlevel": HighLevelExchange(make_oauth(url), client, guardian)}
    return guardian


def make_oauth(url: str) -> HighLevelOAuth:
    config = Config()
    return HighLevelOAuth(
        client_id=config.client_id,
        client_secret=config.client_secret,
        base_url=url,
        authorize_url=f"{url}/v2/oauth/chooselocation",
        reach=Reach.PRIVATE_TOO,
    )


@dataclass
class Scene:
    """One connected location, a guardian, and the hands of the vendor."""

    db: Database
    vendor: httpx.AsyncClient
    guardian: Guardian
    oauth: HighLevelOAuth
    keys: ConnectionKeys

    async def agree(self, choice: str = LOCATION) -> Grant:
        """What an owner does in a browser."""
        url = self.oauth.authorization_url(
            state="s", redirect_uri=CALLBACK, scopes=[*SCOPES["contact"], *SCOPES["agency"]]
        )
        answer = await self.vendor.get(url, params={**dict(httpx.URL(url).params), "approve": choice})
        (code,) = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
        return await self.oauth.exchange(code, CALLBACK)

    async def sql(self, statement: str, **values: Any) -> None:
        async with self.db.engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def expire(self, seconds: float = -1) -> None:
        self.guardian._known.clear()
        await self.sql("UPDATE tokens SET expires_at = now() + make_interval(secs => :seconds)", seconds=seconds)

    async def row(self) -> dict[str, Any]:
        async with self.db.engine.connect() as connection:
            return dict((await connection.execute(text("SELECT * FROM tokens"))).mappings().one())

    async def exchanges(self) -> int:
        """Calls of the token endpoint since the vendor forgot them."""
        calls = (await self.vendor.get("/_control/requests")).json()["requests"]
        return sum(call["path"] == "/oauth/token" for call in calls)

    async def fault(self, **fault: Any) -> None:
        (await self.vendor.post("/_control/faults", json={"path": "^/oauth/token$", **fault})).raise_for_status()


@pytest.fixture
async def scene(database: str, highlevel_process: Simulator) -> AsyncIterator[Scene]:
    db = Database.at(database)
    async with httpx.AsyncClient(base_url=highlevel_process.url, trust_env=False) as vendor:
        (await vendor.post("/_control/reset")).raise_for_status()
        async with db.engine.begin() as connection:
            connection_id = await connection.scalar(
                text(
                    "INSERT INTO connections (provider, account_id, auth) VALUES ('highlevel', :location, 'oauth')"
                    " RETURNING id"
                ),
                {"location": LOCATION},
            )
        guardian = make_guardian(db, vendor, highlevel_process.url)
        keys = guardian.keys(int(connection_id or 0), "highlevel", LOCATION)
        scene = Scene(db, vendor, guardian, make_oauth(highlevel_process.url), keys)
        await guardian.keep(keys.connection_id, await scene.agree())
        await vendor.delete("/_control/requests")
        yield scene
    await db.dispose()


async def works(scene: Scene, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}", "Version": "2021-07-28"}
    return (await scene.vendor.get(f"/locations/{LOCATION}", headers=headers)).status_code != 401


async def test_a_fresh_token_is_handed_out_without_asking_anybody(scene: Scene) -> None:
    token = await scene.keys.current()
    scene.guardian.db = None  # type: ignore[assignment]
    assert await scene.keys.current() == token
    assert await scene.exchanges() == 0


async def test_issue_tap_gohighlevel_an_expired_token_is_exchanged_and_the_new_pair_is_stored(scene: Scene) -> None:
    old = await scene.keys.current()
    await scene.expire()
    new = await scene.keys.current()
    assert new != old
    assert await works(scene, new)
    row = await scene.row()
    assert (row["version"], row["claim"], row["claimed_until"]) == (2, "", None)
    assert scene.guardian.vault.unseal(row["sealed"])["access_token"] == new


async def test_a_token_is_exchanged_ahead_of_its_expiry(scene: Scene) -> None:
    old = await scene.keys.current()
    await scene.expire(seconds=29 * 60)
    assert await scene.guardian.due() == [(scene.keys.connection_id, "highlevel", LOCATION)]
    assert await scene.keys.current() != old
    assert await scene.guardian.due() == []


async def test_a_pair_beside_a_token_that_a_person_has_entered_since_is_left_alone(scene: Scene) -> None:
    """Its exchange may fail, and that says nothing about the connection."""
    await scene.expire()
    await scene.sql("UPDATE connections SET auth = 'entered'")
    assert await scene.guardian.due() == []


async def test_a_token_that_was_refused_is_exchanged_once_and_known_to_all_who_had_it(scene: Scene) -> None:
    old = await scene.keys.current()
    new = {await scene.keys.renewed(old) for _ in range(3)}
    assert len(new) == 1
    assert old not in new
    assert await scene.exchanges() == 1


async def test_fifty_who_need_an_expired_token_at_once_cause_one_exchange(scene: Scene) -> None:
    await scene.expire()
    given = await asyncio.gather(*(scene.keys.current() for _ in range(50)))
    assert len(set(given)) == 1
    assert await scene.exchanges() == 1


async def test_issue_oauth_jsclient_138_fifty_workers_of_four_processes_cause_one_exchange(
    scene: Scene, database: str, highlevel_process: Simulator
) -> None:
    await scene.expire()
    spawn = multiprocessing.get_context("spawn")
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(4, mp_context=spawn) as pool:
        asked = [
            loop.run_in_executor(
                pool, ask_from_a_process, database, highlevel_process.url, scene.keys.connection_id, count
            )
            for count in (13, 13, 12, 12)
        ]
        given = [token for each in await asyncio.gather(*asked) for token in each]
    assert (len(given), len(set(given))) == (50, 1)
    assert await scene.exchanges() == 1
    assert (await scene.row())["version"] == 2


def ask_from_a_process(database: str, url: str, connection_id: int, count: int) -> list[str]:
    async def ask() -> list[str]:
        db = Database.at(database)
        async with httpx.AsyncClient(trust_env=False) as client:
            keys = make_guardian(db, client, url).keys(connection_id, "highlevel", LOCATION)
            given = await asyncio.gather(*(patiently(keys) for _ in range(count)))
        await db.dispose()
        return list(given)

    return asyncio.run(ask())


async def patiently(keys: ConnectionKeys) -> str:
    while True:
        try:
            return await keys.current()
        except Wait as wait:
            await asyncio.sleep(wait.seconds)


async def test_no_transaction_is_open_during_the_call(scene: Scene) -> None:
    await scene.expire()
    await scene.fault(kind="latency", seconds=0.6, times=1)
    exchanging = asyncio.create_task(scene.keys.current())
    await asyncio.sleep(0.3)
    async with scene.db.single.connect() as connection:
        open_ = await connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%'"
            )
        )
    assert open_ == 0
    assert (await scene.row())["claim"]
    await exchanging


async def test_while_another_exchanges_it_a_token_that_lives_is_used_and_a_dead_one_waits(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "PATIENCE", 0.2)
    old = await scene.keys.current()
    claimed = "UPDATE tokens SET claim = 'another', claimed_until = now() + interval '1 minute'"
    await scene.expire(seconds=600)
    await scene.sql(claimed)
    assert await scene.keys.current() == old
    await scene.expire()
    with pytest.raises(Wait):
        await scene.keys.current()
    assert await scene.exchanges() == 0


async def test_issue_infusionsoft_php_220_nobody_exchanges_a_token_again_while_a_slow_answer_is_awaited(
    scene: Scene,
) -> None:
    assert tokens.CLAIM_SECONDS > 3 * LONGEST_ANSWER, "to connect, to ask and to be answered"
    await scene.expire()
    await scene.fault(kind="latency", seconds=0.5, times=1)
    another = make_guardian(scene.db, scene.vendor, scene.oauth.base_url)
    theirs = another.keys(scene.keys.connection_id, "highlevel", LOCATION)
    given = await asyncio.gather(scene.keys.current(), theirs.current())
    assert len(set(given)) == 1
    assert await scene.exchanges() == 1


async def test_issue_xagent_1454_who_is_refused_after_another_was_quicker_takes_the_others_pair(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that slept through its claim sends a refresh token that another process has spent meanwhile."""
    await scene.fault(kind="status", status=404, path="^/oauth/reconnect$")
    await scene.expire()
    another = make_guardian(scene.db, scene.vendor, scene.oauth.base_url)
    theirs = another.keys(scene.keys.connection_id, "highlevel", LOCATION)
    refresh, given = HighLevelExchange.refresh, []

    async def asleep(self: HighLevelExchange, refresh_token: str, *, agency: bool) -> Grant:
        if self.guardian is scene.guardian:
            await scene.sql("UPDATE tokens SET claimed_until = now() - interval '1 second'")
            given.append(await theirs.current())
        return await refresh(self, refresh_token, agency=agency)

    monkeypatch.setattr(HighLevelExchange, "refresh", asleep)
    assert [await scene.keys.current()] == given
    assert await works(scene, given[0])


async def test_a_process_that_died_in_the_exchange_keeps_nobody_waiting_for_ever(scene: Scene) -> None:
    await scene.expire()
    await scene.sql("UPDATE tokens SET claim = 'dead', claimed_until = now() - interval '1 second'")
    assert await works(scene, await scene.keys.current())


async def test_issue_xagent_1544_a_vendor_in_trouble_leaves_the_pair_as_it_was(scene: Scene) -> None:
    await scene.expire()
    await scene.fault(kind="status", status=500, times=1)
    with pytest.raises(AnswerLost):
        await scene.keys.current()
    row = await scene.row()
    assert (row["version"], row["claim"]) == (1, "")
    assert await works(scene, await scene.keys.current())


async def test_a_vendor_in_trouble_does_not_stop_a_token_that_lives(scene: Scene) -> None:
    old = await scene.keys.current()
    await scene.expire(seconds=600)
    await scene.fault(kind="status", status=500, times=1)
    assert await scene.keys.current() == old


async def test_issue_fastmcp_4264_an_answer_that_was_lost_after_the_pair_was_spent_is_recovered_from(
    scene: Scene,
) -> None:
    await scene.expire()
    await scene.fault(kind="drop_after", times=1)
    with pytest.raises(AnswerLost):
        await scene.keys.current()
    assert await works(scene, await scene.keys.current())  # the old refresh token is invalid by now


async def test_a_crash_between_the_answer_and_the_store_is_recovered_from(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.expire()

    async def crash(*_: Any, **__: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Guardian, "keep", crash)
        held = await scene.guardian._read(scene.keys)
        with pytest.raises(KeyboardInterrupt):
            await scene.guardian._exchange(held, "x")
    assert (await scene.row())["version"] == 1
    assert await works(scene, await scene.keys.current())


async def test_a_job_that_is_cancelled_in_the_exchange_does_not_take_the_new_pair_with_it(scene: Scene) -> None:
    await scene.expire()
    await scene.fault(kind="latency", seconds=0.4, times=1)
    job = asyncio.create_task(scene.keys.current())
    await asyncio.sleep(0.2)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)

    async def stored() -> bool:
        return bool((await scene.row())["version"] == 2)

    await until(stored, 5)
    assert await works(scene, await scene.keys.current())


async def test_a_pair_that_cannot_be_stored_at_once_is_stored_when_the_database_is_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.expire()
    keep, failures = Guardian.keep, 2

    async def sometimes(self: Guardian, *args: Any, **kwargs: Any) -> bool:
        nonlocal failures
        if failures:
            failures -= 1
            raise OperationalError("UPDATE", {}, Exception("the database is away"))
        return await keep(self, *args, **kwargs)

    monkeypatch.setattr(Guardian, "keep", sometimes)
    assert await works(scene, await scene.keys.current())
    assert await scene.exchanges() == 1


async def test_a_refresh_token_does_not_travel_with_a_redirect(scene: Scene) -> None:
    await scene.expire()
    elsewhere = str(scene.vendor.base_url.join("/elsewhere"))
    await scene.fault(kind="status", status=307, headers={"location": elsewhere}, body="moved", times=1)
    with pytest.raises(AnswerLost):
        await scene.keys.current()
    calls = (await scene.vendor.get("/_control/requests")).json()["requests"]
    assert [call["path"] for call in calls] == ["/oauth/token"]


async def test_the_calls_of_oauth_go_where_all_calls_may_go_and_no_further(scene: Scene) -> None:
    inwards = replace(scene.oauth, reach=Reach.INTERNET)
    with pytest.raises(Rejected, match="private network"):
        await inwards.refresh("x", agency=False)
    assert await scene.exchanges() == 0


async def test_issue_highlevel_api_docs_249_a_location_that_is_not_active_keeps_its_pair(scene: Scene) -> None:
    await scene.expire()
    await scene.vendor.post(f"/_control/locations/{LOCATION}", json={"active": False})
    with pytest.raises(Inactive):
        await scene.keys.current()
    await scene.vendor.post(f"/_control/locations/{LOCATION}", json={"active": True})
    assert await works(scene, await scene.keys.current())


async def test_issue_highlevel_api_docs_333_where_reconnect_is_not_offered_any_more_a_person_is_asked(
    scene: Scene,
) -> None:
    await scene.expire()
    await scene.fault(kind="drop_after", times=1)  # the pair is spent, and the new one lost
    await scene.fault(kind="status", status=404, path="^/oauth/reconnect$", body={"message": "Cannot POST"})
    with pytest.raises(AnswerLost):
        await scene.keys.current()
    with pytest.raises(Reconnect, match="Invalid grant"):
        await scene.keys.current()


async def test_where_the_app_was_uninstalled_a_person_is_asked(scene: Scene) -> None:
    await scene.expire()
    await scene.vendor.post("/_control/uninstall", json={"locationId": LOCATION})
    with pytest.raises(Reconnect) as refused:
        await scene.keys.current()
    assert refused.value.connection == scene.keys.connection_id
    assert "Invalid grant" in str(refused.value)


async def test_issue_highlevel_api_docs_285_a_location_whose_pair_is_lost_gets_a_new_one_through_its_agency(
    scene: Scene,
) -> None:
    async with scene.db.engine.begin() as connection:
        agency = await connection.scalar(
            text(
                "INSERT INTO connections (provider, account_id, auth, kind)"
                " VALUES ('highlevel', 'sandboxCompany000001', 'oauth', 'agency') RETURNING id"
            )
        )
    grant = await scene.agree("agency")
    await scene.sql("UPDATE connections SET account_id = :a WHERE kind = 'agency'", a=grant.account_id)
    await scene.guardian.keep(int(agency or 0), grant)
    lost = {"access_token": "gone", "refresh_token": ""}
    await scene.sql("UPDATE tokens SET sealed = :s WHERE NOT agency", s=scene.guardian.vault.seal(lost))
    scene.guardian._known.clear()
    token = await scene.keys.renewed("gone")
    assert await works(scene, token)


async def test_a_pair_is_never_logged(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    before = await scene.guardian._read(scene.keys)
    await scene.expire()
    await scene.keys.current()
    after = await scene.guardian._read(scene.keys)
    shown = "".join(capfd.readouterr()) + repr(before) + repr(scene.keys) + repr(await scene.agree())
    for pair in (before, after):
        assert pair.access_token not in shown
        assert pair.refresh_token not in shown


async def test_an_older_pair_never_replaces_a_newer_one(scene: Scene) -> None:
    held = await scene.guardian._read(scene.keys)
    grant = Grant(
        access_token="late",
        refresh_token="late",
        expires_at=datetime.now(UTC) + timedelta(days=1),
        account_id=LOCATION,
    )
    await scene.expire()
    new = await scene.keys.current()
    assert not await scene.guardian.keep(scene.keys.connection_id, grant, version=held.version)
    assert await scene.keys.current() == new
    assert replace(held, version=2).version == (await scene.row())["version"]
