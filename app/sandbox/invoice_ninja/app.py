"""The simulated Invoice Ninja as a Starlette app."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.sandbox.control import PREFIX, Control, Controlled
from app.sandbox.deliveries import Deliveries
from app.sandbox.invoice_ninja import (
    activities,
    billing,
    catalogue,
    client_routes,
    files,
    misc,
    payments,
    portal,
    purchasing,
    resources,
    tags,
    tasks,
    webhooks,
)
from app.sandbox.invoice_ninja.answers import (
    NOT_SUPPORTED,
    ApiError,
    answer,
    error_body,
    invalid_token,
    refused,
    web_app,
)
from app.sandbox.invoice_ninja.bodies import form_fields, parse
from app.sandbox.invoice_ninja.config import Config
from app.sandbox.invoice_ninja.memory import memory_of
from app.sandbox.invoice_ninja.ninja import Call, Ninja
from app.sandbox.invoice_ninja.resources import Handler, Kind

API = "/api/v1"
KINDS: Mapping[str, Kind] = {
    kind.path: kind
    for kind in (
        client_routes.KIND,
        webhooks.KIND,
        billing.INVOICES,
        billing.QUOTES,
        billing.RECURRING,
        payments.KIND,
        tasks.KIND,
        catalogue.PRODUCTS,
        catalogue.PROJECTS,
        catalogue.STATUSES,
        catalogue.GROUPS,
        purchasing.VENDORS,
        purchasing.CREDITS,
        purchasing.PURCHASE_ORDERS,
    )
}


def create_app(config: Config | None = None) -> Starlette:
    config = config or Config()
    # One queue worker, no time limit: a slow endpoint holds up everything behind it (section 8).
    workers = 1 if config.queue == "database" else 64
    deliveries = Deliveries(seed=config.seed, concurrency=workers, timeout=None, follow_redirects=True)
    ninja = Ninja(config, deliveries)
    kinds = [*KINDS.values(), *([tags.KIND] if config.task_tags else [])]
    control = Control(
        deliveries=deliveries,
        label=ninja.label,
        reset=ninja.reset,
        state=lambda: _state(ninja),
        error_body=error_body,
    )
    routes = [
        Route(f"{PREFIX}/webhooks", webhooks.subscribe(ninja), methods=["POST"]),
        control.routes(),
        *(route for kind in kinds for route in _routes(ninja, kind)),
        *_other_routes(ninja),
        Route("/{path:path}", web_app_page, methods=["GET"]),
        Route("/{path:path}", not_supported, methods=["POST", "PUT", "PATCH", "DELETE"]),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Controlled, control=control)],
        lifespan=control.lifespan,
    )
    app.state.memory = memory_of(ninja)
    return app


def _routes(ninja: Ninja, kind: Kind) -> list[Route]:
    path = f"{API}/{kind.path}"
    one = path + "/{id}"
    own = [
        ("GET", path, resources.list_rows(kind)),
        ("POST", path, resources.create_row(kind)),
        ("GET", f"{path}/create", resources.blank_row(kind)),
        ("POST", f"{path}/bulk", resources.bulk(kind)),
        ("GET", one, resources.show_row(kind)),
        ("GET", f"{one}/edit", resources.show_row(kind)),
        ("PUT", one, resources.update_row(kind)),
        ("PATCH", one, resources.update_row(kind)),
        ("DELETE", one, resources.delete_row(kind)),
        ("POST", f"{one}/upload", files.upload(kind)),
    ]
    return [_route(ninja, *each) for each in own]


def _other_routes(ninja: Ninja) -> list[Route]:
    own: list[tuple[str, str, Handler]] = [
        ("POST", "/clients/{id}/purge", client_routes.purge),
        ("POST", "/clients/{id}/{other}/merge", client_routes.merge),
        ("POST", "/clients/{id}/updateTaxData", client_routes.update_tax_data),
        ("POST", "/webhooks/{id}/retry", webhooks.retry(KINDS)),
        ("GET", "/invoices/{id}/{action}", billing.single_action(billing.INVOICES)),
        ("GET", "/quotes/{id}/{action}", billing.single_action(billing.QUOTES)),
        ("POST", "/emails", billing.send_email),
        ("POST", "/payments/refund", payments.refund),
        ("POST", "/activities/notes", activities.add_note),
        ("POST", "/activities/entity", activities.of_entity),
        ("GET", "/activities", activities.list_all),
        ("GET", "/documents", files.list_documents),
        ("POST", "/client_statement", files.statement),
        ("GET", "/ping", misc.ping),
        ("GET", "/health_check", misc.health_check),
        ("GET", "/statics", misc.show_statics),
        ("POST", "/companies/current", misc.current_company),
        ("PUT", "/companies/{id}", misc.update_company),
        ("POST", "/refresh", misc.refresh),
        ("POST", "/tokens", misc.create_token),
        ("GET", "/tokens", misc.list_tokens),
        ("GET", "/tokens/{id}", misc.show_token),
        ("DELETE", "/tokens/{id}", misc.delete_token),
    ]
    return [
        _route(ninja, "POST", f"{API}/login", misc.login, is_open=True),
        _route(ninja, "GET", "/client/{entity}/{key}", portal.view, is_open=True),
        *(_route(ninja, method, API + path, handler) for method, path, handler in own),
    ]


def _route(ninja: Ninja, method: str, path: str, handler: Handler, *, is_open: bool = False) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            call = await _read(ninja, request, is_open=is_open)
            return await handler(ninja, call)
        except ApiError as error:
            home = f"{request.url.scheme}://{request.url.netloc}"
            return refused(error, wants_json=_wants_json(request), home=home)

    return Route(path, endpoint, methods=[method])


async def _read(ninja: Ninja, request: Request, *, is_open: bool) -> Call:
    headers = request.headers
    token = headers.get("x-api-token", "")
    if token not in ninja.tokens and not is_open:
        raise invalid_token()
    body = {} if request.method == "GET" else await _body(request)
    return Call(
        token=token,
        label=ninja.tokens.get(token, ""),
        query=request.query_params,
        body=body,
        headers=headers,
        path=request.path_params,
        base_url=f"http://{headers.get('host', '127.0.0.1')}",
    )


async def _body(request: Request) -> dict[str, Any]:
    media_type = request.headers.get("content-type", "")
    if not media_type.startswith("multipart/form-data"):
        return parse(await request.body(), media_type)
    async with request.form() as form:
        return form_fields([(name, await _part(value)) for name, value in form.multi_items()])


async def _part(value: str | UploadFile) -> Any:
    return value if isinstance(value, str) else (value.filename or "", await value.read(), value.content_type or "")


def _wants_json(request: Request) -> bool:
    headers = request.headers
    return "json" in headers.get("accept", "") or headers.get("x-requested-with") == "XMLHttpRequest"


async def web_app_page(request: Request) -> Response:
    return web_app()


async def not_supported(request: Request) -> Response:
    return answer({"message": NOT_SUPPORTED}, 404)


def _state(ninja: Ninja) -> dict[str, Any]:
    return {name: list(table.rows.values()) for name, table in ninja.tables.items() if table.rows}
