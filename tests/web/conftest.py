"""Fixtures of the pages."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.conftest import World
from tests.web.consent import log_in


@pytest.fixture
async def browser(bare_world: World) -> AsyncIterator[httpx.AsyncClient]:
    """An owner who is logged in. Redirects are followed by hand, so that each is seen."""
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as browser:
        await log_in(bare_world, browser)
        yield browser
