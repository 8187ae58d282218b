"""Claims, reservations and settlements in a real database: who owns a record, and what may be answered."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import RowMapping, text

from app.db import Database
from app.models.event import EventState
from app.queue import Priority, RecordJob
from app.sync.records import Side
from app.sync.store import LinkRow, Settlement, Store, Target
from tests.test_inbox import Way, event, make_place

CRM_ID, CLIENT_ID = "hl_1", "in_1"


@dataclass
class Desk:
    """A store, a way in, and a bridge."""

    way: Way
    store: Store
    bridge_id: int

    def target(self, claim: str = "job-1", record: str = CRM_ID, side: Side = Side.CRM) -> Target:
        return Target(bridge_id=self.bridge_id, object="contact", side=side, external_id=record, claim=claim)

    async def claimed(self, target: Target) -> LinkRow:
        link = await self.store.claim(target)
        assert link is not None
        return link

    async def links(self) -> Sequence[RowMapping]:
        return await self.way.rows("SELECT * FROM links ORDER BY id")

    async def the_link(self) -> RowMapping:
        (link,) = await self.links()
        return link

    async def states(self) -> list[str]:
        return [row["state"] for row in await self.way.events()]

    async def expire_claims(self) -> None:
        await self.way.sql("UPDATE links SET claimed_until = now() - interval '1 second'")

    async def pair(self, claim: str = "job-1") -> tuple[Target, LinkRow]:
        """A settled pair, claimed anew."""
        target = self.target(claim)
        assert await self.store.settle(target, await self.claimed(target), done(billing_id=CLIENT_ID))
        return target, await self.claimed(target)

    def job(self, *, at: datetime) -> RecordJob:
        return RecordJob(
            bridge_id=self.bridge_id,
            object="contact",
            side="crm",
            external_id=CRM_ID,
            priority=Priority.WAITED,
            at=at,
        )

    def activity(self, **changed: Any) -> Mapping[str, Any]:
        told = dict.fromkeys(("crm_id", "billing_id", "action", "cause", "detail"), "")
        return {**told, "bridge_id": self.bridge_id, "object": "contact", "changes": [], **changed}


def done(**link: Any) -> Settlement:
    return Settlement(outcome="created", link={"state": "ok", **link})


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    way = Way.make(database)
    place = await make_place(way.engine)
    way.inbox.start()
    yield Desk(way, Store(way.db, claim_seconds=60), place.bridge_id)
    await way.close()


# -- claim ----------------------------------------------------------------------------------------------------------


async def test_a_claim_makes_the_row_of_a_record_seen_for_the_first_time(desk: Desk) -> None:
    link = await desk.claimed(desk.target())
    assert (link.crm_id, link.billing_id, link.state, link.last_event) == (CRM_ID, None, "pending", 0)


async def test_a_record_that_one_job_owns_is_not_given_to_another(desk: Desk) -> None:
    await desk.claimed(desk.target("job-1"))
    assert await desk.store.claim(desk.target("job-2")) is None
    assert (await desk.the_link())["claim"] == "job-1"


async def test_of_twenty_jobs_that_claim_at_once_one_wins(desk: Desk, database: str) -> None:
    other = Database.at(database)
    stores = [desk.store, Store(other, claim_seconds=60)]
    for n in range(10):
        claims = [stores[j % 2].claim(desk.target(f"job-{n}-{j}", f"hl_{n}")) for j in range(20)]
        won = [link for link in await asyncio.gather(*claims) if link]
        assert len(won) == 1
    await other.dispose()


async def test_a_job_that_runs_again_claims_its_own_row_again(desk: Desk) -> None:
    first = await desk.claimed(desk.target("job-1"))
    second = await desk.claimed(desk.target("job-1"))
    assert first.id == second.id


async def test_an_expired_claim_is_taken_over(desk: Desk) -> None:
    await desk.claimed(desk.target("job-1"))
    await desk.expire_claims()
    await desk.claimed(desk.target("job-2"))
    assert (await desk.the_link())["claim"] == "job-2"


async def test_what_a_dead_run_owned_is_free_at_once_and_what_another_owns_is_not(desk: Desk) -> None:
    await desk.claimed(desk.target("job-1-0"))
    await desk.store.release(desk.target("job-7-0"))
    assert await desk.store.claim(desk.target("job-1-1")) is None
    await desk.store.release(desk.target("job-1-0"))
    await desk.claimed(desk.target("job-1-1"))


async def test_a_run_that_was_taken_for_dead_settles_nothing_when_it_comes_back(desk: Desk) -> None:
    dead, next_ = desk.target("job-1-0"), desk.target("job-1-1")
    late = await desk.claimed(dead)
    await desk.store.release(dead)
    await desk.claimed(next_)
    assert not await desk.store.settle(dead, late, done(billing_id=CLIENT_ID))
    assert (await desk.the_link())["billing_id"] is None


async def test_a_claim_from_the_other_side_of_a_pair_is_refused_as_well(desk: Desk) -> None:
    await desk.pair("job-1")
    assert await desk.store.claim(desk.target("job-2", CLIENT_ID, Side.BILLING)) is None


async def test_a_claim_tells_the_newest_pending_event_and_its_kind(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    await desk.way.accept(event("d2"))
    await desk.way.accept(event("other", "hl_2"))
    newest = (await desk.way.events())[1]
    await desk.way.sql("UPDATE events SET kind = 'ContactCreate' WHERE id = :id", id=newest["id"])
    link = await desk.claimed(desk.target())
    assert (link.last_event, link.cause) == (newest["id"], "ContactCreate")


# -- reserve --------------------------------------------------------------------------------------------------------


async def test_of_two_twins_only_one_may_look_for_a_partner(desk: Desk) -> None:
    crm, billing = desk.target("job-1"), desk.target("job-2", CLIENT_ID, Side.BILLING)
    crm_link, billing_link = await desk.claimed(crm), await desk.claimed(billing)

    assert await desk.store.reserve(crm_link, crm, match_key="email:a@x", creating=Side.BILLING)
    assert not await desk.store.reserve(billing_link, billing, match_key="email:a@x", creating=Side.CRM)


async def test_of_two_twins_that_reserve_in_the_same_instant_one_wins(desk: Desk) -> None:
    for n in range(20):
        crm = desk.target(f"a{n}", f"hl_{n}")
        billing = desk.target(f"b{n}", f"in_{n}", Side.BILLING)
        links = [await desk.claimed(crm), await desk.claimed(billing)]
        won = await asyncio.gather(
            desk.store.reserve(links[0], crm, match_key=f"email:{n}", creating=Side.BILLING),
            desk.store.reserve(links[1], billing, match_key=f"email:{n}", creating=Side.CRM),
        )
        assert sorted(won) == [False, True]


async def test_records_that_have_nothing_in_common_do_not_wait_for_each_other(desk: Desk) -> None:
    one, two = desk.target("job-1"), desk.target("job-2", "hl_2")
    links = [await desk.claimed(one), await desk.claimed(two)]
    assert await desk.store.reserve(links[0], one, match_key="email:a@x", creating=Side.BILLING)
    assert await desk.store.reserve(links[1], two, match_key="email:b@x", creating=Side.BILLING)


async def test_a_job_that_lost_its_claim_reserves_nothing(desk: Desk) -> None:
    late = desk.target("job-1")
    link = await desk.claimed(late)
    await desk.expire_claims()
    await desk.claimed(desk.target("job-2"))

    assert not await desk.store.reserve(link, late, match_key="email:a@x", creating=Side.BILLING)
    assert (await desk.the_link())["match_key"] is None


@pytest.mark.parametrize("ending", ["settle", "postpone"])
async def test_a_twin_may_reserve_when_the_first_has_ended_or_has_sent_nothing(desk: Desk, ending: str) -> None:
    one, two = desk.target("job-1"), desk.target("job-2", "hl_2")
    first, second = await desk.claimed(one), await desk.claimed(two)
    if ending == "settle":
        await desk.store.reserve(first, one, match_key="email:a@x", creating=Side.BILLING)
        await desk.store.settle(one, first, done(billing_id=CLIENT_ID))
    else:
        await desk.store.reserve(first, one, match_key="email:a@x", creating=None)
        await desk.store.postpone(one, first, {}, None)

    assert await desk.store.reserve(second, two, match_key="email:a@x", creating=Side.BILLING)


async def test_a_twin_waits_as_long_as_the_create_of_the_first_may_have_gone_out(desk: Desk) -> None:
    one, two = desk.target("job-1"), desk.target("job-2", "hl_2")
    first, second = await desk.claimed(one), await desk.claimed(two)
    await desk.store.reserve(first, one, match_key="email:a@x", creating=Side.BILLING)
    await desk.store.postpone(one, first, {"state": "retrying"}, None)

    async def tried() -> list[bool]:
        return [await desk.store.reserve(second, two, match_key="email:a@x", creating=Side.BILLING) for _ in range(2)]

    assert await tried() == [False, False]
    async with desk.store.db.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET created_at = now() - interval '61 min' WHERE crm_id <> 'hl_2'"))
    assert await tried() == [False, True]


# -- settle ---------------------------------------------------------------------------------------------------------


async def test_a_settlement_stores_the_pair_the_activity_and_the_answer_and_gives_the_claim_back(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    target = desk.target()
    link = await desk.claimed(target)
    end = Settlement(outcome="created", link={"state": "ok", "billing_id": CLIENT_ID}, activity=desk.activity())

    assert await desk.store.settle(target, link, end)

    row = await desk.the_link()
    assert (row["crm_id"], row["billing_id"], row["claim"], row["claimed_until"]) == (CRM_ID, CLIENT_ID, "", None)
    (activity,) = await desk.way.rows("SELECT * FROM activities")
    assert activity["link_id"] == row["id"]
    (answered,) = await desk.way.events()
    assert (answered["state"], answered["outcome"]) == ("done", "created")
    assert answered["handled_at"] is not None


async def test_a_job_that_lost_its_claim_settles_nothing(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    late = desk.target("job-1")
    link = await desk.claimed(late)
    await desk.expire_claims()
    await desk.claimed(desk.target("job-2"))
    end = Settlement(outcome="created", link={"state": "ok", "billing_id": CLIENT_ID}, activity=desk.activity())

    assert not await desk.store.settle(late, link, end)

    row = await desk.the_link()
    assert (row["claim"], row["billing_id"], row["state"]) == ("job-2", None, "pending")
    assert await desk.states() == ["pending"]
    assert not await desk.way.rows("SELECT * FROM activities")


async def test_a_late_settlement_does_not_take_its_partners_row_away(desk: Desk) -> None:
    late, partner = desk.target("job-1"), desk.target("job-3", CLIENT_ID, Side.BILLING)
    link = await desk.claimed(late)
    await desk.claimed(partner)
    await desk.way.sql("UPDATE links SET claim = 'job-2' WHERE crm_id IS NOT NULL")

    assert not await desk.store.settle(late, link, done(billing_id=CLIENT_ID))
    assert len(await desk.links()) == 2


async def test_the_partners_lonely_row_makes_room(desk: Desk) -> None:
    await desk.claimed(desk.target("job-2", CLIENT_ID, Side.BILLING))
    target = desk.target("job-1")

    assert await desk.store.settle(target, await desk.claimed(target), done(billing_id=CLIENT_ID))

    row = await desk.the_link()
    assert (row["crm_id"], row["billing_id"]) == (CRM_ID, CLIENT_ID)


async def test_a_job_that_loses_its_claim_while_it_makes_room_takes_nothing_away(desk: Desk) -> None:
    target, partner = desk.target("job-1"), desk.target("job-3", CLIENT_ID, Side.BILLING)
    link = await desk.claimed(target)
    lonely = await desk.claimed(partner)
    async with desk.way.engine.connect() as other:
        await other.execute(text("SELECT id FROM links WHERE id = :id FOR UPDATE"), {"id": lonely.id})
        settling = asyncio.create_task(desk.store.settle(target, link, done(billing_id=CLIENT_ID)))
        await asyncio.sleep(0.3)  # it waits for the partner's row
        await desk.way.sql("UPDATE links SET claim = 'job-2' WHERE id = :id", id=link.id)
        await other.rollback()

    assert not await settling
    assert len(await desk.links()) == 2


async def test_a_pair_that_was_cut_makes_room_for_a_new_one(desk: Desk) -> None:
    await desk.pair()
    await desk.way.sql("UPDATE links SET state = 'unlinked', claim = '', claimed_until = NULL")
    target = desk.target("job-2", "hl_2")

    assert await desk.store.settle(target, await desk.claimed(target), done(billing_id=CLIENT_ID))
    assert (await desk.the_link())["crm_id"] == "hl_2"


async def test_a_record_that_belongs_to_a_living_pair_is_not_taken_from_it(desk: Desk) -> None:
    await desk.pair()
    target = desk.target("job-2", "hl_2")

    assert not await desk.store.settle(target, await desk.claimed(target), done(billing_id=CLIENT_ID))
    assert [(row["crm_id"], row["billing_id"]) for row in await desk.links()] == [(CRM_ID, CLIENT_ID), ("hl_2", None)]


async def test_the_job_whose_lonely_row_was_taken_over_settles_nothing(desk: Desk) -> None:
    partner, target = desk.target("job-2", CLIENT_ID, Side.BILLING), desk.target("job-1")
    lonely = await desk.claimed(partner)
    await desk.store.settle(target, await desk.claimed(target), done(billing_id=CLIENT_ID))

    assert not await desk.store.settle(partner, lonely, done(crm_id="hl_another"))
    assert (await desk.the_link())["crm_id"] == CRM_ID


async def test_an_event_that_came_during_the_job_stays_pending(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    target = desk.target()
    link = await desk.claimed(target)
    await desk.way.accept(event("d2"))

    await desk.store.settle(target, link, done())

    assert await desk.states() == ["done", "pending"]


async def test_the_first_event_of_a_record_that_comes_during_a_replay_stays_pending(desk: Desk) -> None:
    target = desk.target()
    link = await desk.claimed(target)
    await desk.way.accept(event("d1"))
    await desk.store.settle(target, link, done())
    assert await desk.states() == ["pending"]


async def test_a_body_that_came_again_during_the_job_stays_pending(desk: Desk) -> None:
    await desk.way.accept(event("c1", by_content=True))
    target = desk.target()
    link = await desk.claimed(target)
    await desk.way.accept(event("c1", by_content=True))

    await desk.store.settle(target, link, done())

    assert await desk.states() == ["pending"]


async def test_a_settlement_answers_its_own_records_events_only(desk: Desk) -> None:
    await desk.way.accept(event("other", "hl_2"))
    await desk.way.accept(event("d1"))
    target = desk.target()
    await desk.store.settle(target, await desk.claimed(target), done())
    assert await desk.states() == ["pending", "done"]


async def test_a_failure_is_told_to_its_events(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    target = desk.target()
    end = Settlement(outcome="failed: no", link={"state": "failed"}, events=EventState.FAILED)
    await desk.store.settle(target, await desk.claimed(target), end)
    (row,) = await desk.way.events()
    assert (row["state"], row["outcome"]) == ("failed", "failed: no")


async def test_a_settlement_whose_activity_cannot_be_stored_stores_nothing(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    target = desk.target()
    link = await desk.claimed(target)
    broken = Settlement(outcome="created", link={"state": "ok"}, activity=desk.activity(action=None))

    assert not await desk.store.settle(target, link, broken)
    assert ((await desk.the_link())["state"], await desk.states()) == ("pending", ["pending"])


# -- postpone, cut, forget, dismiss, find ----------------------------------------------------------------------------


async def test_what_is_postponed_keeps_its_events_and_gets_one_later_job(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    await desk.way.sql("DELETE FROM procrastinate_jobs")
    target, at = desk.target(), datetime.now(UTC) + timedelta(seconds=30)
    for _ in range(2):
        await desk.store.postpone(target, await desk.claimed(target), {"tries": 1}, desk.job(at=at))

    row, (job,) = await desk.the_link(), await desk.way.jobs()
    assert (row["claim"], row["claimed_until"], row["tries"]) == ("", None, 1)
    assert (job["scheduled_at"], job["priority"]) == (at, -5)
    assert await desk.states() == ["pending"]


async def test_a_job_that_lost_its_claim_postpones_without_touching_the_row(desk: Desk) -> None:
    late = desk.target("job-1")
    link = await desk.claimed(late)
    await desk.expire_claims()
    await desk.claimed(desk.target("job-2"))

    await desk.store.postpone(late, link, {"state": "retrying"}, desk.job(at=datetime.now(UTC)))

    row = await desk.the_link()
    assert (row["claim"], row["state"]) == ("job-2", "pending")
    assert len(await desk.way.jobs()) == 1


async def test_a_record_that_another_job_owns_is_asked_for_again_later(desk: Desk) -> None:
    await desk.store.postpone(desk.target(), None, {}, desk.job(at=datetime.now(UTC)))
    assert len(await desk.way.jobs()) == 1


async def test_a_pair_that_a_job_works_on_is_not_cut(desk: Desk) -> None:
    _, link = await desk.pair()
    assert not await desk.store.cut(link, "person")
    assert (await desk.the_link())["state"] == "ok"


async def test_a_pair_that_nobody_works_on_is_cut(desk: Desk) -> None:
    target, link = await desk.pair()
    await desk.store.postpone(target, link, {}, None)
    assert await desk.store.cut(link, "person")
    row = await desk.the_link()
    assert (row["state"], row["problem"]) == ("unlinked", "person")


async def test_a_pair_whose_claim_expired_is_cut(desk: Desk) -> None:
    _, link = await desk.pair()
    await desk.expire_claims()
    assert await desk.store.cut(link, "twin")


async def test_a_record_that_was_gone_before_it_had_a_partner_is_forgotten(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    target = desk.target()
    await desk.store.forget(target, await desk.claimed(target), outcome="gone")
    assert not await desk.links()
    assert await desk.states() == ["done"]


async def test_a_job_that_lost_its_claim_forgets_nothing_and_answers_nothing(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    late = desk.target("job-1")
    link = await desk.claimed(late)
    await desk.expire_claims()
    await desk.claimed(desk.target("job-2"))

    await desk.store.forget(late, link, outcome="gone")

    assert len(await desk.links()) == 1
    assert await desk.states() == ["pending"]


async def test_a_switched_off_bridge_answers_all_its_records_events(desk: Desk) -> None:
    await desk.way.accept(event("d1"))
    await desk.way.accept(event("other", "hl_2"))
    await desk.store.dismiss(desk.target(), "the bridge is switched off")
    assert await desk.states() == ["ignored", "pending"]


async def test_a_row_is_found_by_either_id_and_told_whether_it_is_busy(desk: Desk) -> None:
    target, link = await desk.pair()
    busy = await desk.store.find(target, Side.BILLING, CLIENT_ID)
    await desk.store.postpone(target, link, {}, None)
    free = await desk.store.find(target, Side.CRM, CRM_ID)

    assert busy is not None
    assert free is not None
    assert (busy[0].id, busy[1]) == (link.id, True)
    assert (free[0].id, free[1]) == (link.id, False)
    assert await desk.store.find(target, Side.BILLING, "in_2") is None


async def test_the_store_leaves_no_transaction_open(desk: Desk) -> None:
    target = desk.target()
    link = await desk.claimed(target)
    await desk.store.reserve(link, target, match_key="k", creating=Side.BILLING)
    await desk.store.find(target, Side.CRM, CRM_ID)
    open_ones = await desk.way.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        " AND pid <> pg_backend_pid()"
    )
    assert not open_ones
