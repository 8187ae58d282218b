"""Who may use the API: for each endpoint, the least role. An endpoint that is not in this table is not served."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.routing import BaseRoute

from app.api.body import Bounded
from app.people.roles import Principal, Role
from app.web.access import API, SAFE, admitted

NEEDED = {
    ("GET", "/me"): Role.VIEWER,
    ("GET", "/overview"): Role.VIEWER,
    ("GET", "/connections"): Role.VIEWER,
    ("POST", "/connections"): Role.OPERATOR,
    ("GET", "/connections/{connection_id}"): Role.VIEWER,
    ("DELETE", "/connections/{connection_id}"): Role.OWNER,
    ("GET", "/connections/{connection_id}/health"): Role.VIEWER,
    ("POST", "/connections/{connection_id}/check"): Role.OPERATOR,
    ("POST", "/connections/{connection_id}/webhook-secrets"): Role.OWNER,
    ("GET", "/connections/{connection_id}/webhooks"): Role.OPERATOR,
    ("POST", "/connections/{connection_id}/webhooks/install"): Role.OPERATOR,
    ("DELETE", "/connections/{connection_id}/webhooks"): Role.OPERATOR,
    ("GET", "/bridges"): Role.VIEWER,
    ("POST", "/bridges"): Role.OPERATOR,
    ("GET", "/bridges/{bridge_id}"): Role.VIEWER,
    ("PATCH", "/bridges/{bridge_id}"): Role.OPERATOR,
    ("DELETE", "/bridges/{bridge_id}"): Role.OWNER,
    ("GET", "/bridges/{bridge_id}/mapping/{object}"): Role.VIEWER,
    ("POST", "/bridges/{bridge_id}/mapping/preview"): Role.OPERATOR,
    ("GET", "/bridges/{bridge_id}/versions"): Role.VIEWER,
    ("GET", "/bridges/{bridge_id}/versions/{number}"): Role.VIEWER,
    ("POST", "/bridges/{bridge_id}/versions/{number}/restore"): Role.OPERATOR,
    ("GET", "/bridges/{bridge_id}/status-page"): Role.VIEWER,
    ("PUT", "/bridges/{bridge_id}/status-page"): Role.OPERATOR,
    ("DELETE", "/bridges/{bridge_id}/status-page"): Role.OPERATOR,
    ("POST", "/bridges/{bridge_id}/sweep"): Role.OPERATOR,
    ("POST", "/bridges/{bridge_id}/stop"): Role.OPERATOR,
    ("POST", "/bridges/stop"): Role.OPERATOR,
    ("POST", "/bridges/resume"): Role.OPERATOR,
    ("POST", "/bridges/{bridge_id}/objects/{object}/pause"): Role.OPERATOR,
    ("POST", "/bridges/{bridge_id}/objects/{object}/resume"): Role.OPERATOR,
    ("POST", "/connections/{connection_id}/pause"): Role.OPERATOR,
    ("POST", "/connections/{connection_id}/resume"): Role.OPERATOR,
    ("GET", "/set-ups"): Role.VIEWER,
    ("GET", "/set-ups/{bridge_id}"): Role.VIEWER,
    ("PATCH", "/set-ups/{bridge_id}"): Role.OPERATOR,
    ("POST", "/set-ups/{bridge_id}/steps/{step}"): Role.OPERATOR,
    ("POST", "/set-ups/{bridge_id}/live"): Role.OPERATOR,
    ("GET", "/set-ups/{bridge_id}/objects"): Role.VIEWER,
    ("GET", "/set-ups/{bridge_id}/objects/{object}/fields"): Role.VIEWER,
    ("GET", "/set-ups/{bridge_id}/values"): Role.VIEWER,
    ("GET", "/set-ups/{bridge_id}/matching"): Role.VIEWER,
    ("POST", "/set-ups/{bridge_id}/count"): Role.OPERATOR,
    ("POST", "/bridges/{bridge_id}/copy/preview"): Role.OPERATOR,
    ("POST", "/bridges/{bridge_id}/copy"): Role.OPERATOR,
    ("GET", "/bridges/{bridge_id}/health"): Role.VIEWER,
    ("GET", "/events"): Role.VIEWER,
    ("GET", "/events/{event_id}"): Role.VIEWER,
    ("POST", "/events/{event_id}/replay"): Role.OPERATOR,
    ("GET", "/links"): Role.VIEWER,
    ("GET", "/records"): Role.VIEWER,
    ("GET", "/links/{link_id}"): Role.VIEWER,
    ("GET", "/conflicts"): Role.VIEWER,
    ("GET", "/conflicts/{link_id}"): Role.VIEWER,
    ("POST", "/conflicts/decide"): Role.OPERATOR,
    ("POST", "/conflicts/{link_id}/decide"): Role.OPERATOR,
    ("GET", "/links/{link_id}/history"): Role.VIEWER,
    ("GET", "/links/{link_id}/timeline"): Role.VIEWER,
    ("POST", "/links/{link_id}/sync"): Role.OPERATOR,
    ("POST", "/links/{link_id}/exclude"): Role.OPERATOR,
    ("POST", "/links/{link_id}/include"): Role.OPERATOR,
    ("POST", "/links/{link_id}/unlink"): Role.OPERATOR,
    ("POST", "/links/{link_id}/relink"): Role.OPERATOR,
    ("GET", "/activities"): Role.VIEWER,
    ("GET", "/activities/export"): Role.VIEWER,
    ("GET", "/activities/{activity_id}"): Role.VIEWER,
    ("GET", "/activities/{activity_id}/exchange"): Role.VIEWER,
    ("GET", "/jobs"): Role.VIEWER,
    ("POST", "/jobs/retry"): Role.OPERATOR,
    ("POST", "/jobs/{job_id}/retry"): Role.OPERATOR,
    ("POST", "/bridges/{bridge_id}/plan"): Role.OPERATOR,
    ("GET", "/plans/{run_id}"): Role.VIEWER,
    ("GET", "/plans/{run_id}/items"): Role.VIEWER,
    ("GET", "/plans/{run_id}/export"): Role.VIEWER,
    ("POST", "/plans/{run_id}/apply"): Role.OPERATOR,
    ("GET", "/runs"): Role.VIEWER,
    ("GET", "/runs/{run_id}"): Role.VIEWER,
    ("POST", "/runs/{run_id}/pause"): Role.OPERATOR,
    ("POST", "/runs/{run_id}/resume"): Role.OPERATOR,
    ("POST", "/runs/{run_id}/cancel"): Role.OPERATOR,
    ("POST", "/undo/preview"): Role.OPERATOR,
    ("POST", "/undo"): Role.OPERATOR,
    ("GET", "/undo/{run_id}/items"): Role.VIEWER,
    ("GET", "/undo/{run_id}/items.csv"): Role.VIEWER,
    ("POST", "/replay"): Role.OPERATOR,
    ("GET", "/failures"): Role.VIEWER,
    ("GET", "/failures/{key}/records"): Role.VIEWER,
    ("POST", "/failures/retry"): Role.OPERATOR,
    ("GET", "/alerts"): Role.VIEWER,
    ("GET", "/alerts/{alert_id}"): Role.VIEWER,
    ("GET", "/channels"): Role.VIEWER,
    ("POST", "/channels"): Role.OPERATOR,
    ("GET", "/channels/{channel_id}"): Role.VIEWER,
    ("PATCH", "/channels/{channel_id}"): Role.OPERATOR,
    ("DELETE", "/channels/{channel_id}"): Role.OPERATOR,
    ("POST", "/channels/{channel_id}/test"): Role.OPERATOR,
    ("POST", "/channels/{channel_id}/secret"): Role.OWNER,
    ("POST", "/bridges/{bridge_id}/duplicates"): Role.OPERATOR,
    ("GET", "/bridges/{bridge_id}/duplicates"): Role.VIEWER,
    ("GET", "/duplicates"): Role.VIEWER,
    ("GET", "/duplicates/{cluster_id}"): Role.VIEWER,
    ("POST", "/duplicates/{cluster_id}/dismiss"): Role.OPERATOR,
    ("POST", "/duplicates/{cluster_id}/reopen"): Role.OPERATOR,
    ("POST", "/duplicates/{cluster_id}/merge"): Role.OPERATOR,
    ("GET", "/sandbox"): Role.VIEWER,
    ("POST", "/sandbox"): Role.OWNER,
    ("DELETE", "/sandbox"): Role.OWNER,
    ("GET", "/sandbox/people"): Role.VIEWER,
    ("POST", "/sandbox/people"): Role.OPERATOR,
    ("PATCH", "/sandbox/people/{side}/{person_id}"): Role.OPERATOR,
    ("DELETE", "/sandbox/people/{side}/{person_id}"): Role.OPERATOR,
    ("POST", "/sandbox/troubles"): Role.OPERATOR,
    ("DELETE", "/sandbox/troubles"): Role.OPERATOR,
    ("GET", "/users"): Role.OWNER,
    ("POST", "/users"): Role.OWNER,
    ("GET", "/users/{user_id}"): Role.OWNER,
    ("PATCH", "/users/{user_id}"): Role.OWNER,
    ("DELETE", "/users/{user_id}"): Role.OWNER,
    ("GET", "/tokens"): Role.OWNER,
    ("POST", "/tokens"): Role.OWNER,
    ("GET", "/tokens/{token_id}"): Role.OWNER,
    ("DELETE", "/tokens/{token_id}"): Role.OWNER,
    ("GET", "/audit"): Role.OWNER,
    ("GET", "/settings"): Role.OWNER,
}

# For the documentation only: `guard` reads both by itself.
_BEARER = HTTPBearer(scheme_name="ApiToken", description="An API token, or CROSSLEDGER_ADMIN_TOKEN.", auto_error=False)
_COOKIE = APIKeyCookie(
    name="__Host-crossledger",
    scheme_name="Session",
    description="A browser that is logged in (over http: the cookie `crossledger`). Whatever changes something must"
    " carry `X-CSRF-Token` with the `csrf_token` of GET /api/v1/me.",
    auto_error=False,
)


async def guard(
    request: Request, _bearer: Annotated[object, Depends(_BEARER)], _cookie: Annotated[object, Depends(_COOKIE)]
) -> Principal:
    """The principal, who may use this endpoint."""
    return await admitted(request, NEEDED[request.method, request.scope["route"].path.removeprefix(API)])


Caller = Annotated[Principal, Depends(guard)]


def check_declared(part: APIRouter) -> None:
    """Stops a start with an endpoint whose role nobody has declared, or whose writes would not be in the audit log."""
    for route in part.routes:
        for method, path in _endpoints(route):
            if (method, path) not in NEEDED:
                raise RuntimeError(f"{method} {path} has no role: put it into app.api.guard.NEEDED")
            if method not in SAFE and not isinstance(route, Bounded):
                raise RuntimeError(f"{method} {path} is not in the audit log: its router needs route_class=Bounded")


def _endpoints(route: BaseRoute) -> list[tuple[str, str]]:
    if not isinstance(route, APIRoute):
        raise RuntimeError(f"{route} is no endpoint by itself: include its router in app.api")
    return [(method, route.path) for method in route.methods or ()]
