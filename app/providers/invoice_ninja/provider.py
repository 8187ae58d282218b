"""Invoice Ninja as a provider: what it can do, how it is opened, how its credentials are checked."""

import re
import time
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import httpx

from app.errors import CrossledgerError, Reconnect
from app.providers.base import Access, Capability, Gate, Lists, Login, Membership, OpenGate, Profile, Support
from app.providers.http import Wire
from app.providers.invoice_ninja.api import InvoiceNinjaAccount
from app.providers.invoice_ninja.app_pages import page_of
from app.providers.invoice_ninja.hooks import InvoiceNinjaHooks
from app.providers.invoice_ninja.login import memberships
from app.providers.invoice_ninja.mapping import SLOT_FIELDS
from app.providers.invoice_ninja.rights import role, sends_webhooks, warnings
from app.providers.invoice_ninja.task_tags import OF_TASKS
from app.providers.invoice_ninja.tasks import CompanyPersons, TaskStatuses
from app.providers.invoice_ninja.webhook import telling
from app.providers.invoice_ninja.wire import (
    API,
    LABEL,
    ClientPage,
    Company,
    CompanyAnswer,
    CompanyUser,
    CompanyUsers,
    InvoiceNinjaDialect,
    Statics,
    api_root,
    parse,
)
from app.sync.records import Side

CAPABILITIES: Mapping[str, Capability] = {
    "contact": Capability(Support.NATIVE),
    "task": Capability(Support.NATIVE, "the title is the description's first line, the due date a custom value"),
    "balance": Capability(Support.NATIVE, "computed from the client's invoices and their payments", Lists.SOME),
    "recurring": Capability(Support.NATIVE, "found by polling: it has no event for them", Lists.SOME),
    "notice": Capability(
        Support.NATIVE, "its events and polling: nothing tells that an invoice was viewed or is late", Lists.SOME
    ),
    "note": Capability(
        Support.NATIVE, "a note cannot be changed: a correction is added; new ones are found by polling", Lists.SOME
    ),
    "tag": Capability(
        Support.LOCAL,
        "its clients have no tags: they are kept in a custom value, as client group, or by newer versions on tasks",
    ),
    "business": Capability(Support.NATIVE, "a business is a client, and its contacts are the client's"),
    "appointment": Capability(
        Support.NATIVE, "it has none: an appointment becomes a task or a note", Lists.NONE, "they are only written here"
    ),
    "opportunity": Capability(Support.NATIVE, "it has none: they are quotes and draft invoices here"),
    "product": Capability(Support.NATIVE, "its prices are in the company's currency"),
    "invoice": Capability(Support.NATIVE, "equal to the cent, or not at all; nobody is written to"),
    "quote": Capability(Support.NONE, "quotes are not synced by Crossledger yet"),
    "payment": Capability(Support.NATIVE, "without a receipt; a refund is shown, not carried over"),
}


# Visible ASCII: anything else cannot be sent in a header, and is a paste gone wrong.
_TOKEN = re.compile(r"[!-~]+")


class InvoiceNinja:
    name: str = "invoice_ninja"
    label: str = LABEL
    side: Side = Side.BILLING
    default_base_url: str = "https://invoicing.co"
    secret_names: tuple[str, ...] = ("api_token", "api_secret")
    scopes: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    slot_fields: tuple[str, ...] = SLOT_FIELDS
    capabilities: Mapping[str, Capability] = CAPABILITIES
    polled: frozenset[str] = frozenset({"balance", "note", "notice", "recurring", "invoice", "payment"})
    polled_parts: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset({"balance", "note", "notice", "recurring"})
    installs_webhooks: bool = True

    def kinds(self, objects: Collection[str], heard: Collection[str], *, entered: bool) -> Collection[str]:
        return telling(objects)

    def open(self, access: Access, gate: Gate, client: httpx.AsyncClient) -> InvoiceNinjaAccount:
        return InvoiceNinjaAccount(Wire(client, api_root(access.base_url), _dialect(access), gate), access.data)

    async def probe(self, access: Access, client: httpx.AsyncClient) -> Profile:
        dialect = _dialect(access)
        wire = Wire(client, api_root(access.base_url), dialect, OpenGate())
        company = parse(CompanyAnswer, await wire.read("/companies/current", None)).data
        statics = parse(Statics, await wire.get("/statics"))
        clients = parse(ClientPage, await wire.get("/clients", {"per_page": "1", "status": "active"}))
        user = await _user(wire, company.company_key)
        tasks = await _tasks(wire)
        groups = await _groups(wire)
        tagged = await _has_tags(wire)
        facts = {
            "version": dialect.version,
            "company": company.settings.name,
            "task tags": "yes" if tagged else "no",
            **_facts(company, statics),
            **_standing(user),
            "clients": str(clients.meta.pagination.total),
        }
        return Profile(
            # Its ids are equal in every self-hosted installation (contracts/invoice_ninja, section 1); the key is not.
            account_id=company.company_key,
            base_url=api_root(access.base_url).removesuffix(API),
            label=company.settings.name or LABEL,
            facts={name: fact for name, fact in facts.items() if fact},
            data={
                "countries": _countries(statics),
                **_calendar(company, statics),
                "groups": groups,
                "labels": company.labels,
                **tasks,
                "task_tags": tagged,
                **({"is_admin": user.is_super} if user else {}),
            },
            warnings=warnings(user) if user else (),
        )

    async def sign_in(self, base_url: str, login: Login, client: httpx.AsyncClient) -> Sequence[Membership]:
        return await memberships(api_root(base_url), login, client)

    def page(self, base_url: str, account_id: str, object_: str, external_id: str) -> str:
        return page_of(base_url, object_, external_id)

    def hooks(self, access: Access, gate: Gate, client: httpx.AsyncClient) -> InvoiceNinjaHooks:
        return InvoiceNinjaHooks(Wire(client, api_root(access.base_url), _dialect(access), gate), access.data)


def _dialect(access: Access) -> InvoiceNinjaDialect:
    token = access.secrets.get("api_token", "").strip()
    if not _TOKEN.fullmatch(token):
        raise Reconnect("the API token of Invoice Ninja is missing, or was not pasted whole")
    return InvoiceNinjaDialect(token=token, secret=access.secrets.get("api_secret", "").strip())


async def _user(wire: Wire, company_key: str) -> CompanyUser | None:
    """The token's user in this company; None where the server does not say. Its records come only if they are new."""
    params = {"current_company": "true", "updated_at": str(int(time.time()))}
    try:
        body = await wire.call("POST", "/refresh", params=params, writes=False)
        users = parse(CompanyUsers, body).data
    except CrossledgerError:  # the token is good, we have just used it: what is missing here is only told to people
        return None
    return next((user for user in users if user.company.company_key == company_key), None)


async def _tasks(wire: Wire) -> dict[str, Any]:
    """Statuses and users by id, for tasks. Users are shown to administrators only; without them nobody is assigned."""
    learned: dict[str, Any] = {}
    try:
        statuses = parse(TaskStatuses, await wire.get("/task_statuses", {"status": "active", "per_page": "200"})).data
        learned["task_statuses"] = {each.id: each.name for each in statuses}
        users = parse(CompanyPersons, await wire.get("/users", {"status": "active", "per_page": "200"})).data
        learned["users"] = {each.id: each.email.casefold() for each in users if each.email}
    except CrossledgerError:  # the module may be switched off, or the token may not see it
        return learned
    return learned


async def _has_tags(wire: Wire) -> bool:
    """Tasks have tags from the versions of 2026 on; an older one answers with its web page (contract, section 6).

    The first of those refuse a list that does not say of which entity.
    """
    try:
        parse(TaskStatuses, await wire.get("/tags", {**OF_TASKS, "per_page": "1"}))
    except CrossledgerError:
        return False
    return True


async def _groups(wire: Wire) -> dict[str, str]:
    """Names of the client groups by id; none where the token may not see them."""
    try:
        found = parse(TaskStatuses, await wire.get("/group_settings", {"status": "active", "per_page": "200"})).data
    except CrossledgerError:
        return {}
    return {each.id: each.name for each in found}


def _standing(user: CompanyUser | None) -> Mapping[str, str]:
    if user is None:
        return {}
    hosting = "hosted" if user.account.is_hosted else "own server"
    return {"user": role(user), "hosting": hosting, "plan": user.account.plan, "webhooks": sends_webhooks(user)}


def _facts(company: Company, statics: Statics) -> Mapping[str, str]:
    """What the company's settings say, in words instead of ids."""
    settings = company.settings
    currencies = {currency.id: currency.code for currency in statics.currencies}
    timezones = {timezone.id: timezone.name for timezone in statics.timezones}
    return {
        "currency": currencies.get(settings.currency_id, ""),
        "country": _countries(statics).get(settings.country_id, ""),
        "timezone": timezones.get(settings.timezone_id, ""),
    }


def _calendar(company: Company, statics: Statics) -> dict[str, Any]:
    """In which currency and by whose clock amounts and dates are."""
    timezones = {timezone.id: timezone.name for timezone in statics.timezones}
    return {
        "currencies": {currency.id: currency.code for currency in statics.currencies},
        "currency_id": company.settings.currency_id,
        "timezone": timezones.get(company.settings.timezone_id, ""),
    }


def _countries(statics: Statics) -> dict[str, str]:
    return {country.id: country.iso_3166_2 for country in statics.countries}
