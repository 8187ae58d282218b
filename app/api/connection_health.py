"""How connections are doing: what they may still spend, when their token ends, and what they delivered last."""

from collections.abc import Collection, Iterable, Mapping

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import col

from app.api.desk import AtDesk, Desk
from app.api.fields import Id, Moment
from app.api.problems import problems
from app.api.reading import one
from app.api.schemas import ConnectionOut
from app.api.sweeps import KindOut
from app.budget import Spent
from app.directory import BridgeView
from app.models import Connection, Token
from app.models.connection import Auth
from app.sweep.health import last_heard

router = APIRouter(prefix="/connections", tags=["connections"])


AMONG = 500
"""Webhooks of each connection whose kinds are told: a page shows twenty connections at once."""


class BudgetOut(BaseModel):
    """What the vendor's rate limit leaves. A limit of 0 is none, and null is left of it."""

    calls: int = Field(description="So many calls may leave in any `interval`")
    interval: float = Field(description="Seconds")
    left: int | None = Field(description="Of `calls`, now")
    per_day: int = Field(description="So many may leave in a UTC day")
    today: int = Field(description="So many have left today")
    left_today: int | None
    closed_until: Moment | None = Field(description="The vendor has asked us to wait until then")
    told_left: int | None = Field(
        description="What the vendor itself said to be left of its day; null: it says nothing"
    )
    told_at: Moment | None = Field(description="When it said so")


class ConnectionHealthOut(BaseModel):
    budget: BudgetOut | None = Field(description="Null: its vendor sets no limit")
    token_expires_at: Moment | None = Field(description="Of consent in a browser: it is renewed before, by itself")
    last_delivery: Moment | None = Field(description="When a webhook last came")
    kinds: list[KindOut] = Field(description=f"The kinds of its latest {AMONG} webhooks")
    missing: list[str] = Field(description="Kinds that tell of what its bridges keep in step, and are not among these")


@router.get("/{connection_id}/health", summary="Show how a connection is doing", responses=problems(404))
async def show_connection_health(desk: AtDesk, connection_id: Id) -> ConnectionHealthOut:
    """From what is known here: nothing is asked of the vendor."""
    row = ConnectionOut.model_validate(await one(desk.engine, Connection, connection_id))
    return (await health_of(desk, [row]))[connection_id]


async def health_of(desk: Desk, rows: Iterable[ConnectionOut]) -> Mapping[int, ConnectionHealthOut]:
    """By id."""
    shown = {row.id: row for row in rows}
    providers = {id_: row.provider for id_, row in shown.items()}
    spent = await desk.connections.budgets.spent(providers)
    expiry = select(col(Token.connection_id), col(Token.expires_at)).where(col(Token.connection_id).in_(providers))
    bridges = await desk.connections.directory.bridges()
    async with desk.engine.connect() as connection:
        expires = {row.connection_id: row.expires_at for row in await connection.execute(expiry)}
        kinds = await last_heard(connection, providers, among=AMONG)
    return {
        id_: ConnectionHealthOut(
            budget=_budget(spent[id_]) if id_ in spent else None,
            token_expires_at=expires.get(id_),
            last_delivery=max((at for _, at in kinds[id_]), default=None),
            kinds=[KindOut(kind=kind, last_at=at) for kind, at in kinds[id_]],
            missing=_missing(desk, row, bridges, {kind for kind, _ in kinds[id_]}),
        )
        for id_, row in shown.items()
    }


def _missing(desk: Desk, row: ConnectionOut, bridges: Iterable[BridgeView], heard: Collection[str]) -> list[str]:
    """Where no bridge is live, nothing is expected."""
    used = [each for each in bridges if row.id in (each.crm.id, each.billing.id)]
    objects = {name for each in used for name in each.settings.objects()}
    expected = desk.connections.provider(row.provider).kinds(objects, heard, entered=row.auth == Auth.ENTERED)
    return [kind for kind in expected if used and kind not in heard]


def _budget(spent: Spent) -> BudgetOut:
    limit = spent.limit
    return BudgetOut(
        calls=limit.calls,
        interval=limit.interval,
        left=max(0, limit.calls - spent.recent) if limit.calls else None,
        per_day=limit.per_day,
        today=spent.today,
        left_today=max(0, limit.per_day - spent.today) if limit.per_day else None,
        closed_until=spent.closed_until,
        told_left=spent.told_left,
        told_at=spent.told_at,
    )
