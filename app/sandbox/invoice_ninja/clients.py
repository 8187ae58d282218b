"""Clients: what a create or an update does to a row (contracts/invoice_ninja, section 3, with its traps)."""

import asyncio
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from app.sandbox.invoice_ninja import contacts, statics
from app.sandbox.invoice_ninja.answers import InvalidError
from app.sandbox.invoice_ninja.bodies import flag, is_email, text, without_html
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, shown
from app.sandbox.invoice_ninja.store import Row

CREATED, UPDATED = 1, 10
CUT_AT = 191
_CLASSES = ("individual", "business", "company", "partnership", "trust", "charity", "government", "other")
_NOT_CUT = ("private_notes", "public_notes")
_ADDRESS = (
    *("address1", "address2", "phone", "city", "state", "postal_code", "country_id", "industry_id"),
    *("custom_value1", "custom_value2", "custom_value3", "custom_value4"),
    *("shipping_address1", "shipping_address2", "shipping_city", "shipping_state", "shipping_postal_code"),
    "shipping_country_id",
)
_FIELDS = (
    *("assigned_user_id", "name", "website", "private_notes", "group_settings_id", "size_id", "public_notes"),
    *_ADDRESS,
    *("vat_number", "id_number", "routing_id", "classification"),
)


def blank(ninja: Ninja) -> Row:
    """A client as `GET /clients/create` shows it; the keys are in the order of the recordings."""
    return {
        "id": "",
        "user_id": ME,
        **dict.fromkeys(("assigned_user_id", "name", "website", "private_notes"), ""),
        "balance": 0,
        "group_settings_id": "",
        **dict.fromkeys(("paid_to_date", "payment_balance", "credit_balance", "last_login"), 0),
        **dict.fromkeys(("size_id", "public_notes"), ""),
        "client_hash": ninja.key(40),
        **dict.fromkeys(_ADDRESS, ""),
        "settings": {"entity": "App\\Models\\Client", "industry_id": "", "size_id": ""},
        "is_deleted": False,
        **dict.fromkeys(("vat_number", "id_number"), ""),
        **dict.fromkeys(("updated_at", "archived_at", "created_at"), 0),
        **dict.fromkeys(("display_name", "number"), ""),
        "has_valid_vat_number": False,
        "is_tax_exempt": False,
        "routing_id": "",
        "tax_info": {},
        "classification": "",
        "e_invoice": {},
        "contacts": [],
        "documents": [],
        "gateway_tokens": [],
    }


def present(ninja: Ninja, row: Row, includes: list[str]) -> Row:
    body = shown(row)
    body["display_name"] = display_name(row)
    if "activities" in includes:
        found = [each for each in ninja.tables["activities"].rows.values() if each["client_id"] == row["id"]]
        body["activities"] = [shown(each) for each in reversed(found)]
    body |= {name: [] for name in ("ledger", "system_logs") if name in includes}
    return body


def display_name(row: Row) -> str:
    """A name of one letter does not count as one (recorded: errors/too_long_contact_phone)."""
    if len(row["name"]) > 1:
        return str(row["name"])
    if not row["contacts"]:
        return "No Contact Set"
    first = row["contacts"][0]
    return f"{first['first_name']} {first['last_name']}".strip() or first["email"] or "No Email Set"


async def create(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    body = call.body
    _check(ninja, body, None)
    if ninja.config.create_pause:
        await asyncio.sleep(ninja.config.create_pause)
    now = ninja.now()
    row = blank(ninja) | {"id": ninja.tables["clients"].next_id(), "created_at": now, "updated_at": now}
    full = _assign(row, body)
    row["country_id"] = _country(ninja, body) or ninja.config.country_id
    row["settings"] = _first_settings(ninja, row["settings"], body)
    ninja.tables["clients"].put(row)
    if ninja.config.queue == "sync":
        # The call goes out before contacts and number exist (section 8).
        early = present(ninja, row, [])
        await ninja.emit(CREATED, lambda: early)
    contacts.replace(ninja, row, body.get("contacts") or [], blank_email=" ", base_url=call.base_url)
    row["number"] = text(body.get("number")) or ninja.counters["clients"].take(ninja.tables["clients"])
    ninja.tables["clients"].put(row)
    if ninja.config.queue == "database":
        await ninja.emit(CREATED, lambda: present(ninja, row, []))
    # What was too long is stored cut, but the create answer still shows all of it (section 2).
    return row, present(ninja, row, []) | full


async def update(ninja: Ninja, call: Call, row: Row) -> None:
    body = call.body
    _check(ninja, body, row)
    before = deepcopy({name: value for name, value in row.items() if name != "contacts"})
    _assign(row, body)
    if country := _country(ninja, body):
        row["country_id"] = country
    # The trap: no `settings` in the body resets them, and given ones replace all others (section 3).
    row["settings"] = _given_settings(body) | _default_currency(ninja, _given_settings(body))
    if "number" in body:
        row["number"] = text(body["number"]) or ninja.counters["clients"].take(ninja.tables["clients"])
    changed = any(row[name] != value for name, value in before.items())
    touched = "contacts" in body and contacts.replace(
        ninja, row, body["contacts"], blank_email="", base_url=call.base_url
    )
    if changed or touched:
        ninja.save("clients", row)
    if changed:  # a change of contacts alone is told to nobody (section 8)
        await ninja.emit(UPDATED, lambda: present(ninja, row, []))


def _assign(row: Row, body: Mapping[str, Any]) -> Row:
    """Set the fields that are given; returns those that did not fit, uncut."""
    full = {name: text(body[name]) for name in _FIELDS if name in body}
    if "name" in full:
        full["name"] = without_html(full["name"])
    row.update({name: value if name in _NOT_CUT else value[:CUT_AT] for name, value in full.items()})
    if "is_tax_exempt" in body:
        row["is_tax_exempt"] = flag(body["is_tax_exempt"])
    return {name: value for name, value in full.items() if value != row[name]}


def _country(ninja: Ninja, body: Mapping[str, Any]) -> str | None:
    if body.get("country_id"):
        return text(body["country_id"])
    if body.get("country_code"):
        return statics.country_by_code(text(body["country_code"])) or ninja.config.country_id
    return None


def _given_settings(body: Mapping[str, Any]) -> dict[str, Any]:
    given = body.get("settings")
    return {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else {}


def _default_currency(ninja: Ninja, given: Mapping[str, Any]) -> dict[str, Any]:
    return {} if "currency_id" in given else {"currency_id": ninja.config.currency_id}


def _first_settings(ninja: Ninja, start: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    settings = {**start, **_given_settings(body)}
    if code := body.get("currency_code"):
        settings.setdefault("currency_id", statics.currency_by_code(text(code)) or ninja.config.currency_id)
    if (code := body.get("language_code")) and (language := statics.language_by_code(text(code))):
        settings.setdefault("language_id", language)
    return settings | _default_currency(ninja, settings)


def _check(ninja: Ninja, body: Mapping[str, Any], row: Row | None) -> None:
    errors = _check_contacts(body)
    country = body.get("country_id")
    if country is not None and not text(country).isdigit():
        errors["country_id"] = ["The country id must be an integer."]
    elif country is not None and text(country) not in statics.country_ids():
        errors["country_id"] = ["The selected country id is invalid."]
    for name in ("number", "id_number"):
        others = ninja.tables["clients"].find(name, text(body.get(name)))
        if any(other is not row for other in others):
            errors[name] = [f"The {name.replace('_', ' ')} has already been taken."]
    if body.get("classification") is not None and body["classification"] not in _CLASSES:
        errors["classification"] = ["The selected classification is invalid."]
    if errors:
        raise InvalidError(errors)


def _check_contacts(body: Mapping[str, Any]) -> dict[str, list[str]]:
    if "contacts" not in body:
        return {}
    given = body["contacts"]
    if not isinstance(given, list):
        return {"contacts": ["The contacts must be an array."]}
    emails = [each.get("email") if isinstance(each, dict) else None for each in given]
    errors: dict[str, list[str]] = {}
    for place, email in enumerate(emails):
        field = f"contacts.{place}.email"
        if email is not None and emails.count(email) > 1:
            errors[field] = [f"The {field} field has a duplicate value."]
        elif email is not None and not is_email(email):
            errors[field] = [f"The {field} must be a valid email address."]
    return errors
