"""The service is killed in the middle of a plan and of its backfill. The long version is in `make bench`."""

from tests.bench.backfill import survived


async def test_nothing_is_missing_or_there_twice_when_a_backfill_is_killed() -> None:
    found = await survived(rounds=3, people=120, longest=0.8)
    assert found.people == 120
    assert found.clean, found
