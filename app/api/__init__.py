"""The admin REST API, `/api/v1`: what a person or a script does with connections, bridges and their records."""

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api import activities, audit, bridges, connections, events, jobs, links, me, subscriptions, tokens, users
from app.api.desk import Desk, laid_out
from app.api.guard import check_declared, guard
from app.api.problems import problems
from app.api.reading import each_once
from app.connections import Connections
from app.settings import Settings
from app.subscriptions import Subscriptions
from app.web.access import API

__all__ = ["make_router"]

PARTS = (connections, subscriptions, bridges, events, links, activities, jobs, me, users, tokens, audit)


def make_router(settings: Settings, engine: AsyncEngine, connections_: Connections) -> APIRouter:
    """Every route below asks who is there, and whether they may; there is no way to leave it out."""
    desk = Desk(
        public_url=settings.public_url,
        engine=engine,
        connections=connections_,
        subscriptions=Subscriptions(connections_, settings.public_url),
    )
    router = APIRouter(
        prefix=API,
        dependencies=[Depends(guard), Depends(each_once), Depends(laid_out(desk))],
        responses=problems(401, 403, 422),
    )
    for part in PARTS:
        check_declared(part.router)
        router.include_router(part.router)
    return router
