"""A plan from the shell, while the service runs."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from tests.bench.backfill import seed
from tests.command import crossledger
from tests.flows.driver import Site, installed


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with installed(forks=True) as site:
        await site.serve()
        await site.connect(live=False)
        yield site


async def said(site: Site, *arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(crossledger, *arguments, env=site.environment(), cwd=site.home)
    return done.returncode, done.stdout + done.stderr


async def test_a_plan_is_made_tried_and_applied_from_the_shell(site: Site) -> None:
    await seed(site, 12)
    status, words = await said(site, "plan", "--bridge", "1")
    assert status == 0, words
    assert "done: 12 create, 12 read" in words
    made = re.search(r"Plan (\d+)", words)
    assert made is not None
    status, words = await said(site, "apply", made[1], "--first", "10")
    assert (status, "done: 10 done" in words) == (0, True), words
    assert len(await site.clients()) == 10
    status, words = await said(site, "apply", made[1], "--go-live")
    assert (status, "done: 2 done" in words) == (0, True), words
    assert await site.rows("SELECT enabled FROM bridges") == [(True,)]
    status, words = await said(site, "runs")
    assert status == 0
    assert [line.split()[2] for line in words.splitlines()[1:]] == ["backfill", "backfill", "plan"]


async def test_what_cannot_be_done_is_said_in_a_sentence(site: Site) -> None:
    assert await said(site, "plan", "--bridge", "9") == (1, "There is no bridge 9.\n")
    assert await said(site, "apply", "9") == (1, "There is no plan 9.\n")
    assert await said(site, "runs", "--pause", "9") == (1, "There is no run 9.\n")
    audit = await site.rows("SELECT actor, action, thing, outcome FROM audit WHERE action = 'run.paused'")
    assert audit == [("command line", "run.paused", "run 9", "refused")]
