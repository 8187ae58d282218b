"""A site with both accounts and their bridge, an owner, and somebody who only looks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.browser.visitor import PASSWORD
from tests.flows.driver import Site, installed

OWNER, VIEWER = "owner@ours.example", "viewer@ours.example"


@asynccontextmanager
async def managed_site(*options: str, **settings: str) -> AsyncIterator[Site]:
    """`options`: of `crossledger serve`."""
    async with installed(forks=True, **settings) as site:
        await site.serve(*options)
        await site.connect()
        async with site.admin() as admin:
            for email, role in ((OWNER, "owner"), (VIEWER, "viewer")):
                body = {"email": email, "password": PASSWORD, "role": role}
                (await admin.post("/api/v1/users", json=body)).raise_for_status()
        yield site
