"""The admin REST API, `/api/v1`: what a person or a script does with connections, bridges and their records."""

from fastapi import Depends, FastAPI

from app.api import (
    activities,
    alerts,
    audit,
    bridges,
    channels,
    choices,
    conflicts,
    connection_health,
    connections,
    copying,
    duplicates,
    events,
    failures,
    jobs,
    links,
    mapping,
    me,
    overview,
    pauses,
    plans,
    records,
    replay,
    runs,
    sandbox,
    service_settings,
    set_ups,
    status_pages,
    subscriptions,
    sweeps,
    tokens,
    undo,
    users,
    versions,
)
from app.api.desk import Desk, laid_out
from app.api.guard import check_declared, guard
from app.api.problems import problems
from app.api.reading import each_once
from app.connections import Connections
from app.notify.notifier import Notifier
from app.runs import Runs
from app.settings import Settings
from app.subscriptions import Subscriptions
from app.trying.host import Host
from app.undo.undoing import Undoing
from app.web.access import API

__all__ = ["install"]

PARTS = (
    overview,
    connections,
    connection_health,
    subscriptions,
    bridges,
    set_ups,
    pauses,
    choices,
    mapping,
    versions,
    copying,
    status_pages,
    plans,
    runs,
    sweeps,
    events,
    links,
    records,
    activities,
    undo,
    replay,
    conflicts,
    duplicates,
    jobs,
    failures,
    alerts,
    channels,
    sandbox,
    service_settings,
    me,
    users,
    tokens,
    audit,
)


def install(
    app: FastAPI, settings: Settings, connections_: Connections, runs_: Runs, undoing: Undoing, host: Host
) -> None:
    """Every route asks who is there, and whether they may; there is no way to leave it out."""
    engine = connections_.engine
    desk = Desk(
        public_url=settings.public_url,
        engine=engine,
        connections=connections_,
        subscriptions=Subscriptions(connections_, settings.public_url, settings.local_url),
        runs=runs_,
        undoing=undoing,
        sandbox=host,
        settings=settings,
    )
    notifier = Notifier.make(settings, engine, connections_)
    app.state.notifier = notifier
    dependencies = [Depends(guard), Depends(each_once), Depends(laid_out(desk, notifier))]
    for part in PARTS:
        check_declared(part.router)
        # Each by itself: FastAPI builds the routes of a router anew for each one around it.
        app.include_router(part.router, prefix=API, dependencies=dependencies, responses=problems(401, 403, 422))
