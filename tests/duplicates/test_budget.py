"""A search inside a vendor's budget: it waits for its turn, and does not begin again."""

import pytest

from app.settings import Settings
from tests.conftest import World
from tests.duplicates.conftest import begin, ended
from tests.duplicates.test_many import fill


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"invoice_ninja_calls": 2, "invoice_ninja_interval": 0.4})


async def test_a_search_waits_for_its_turn_and_goes_on_where_it_was(still: World) -> None:
    """Five pages, of which only one may be read in an interval. From the beginning each time, it would never end."""
    await fill(still, 900)
    await still.forget_calls()
    run = await ended(still, await begin(still, side="billing"))
    assert (run["done"], run["counts"]["clusters"]) == (900, 450)
    assert len(await still.calls(still.ninja)) == 5
