"""Endpoints that are about the installation, not about one entity."""

from typing import Any

from starlette.responses import Response

from app.sandbox.invoice_ninja import statics
from app.sandbox.invoice_ninja.answers import ApiError, answer, data
from app.sandbox.invoice_ninja.config import VERSION
from app.sandbox.invoice_ninja.ids import encode
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, other_token


async def ping(ninja: Ninja, call: Call) -> Response:
    return answer({"company_name": ninja.config.company_name, "user_name": "New User"})


async def health_check(ninja: Ninja, call: Call) -> Response:
    needed = ("gd", "curl", "zip", "openssl", "mbstring", "xml", "bcmath", "iconv")
    return answer(
        {
            "system_health": True,
            "extensions": [{name: True} for name in needed],
            "php_version": {
                "minimum_php_version": "8.1",
                "current_php_version": "8.2.35",
                "current_php_cli_version": "PHP 8.2.35 (cli)",
                "is_okay": True,
                "memory_limit": "512M",
            },
            "env_writable": True,
            "simple_db_check": True,
            "cache_enabled": False,
            "phantom_enabled": False,
            "exec": True,
            "open_basedir": True,
            "mail_mailer": "log",
            "flutter_renderer": "",
            "pdf_engine": "Invoice Ninja Hosted PDF Generator",
            "queue": ninja.config.queue,
            "queue_data": {"failed": 0, "pending": ninja.deliveries.pending, "last_error": ""},
            "jobs_pending": ninja.deliveries.pending,
            "trailing_slash": False,
            "file_permissions": "Ok",
            "exchange_rate_api_not_configured": False,
            "api_version": VERSION,
            "is_docker": True,
            "pending_migrations": False,
        }
    )


async def show_statics(ninja: Ninja, call: Call) -> Response:
    return answer(statics.everything())


MAIN = "sandbox-company-key"


def company(ninja: Ninja, key: str = MAIN) -> dict[str, Any]:
    """The part of the company that an integrator reads; the product sends some 200 keys more."""
    names = {MAIN: ninja.config.company_name, **ninja.config.other_companies}
    return {
        "id": encode(list(names).index(key) + 1),
        "company_key": key,
        "settings": {
            "name": names[key],
            "currency_id": ninja.config.currency_id,
            "country_id": ninja.config.country_id,
            "language_id": "1",
            "timezone_id": "1",
            "lock_invoices": "off",
            "counter_number_applied": "when_saved",
            "counter_padding": 4,
            **ninja.settings,
        },
        "custom_fields": {},
    }


async def current_company(ninja: Ninja, call: Call) -> Response:
    return data(company(ninja, _company_of(ninja, call.token)))


async def update_company(ninja: Ninja, call: Call) -> Response:
    given = call.body.get("settings")
    ninja.settings |= given if isinstance(given, dict) else {}
    return data(company(ninja))


def _company_of(ninja: Ninja, token: str) -> str:
    return next((key for key in ninja.config.other_companies if token == other_token(key)), MAIN)


def _company_user(ninja: Ninja, token: str) -> dict[str, Any]:
    """The part of one user in one company that an integrator reads."""
    permissions = ninja.config.permissions.get(ninja.tokens.get(token, ""))
    is_super = permissions is None
    return {
        "permissions": ",".join(sorted(permissions or ())),
        "is_owner": is_super,
        "is_admin": is_super,
        "is_locked": False,
        "user": {"id": ME, "first_name": "New", "last_name": "User", "email": ninja.config.email},
        "company": company(ninja, _company_of(ninja, token)),
        "token": {"id": ME, "token": token, "name": "User Token", "is_system": True},
        "account": {"id": ME, "plan": ninja.config.plan, "is_hosted": ninja.config.is_hosted},
    }


async def login(ninja: Ninja, call: Call) -> Response:
    """One row for each company of the user. The code and the secret are the product's own rule, not recorded."""
    config = ninja.config
    if config.api_secret and call.headers.get("x-api-secret") != config.api_secret:
        raise ApiError(403, {"message": "Invalid secret", "errors": {}})
    if (call.input("email"), call.input("password")) != (config.email, config.password):
        raise ApiError(401, {"message": "These credentials do not match our records"})
    if config.one_time_password and call.input("one_time_password") != config.one_time_password:
        raise ApiError(401, {"message": "Invalid one time password"})
    tokens = [next(iter(ninja.tokens), ""), *map(other_token, config.other_companies)]
    return data([_company_user(ninja, token) for token in tokens])


async def refresh(ninja: Ninja, call: Call) -> Response:
    return data([_company_user(ninja, call.token)])


def _token(ninja: Ninja, position: int, name: str, shown: str) -> dict[str, Any]:
    fields = {"id": encode(position), "user_id": ME, "token": shown, "name": name, "is_system": False}
    return fields | {"updated_at": ninja.now(), "archived_at": 0, "created_at": ninja.now(), "is_deleted": False}


async def create_token(ninja: Ninja, call: Call) -> Response:
    """The full token is shown here and never again (section 1)."""
    ninja.require(call, "admin")
    ninja.require_password(call)
    token = ninja.key(64)
    ninja.tokens[token] = str(call.input("name") or "")
    return data(_token(ninja, len(ninja.tokens), ninja.tokens[token], token))


async def list_tokens(ninja: Ninja, call: Call) -> Response:
    ninja.require(call, "admin")
    rows = [
        _token(ninja, position, label, token[:10] + "xxxxxxxxxxx")
        for position, (token, label) in enumerate(ninja.tokens.items(), 1)
    ]
    meta = {"total": len(rows), "count": len(rows), "per_page": 20, "current_page": 1, "total_pages": 1, "links": {}}
    return answer({"data": rows, "meta": {"pagination": meta}})


async def show_token(ninja: Ninja, call: Call) -> Response:
    ninja.require(call, "admin")
    for position, (token, label) in enumerate(ninja.tokens.items(), 1):
        if encode(position) == call.path["id"]:
            return data(_token(ninja, position, label, token[:10] + "xxxxxxxxxxx"))
    raise ApiError(400, {"message": "No query results for model [App\\Models\\CompanyToken]."})


async def delete_token(ninja: Ninja, call: Call) -> Response:
    """A deleted token is refused at once."""
    ninja.require(call, "admin")
    ninja.require_password(call)
    for position, (token, label) in enumerate(list(ninja.tokens.items()), 1):
        if encode(position) == call.path["id"]:
            del ninja.tokens[token]
            return data(_token(ninja, position, label, token[:10] + "xxxxxxxxxxx") | {"is_deleted": True})
    raise ApiError(400, {"message": "No query results for model [App\\Models\\CompanyToken]."})
