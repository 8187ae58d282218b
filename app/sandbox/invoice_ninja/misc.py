"""Endpoints that are about the installation, not about one entity."""

from typing import Any

from starlette.responses import Response

from app.sandbox.invoice_ninja import statics
from app.sandbox.invoice_ninja.answers import ApiError, answer, data
from app.sandbox.invoice_ninja.config import VERSION
from app.sandbox.invoice_ninja.ids import encode
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja


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


def company(ninja: Ninja) -> dict[str, Any]:
    """The part of the company that an integrator reads; the product sends some 200 keys more."""
    return {
        "id": ME,
        "company_key": "sandbox-company-key",
        "settings": {
            "name": ninja.config.company_name,
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
    return data(company(ninja))


async def update_company(ninja: Ninja, call: Call) -> Response:
    given = call.body.get("settings")
    ninja.settings |= given if isinstance(given, dict) else {}
    return data(company(ninja))


def _account(ninja: Ninja) -> dict[str, Any]:
    token = next(iter(ninja.tokens), "")
    return {
        "permissions": "",
        "is_owner": True,
        "is_admin": True,
        "user": {"id": ME, "first_name": "New", "last_name": "User", "email": ninja.config.email},
        "company": company(ninja),
        "token": {"id": ME, "token": token, "name": "User Token", "is_system": True},
    }


async def login(ninja: Ninja, call: Call) -> Response:
    if (call.input("email"), call.input("password")) != (ninja.config.email, ninja.config.password):
        raise ApiError(401, {"message": "These credentials do not match our records"})
    return data([_account(ninja)])


async def refresh(ninja: Ninja, call: Call) -> Response:
    return data([_account(ninja)])


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


async def delete_token(ninja: Ninja, call: Call) -> Response:
    """A deleted token is refused at once."""
    ninja.require(call, "admin")
    ninja.require_password(call)
    for position, (token, label) in enumerate(list(ninja.tokens.items()), 1):
        if encode(position) == call.path["id"]:
            del ninja.tokens[token]
            return data(_token(ninja, position, label, token[:10] + "xxxxxxxxxxx") | {"is_deleted": True})
    raise ApiError(400, {"message": "No query results for model [App\\Models\\CompanyToken]."})
