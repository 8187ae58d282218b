"""What the endpoints work with. Put on each request by the router, so that they can be plain functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from app.connections import Connections
from app.subscriptions import Subscriptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    public_url: str
    engine: AsyncEngine
    connections: Connections
    subscriptions: Subscriptions


def laid_out(desk: Desk) -> Callable[[Request], None]:
    def lay_out(request: Request) -> None:
        request.state.desk = desk

    return lay_out


def _desk(request: Request) -> Desk:
    return cast(Desk, request.state.desk)


AtDesk = Annotated[Desk, Depends(_desk)]
