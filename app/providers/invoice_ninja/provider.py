"""Invoice Ninja as a provider: what it can do, how it is opened, how its credentials are checked."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import httpx

from app.errors import Reconnect
from app.providers.base import Access, Capability, Gate, OpenGate, Profile, Support
from app.providers.http import Wire
from app.providers.invoice_ninja.api import InvoiceNinjaAccount
from app.providers.invoice_ninja.mapping import SLOT_FIELDS
from app.providers.invoice_ninja.wire import (
    API,
    LABEL,
    ClientPage,
    Company,
    CompanyAnswer,
    InvoiceNinjaDialect,
    Statics,
    api_root,
    parse,
)
from app.sync.records import Side

CAPABILITIES: Mapping[str, Capability] = {
    "contact": Capability(Support.NATIVE),
    "task": Capability(Support.NONE, "its tasks are time entries: no title, no due date, no done flag"),
    "note": Capability(Support.NONE, "its notes can be added, but not changed or deleted, and fire no webhook"),
    "tag": Capability(Support.NONE, "its clients have no tags"),
    "business": Capability(Support.NONE, "a client is the business: its name is the contact's company"),
    "appointment": Capability(Support.NONE, "it has no appointments"),
    "invoice": Capability(Support.NONE, "invoices are not synced by Crossledger yet"),
    "quote": Capability(Support.NONE, "quotes are not synced by Crossledger yet"),
    "payment": Capability(Support.NONE, "payments are not synced by Crossledger yet"),
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

    def open(self, access: Access, gate: Gate, client: httpx.AsyncClient) -> InvoiceNinjaAccount:
        return InvoiceNinjaAccount(Wire(client, api_root(access.base_url), _dialect(access), gate), access.data)

    async def probe(self, access: Access, client: httpx.AsyncClient) -> Profile:
        dialect = _dialect(access)
        wire = Wire(client, api_root(access.base_url), dialect, OpenGate())
        company = parse(CompanyAnswer, await wire.read("/companies/current", None)).data
        statics = parse(Statics, await wire.get("/statics"))
        clients = parse(ClientPage, await wire.get("/clients", {"per_page": "1", "status": "active"}))
        facts = {"version": dialect.version, **_facts(company, statics), "clients": str(clients.meta.pagination.total)}
        return Profile(
            # Its ids are equal in every self-hosted installation (contracts/invoice_ninja, section 1); the key is not.
            account_id=company.company_key,
            base_url=api_root(access.base_url).removesuffix(API),
            label=company.settings.name or LABEL,
            facts={name: fact for name, fact in facts.items() if fact},
            data={"countries": _countries(statics)},
        )


def _dialect(access: Access) -> InvoiceNinjaDialect:
    token = access.secrets.get("api_token", "").strip()
    if not _TOKEN.fullmatch(token):
        raise Reconnect("the API token of Invoice Ninja is missing, or was not pasted whole")
    return InvoiceNinjaDialect(token=token, secret=access.secrets.get("api_secret", "").strip())


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


def _countries(statics: Statics) -> dict[str, str]:
    return {country.id: country.iso_3166_2 for country in statics.countries}
