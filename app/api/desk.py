"""What the endpoints work with. Put on each request by the router, so that they can be plain functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from app.connections import Connections
from app.notify.notifier import Notifier
from app.runs import Runs
from app.settings import Settings
from app.subscriptions import Subscriptions
from app.trying.host import Host
from app.undo.undoing import Undoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    public_url: str
    engine: AsyncEngine
    connections: Connections
    subscriptions: Subscriptions
    runs: Runs
    undoing: Undoing
    sandbox: Host
    settings: Settings


def laid_out(desk: Desk, notifier: Notifier) -> Callable[[Request], None]:
    def lay_out(request: Request) -> None:
        request.state.desk = desk
        request.state.notifier = notifier

    return lay_out


def _desk(request: Request) -> Desk:
    return cast(Desk, request.state.desk)


AtDesk = Annotated[Desk, Depends(_desk)]


def _notifier(request: Request) -> Notifier:
    return cast(Notifier, request.state.notifier)


ByNotifier = Annotated[Notifier, Depends(_notifier)]
