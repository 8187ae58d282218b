"""The OAuth flow: contracts/ghl, sections 1.1 to 1.4. Only what the documentation shows; no PKCE, no reconnect."""

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.sandbox.highlevel.errors import ApiError, bad_request, unauthorized
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, refusal
from app.sandbox.highlevel.store import COMPANY_ID, iso, now
from app.sandbox.highlevel.tokens import Issued, Owner, is_company

USER_ID = "sandboxUser000000001"
AGENCY = "agency"


def routes(sandbox: Sandbox) -> list[Route]:
    async def choose(request: Request) -> Response:
        return _choose_location(sandbox, request)

    async def token(request: Request) -> Response:
        try:
            return JSONResponse(_token(sandbox, await _form(request)))
        except ApiError as error:
            return refusal(error)

    async def reconnect(request: Request) -> Response:
        try:
            return JSONResponse(_reconnect(sandbox, await request.json()))
        except ApiError as error:
            return refusal(error)

    installed = endpoint(sandbox, "oauth.readonly", _installed_locations, agency=True)
    location_token = endpoint(sandbox, "oauth.write", _location_token, agency=True)
    return [
        Route("/v2/oauth/chooselocation", choose, methods=["GET"]),
        Route("/oauth/chooselocation", choose, methods=["GET"]),
        Route("/oauth/token", token, methods=["POST"]),
        Route("/oauth/reconnect", reconnect, methods=["POST"]),
        Route("/oauth/locationToken", location_token, methods=["POST"]),
        Route("/oauth/installedLocations", installed, methods=["GET"]),
    ]


def _choose_location(sandbox: Sandbox, request: Request) -> Response:
    """A page with a button for each choice, which comes back here with `approve`, and one to cancel, with `refuse`."""
    asked = request.query_params
    client = asked.get("client_id") == sandbox.config.client_id
    if not client or asked.get("response_type") != "code" or not asked.get("redirect_uri"):
        return HTMLResponse("<h1>This app cannot be installed: check client_id, response_type, redirect_uri</h1>", 400)
    if choice := asked.get("approve"):
        return _approve(sandbox, choice, asked.get("scope", ""), asked["redirect_uri"], asked.get("state"))
    if "refuse" in asked:
        return _refuse(asked["redirect_uri"], asked.get("state"))
    return HTMLResponse(_consent(sandbox, asked))


def _consent(sandbox: Sandbox, asked: Mapping[str, str]) -> str:
    kept = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(asked[name])}">' for name in asked)
    scopes = "".join(f"<li>{escape(scope)}</li>" for scope in asked.get("scope", "").split())
    choices = [(location.id, location.name) for location in sandbox.store.locations.values()]
    buttons = "".join(
        f'<p><button name="approve" value="{escape(value)}">{escape(name)}</button></p>'
        for value, name in [*choices, (AGENCY, "The whole agency")]
    )
    return (
        '<!doctype html><html lang="en"><title>Sandbox HighLevel</title><h1>Choose a location</h1>'
        f"<p>The app asks for:</p><ul>{scopes}</ul><p>Agree for:</p>"
        f'<form>{kept}{buttons}<p><button name="refuse" value="yes">Cancel</button></p></form></html>'
    )


def _refuse(redirect_uri: str, state: str | None) -> Response:
    """HighLevel documents no refusal; this is OAuth's own (RFC 6749, section 4.1.2.1)."""
    said = {"error": "access_denied", "error_description": "The user denied the request"}
    return _back(redirect_uri, said | ({"state": state} if state else {}))


def _approve(sandbox: Sandbox, choice: str, scope: str, redirect_uri: str, state: str | None) -> Response:
    scopes = frozenset(scope.split())
    if choice == AGENCY:
        owner = Owner(user_type="Company", scopes=scopes)
    elif choice in sandbox.store.locations:
        owner = Owner(user_type="Location", location_id=choice, scopes=scopes)
    else:
        return HTMLResponse("<h1>No such location</h1>", 400)
    given = {"code": sandbox.tokens.new_code(owner)} | ({"state": state} if state else {})
    return _back(redirect_uri, given)


def _back(redirect_uri: str, given: Mapping[str, str]) -> Response:
    joint = "&" if "?" in redirect_uri else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(given)}", 302)


async def _form(request: Request) -> dict[str, str]:
    """Empty for any other content type: the spec has the form only (contracts/ghl, section 1.2)."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


def _token(sandbox: Sandbox, form: dict[str, str]) -> dict[str, Any]:
    for name in ("client_id", "client_secret", "grant_type"):
        if name not in form:
            raise bad_request(f"Missing parameter: {name}")
    if (form["client_id"], form["client_secret"]) != (sandbox.config.client_id, sandbox.config.client_secret):
        raise unauthorized("Invalid client: client credentials are invalid")
    grant = form["grant_type"]
    if grant == "authorization_code":
        owner = sandbox.tokens.use_code(_given(form, "code"))
        for location in sandbox.store.locations.values():
            location.installed |= owner.location_id in ("", location.id)
        if owner.location_id:
            sandbox.webhooks.emit("INSTALL", owner.location_id, {"companyId": COMPANY_ID, "installType": "Location"})
    elif grant == "refresh_token":
        inactive = [each.id for each in sandbox.store.locations.values() if not each.active]
        owner = sandbox.tokens.use_refresh(_given(form, "refresh_token"), inactive)
    else:
        raise bad_request("Invalid parameter: grant_type")
    return _shown(sandbox.tokens.issue(owner, sandbox.config.access_token_seconds), sandbox)


def _reconnect(sandbox: Sandbox, body: dict[str, str]) -> dict[str, str]:
    """A code for an account where the app is still installed: in the help pages only (contracts/ghl, section 1.2)."""
    if (body.get("clientKey"), body.get("clientSecret")) != (sandbox.config.client_id, sandbox.config.client_secret):
        raise unauthorized("Invalid client: client credentials are invalid")
    owner = next((each for each in sandbox.tokens.installed if _is_whose(each, body)), None)
    if owner is None:
        raise bad_request("The app is not installed there")
    return {"authorizationCode": sandbox.tokens.new_code(owner), "expiresAt": iso(now())}


def _is_whose(owner: Owner, body: dict[str, str]) -> bool:
    if owner.user_type == "Company":
        return body.get("companyId") == COMPANY_ID
    return bool(owner.location_id) and body.get("locationId") == owner.location_id


def _given(form: dict[str, str], name: str) -> str:
    if name not in form:
        raise bad_request(f"Missing parameter: {name}")
    return form[name]


def _shown(issued: Issued, sandbox: Sandbox) -> dict[str, Any]:
    owner = issued.owner
    shown: dict[str, Any] = {
        "access_token": issued.access,
        "token_type": "Bearer",
        "expires_in": issued.seconds,
        "refresh_token": issued.refresh,
        "scope": " ".join(sorted(owner.scopes)),
        "userType": owner.user_type,
        "companyId": COMPANY_ID,
        "userId": USER_ID,
        "isBulkInstallation": owner.user_type == "Company",
    }
    if owner.user_type == "Location":
        return {**shown, "locationId": owner.location_id}
    return {
        **shown,
        "approvedLocations": list(sandbox.store.locations),
        "installToFutureLocations": False,
        "approveAllLocations": True,
    }


async def _location_token(sandbox: Sandbox, request: Request, owner: Owner) -> tuple[int, dict[str, Any]]:
    form = await _form(request)
    location = sandbox.store.locations.get(_given(form, "locationId"))
    if not is_company(owner, _given(form, "companyId")) or location is None:
        raise bad_request("Location not found")
    if not location.installed:
        raise bad_request("App is not installed on this location")
    if not location.active:
        raise bad_request("Location is not active")
    narrowed = Owner(user_type="Location", location_id=location.id, scopes=owner.scopes)
    return 200, _shown(sandbox.tokens.issue(narrowed, sandbox.config.access_token_seconds), sandbox)


async def _installed_locations(sandbox: Sandbox, request: Request, owner: Owner) -> tuple[int, dict[str, Any]]:
    asked = request.query_params
    if not is_company(owner, asked.get("companyId", "")) or asked.get("appId") != sandbox.config.app_id:
        raise bad_request("companyId or appId is invalid")
    try:
        skip, limit = int(asked.get("skip", "0")), int(asked.get("limit", "20"))
    except ValueError as error:
        raise bad_request("skip and limit must be numbers") from error
    locations = [
        {
            "_id": each.id,
            "name": each.name,
            "address": "1 Loopback Street",
            "isInstalled": each.installed,
            "versionId": sandbox.config.app_id,
            "installedAt": iso(now()),
        }
        for each in sandbox.store.locations.values()
        if asked.get("locationId", each.id) == each.id and asked.get("query", "").lower() in each.name.lower()
    ]
    shown = locations[skip : skip + limit]
    return 200, {"locations": shown, "count": len(locations), "installToFutureLocations": False}
