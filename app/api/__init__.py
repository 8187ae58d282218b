"""The admin REST API, `/api/v1`: what a person or a script does with connections, bridges and their records."""

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api import activities, bridges, connections, events, jobs, links, subscriptions
from app.api.desk import Desk, laid_out
from app.api.guard import Guard
from app.api.problems import problems
from app.connections import Connections
from app.settings import Settings
from app.subscriptions import Subscriptions

__all__ = ["make_router"]


def make_router(settings: Settings, engine: AsyncEngine, connections_: Connections) -> APIRouter:
    """Every route below asks for the admin token; there is no way to leave it out."""
    desk = Desk(
        public_url=settings.public_url,
        engine=engine,
        connections=connections_,
        subscriptions=Subscriptions(connections_, settings.public_url),
    )
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[Depends(Guard(settings.admin_token)), Depends(laid_out(desk))],
        responses=problems(401, 422),
    )
    for part in (connections, subscriptions, bridges, events, links, activities, jobs):
        router.include_router(part.router)
    return router
