"""The simulator as one Starlette app."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.sandbox.control import Control, Controlled
from app.sandbox.highlevel import (
    admin,
    businesses,
    calendars,
    contacts,
    invoice_routes,
    locations,
    notes,
    oauth,
    opportunities,
    products,
    tags,
    tasks,
    users,
)
from app.sandbox.highlevel.config import Config
from app.sandbox.highlevel.errors import NAMES, error_body
from app.sandbox.highlevel.memory import memory_of
from app.sandbox.highlevel.sandbox import Sandbox


def create_app(config: Config) -> Starlette:
    sandbox = Sandbox(config)
    control = Control(
        deliveries=sandbox.deliveries,
        label=sandbox.label,
        reset=sandbox.reset,
        state=lambda: admin.state(sandbox),
        error_body=error_body,
    )
    routes = [
        *contacts.routes(sandbox),
        *locations.routes(sandbox),
        *tasks.routes(sandbox),
        *notes.routes(sandbox),
        *tags.routes(sandbox),
        *businesses.routes(sandbox),
        *users.routes(sandbox),
        *calendars.routes(sandbox),
        *opportunities.routes(sandbox),
        *invoice_routes.routes(sandbox),
        *products.routes(sandbox),
        *oauth.routes(sandbox),
        *admin.routes(sandbox),
        control.routes(),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Controlled, control=control)],
        exception_handlers={404: _no_such_route, 405: _no_such_route},
        lifespan=control.lifespan,
    )
    # A trailing slash is part of the path (contracts/ghl, section 4).
    app.router.redirect_slashes = False
    app.state.memory = memory_of(sandbox)
    return app


async def _no_such_route(request: Request, error: Exception) -> Response:
    message = f"Cannot {request.method} {request.url.path}"
    return JSONResponse({"statusCode": 404, "message": message, "error": NAMES[404]}, 404)
