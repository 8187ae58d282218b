"""Rows put straight into the tables, for lists that are longer than a simulator would make them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from sqlmodel import col

from app.models import Bridge, Connection
from tests.conftest import World


async def put(world: World, model: Any, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Their ids, in the order of the rows."""
    async with world.service.engine.begin() as connection:
        ids = await connection.execute(insert(model).returning(col(model.id), sort_by_parameter_order=True), rows)
        return list(ids.scalars())


async def bridge(world: World, account: str = "a", **changed: Any) -> int:
    """The id of a bridge between two accounts that nobody can call."""
    pair = [
        {
            "provider": provider,
            "name": account,
            "base_url": "https://vendor.invalid",
            "account_id": account,
            "state": "needs_reconnect",
        }
        for provider in ("highlevel", "invoice_ninja")
    ]
    crm, billing = await put(world, Connection, pair)
    row = {"name": account, "crm_connection_id": crm, "billing_connection_id": billing, **changed}
    return (await put(world, Bridge, [row]))[0]
