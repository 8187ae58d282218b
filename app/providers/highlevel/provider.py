"""HighLevel as a provider: what it is, what it can do, and the check of its credentials."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn

import httpx

from app.errors import CrossledgerError, Forbidden, Gone, Reconnect, Rejected, Unsupported
from app.providers.base import Access, Capability, Gate, Lists, Login, Membership, OpenGate, Profile, Support
from app.providers.highlevel.api import HighLevelAccount
from app.providers.highlevel.app_pages import APP_URL, page_of
from app.providers.highlevel.contacts import Contacts
from app.providers.highlevel.definitions import Definitions
from app.providers.highlevel.events import telling
from app.providers.highlevel.oauth import SCOPES
from app.providers.highlevel.opportunities import pipelines
from app.providers.highlevel.replies import CustomField, CustomFieldsReply, Location, LocationReply, UsersReply, reply
from app.providers.highlevel.webhook import WORKFLOW
from app.providers.highlevel.wire import BASE_URL, ID, LABEL, HighLevelDialect
from app.providers.http import Wire
from app.sync.records import Side

_TOKEN = re.compile(r"[!-~]+")

_WRITTEN = "they are only written here"

CAPABILITIES: Mapping[str, Capability] = {
    "contact": Capability(Support.NATIVE),
    "task": Capability(Support.NATIVE, "edits are found by polling: HighLevel has no event for them"),
    "balance": Capability(Support.NATIVE, "custom fields and tags of the contact", Lists.NONE, _WRITTEN),
    "recurring": Capability(Support.NATIVE, "a custom field of the contact", Lists.NONE, _WRITTEN),
    "notice": Capability(Support.NATIVE, "notes of the contact", Lists.NONE, _WRITTEN),
    "note": Capability(Support.NATIVE, "", Lists.NONE, "they are listed per contact only: a call for each contact"),
    "tag": Capability(Support.NATIVE, "the tags of contacts, added and removed one by one"),
    "business": Capability(Support.NATIVE, "that a contact moves to another one is found by polling"),
    "appointment": Capability(
        Support.NATIVE,
        "appointments are read, never made or changed",
        Lists.NONE,
        "they are listed per calendar, group or user and for a span of days only: nothing says what changed",
    ),
    "opportunity": Capability(
        Support.NATIVE, "its API does not tell the currency of opportunity values: a setting does"
    ),
    "product": Capability(
        Support.NATIVE, "of several prices one takes part; each of its events wants a URL of its own"
    ),
    "invoice": Capability(
        Support.NATIVE, "what is made there stays a draft; each of its events wants a URL of its own"
    ),
    "quote": Capability(Support.NONE, "quotes are not synced by Crossledger yet"),
    "payment": Capability(Support.NATIVE, "told by the events of invoices; a refund is shown, not carried over"),
}


class HighLevel:
    name = "highlevel"
    label = LABEL
    side = Side.CRM
    secret_names: tuple[str, ...] = ("private_token",)
    scopes: Mapping[str, Mapping[str, str]] = SCOPES
    slot_fields: tuple[str, ...] = ()
    capabilities: Mapping[str, Capability] = CAPABILITIES
    polled: frozenset[str] = frozenset({"task", "business"})
    polled_parts: frozenset[str] = frozenset({"contact"})
    untold: frozenset[str] = frozenset({"task", "business"})
    installs_webhooks = False

    def __init__(self, base_url: str = BASE_URL, app_url: str = APP_URL) -> None:
        """`app_url`: where people log in; an agency may have a domain of its own for that."""
        self.default_base_url = base_url
        self._app_url = app_url
        self._definitions = Definitions()

    def kinds(self, objects: Collection[str], heard: Collection[str], *, entered: bool) -> Collection[str]:
        """The app's events. A private token comes without an app: then a workflow's, unless the app's do come."""
        of_app = telling(objects)
        return of_app if not entered or set(of_app) & set(heard) else (WORKFLOW,)

    def open(self, access: Access, gate: Gate, client: httpx.AsyncClient) -> HighLevelAccount:
        token = access.secrets.get("private_token", "").strip()
        if not access.keys and not _TOKEN.fullmatch(token):
            raise Reconnect("the HighLevel private integration token is missing, or was not pasted whole")
        wire = Wire(client, access.base_url, HighLevelDialect("" if access.keys else token), gate, access.keys)
        return HighLevelAccount(wire, access.account_id, {**access.data, "definitions": self._definitions})

    async def probe(self, access: Access, client: httpx.AsyncClient) -> Profile:
        """Three reads. The location's own page may be out of scope; custom fields and contacts are needed."""
        account = self.open(access, OpenGate(), client)
        try:
            location = await _location(account)
            custom_fields = await _custom_fields(account)
            await Contacts(account.wire, account.location_id).search({}, page_limit=1)
        except Forbidden as refused:
            raise Forbidden(f"{refused} {_CURE.format(location=access.account_id)}", refused.status) from refused
        return Profile(
            account_id=access.account_id,
            label=location.name or access.account_id,
            facts=_facts(location, custom_fields),
            data={
                "custom_fields": [_described(each) for each in custom_fields],
                "timezone": location.timezone or "UTC",
                "users": await _users(account, location),
                "pipelines": await _pipelines(account),
            },
        )

    async def sign_in(self, base_url: str, login: Login, client: httpx.AsyncClient) -> Sequence[Membership]:
        raise Unsupported("login", "HighLevel has no login for other programs: use a private integration token")

    def page(self, base_url: str, account_id: str, object_: str, external_id: str) -> str:
        return page_of(self._app_url, account_id, object_, external_id)

    def hooks(self, access: Access, gate: Gate, client: httpx.AsyncClient) -> NoReturn:
        raise Unsupported("webhooks", _BY_HAND)


_BY_HAND = (
    "HighLevel's are set in the Marketplace app, once for all locations, or in a workflow of the location; its API"
    " cannot do it"
)
_CURE = (
    "— check that the token was made in location {location} and has the scopes contacts.readonly, contacts.write "
    "and locations/customFields.readonly (in HighLevel: Settings, Private Integrations)"
)


async def _location(account: HighLevelAccount) -> Location:
    """Its name and zone are nice to have: without the scope locations.readonly they stay blank."""
    cure = f"check the location id “{account.location_id}” (in HighLevel: Settings, Business Profile)"
    if not ID.fullmatch(account.location_id):
        raise Rejected(f"that is no location id: {cure}")
    try:
        body = await account.wire.get(f"/locations/{account.location_id}")
    except Forbidden:
        return Location()
    except (Gone, Rejected) as refused:
        raise Rejected(f"{refused} — {cure}") from refused
    return reply(LocationReply, body).location


async def _users(account: HighLevelAccount, location: Location) -> dict[str, str]:
    """E-mail addresses by id, for the assignees of tasks; none without the scope users.readonly."""
    if not location.company_id:
        return {}
    try:
        params = {"companyId": location.company_id, "locationId": account.location_id, "limit": "100"}
        found = reply(UsersReply, await account.wire.get("/users/search", params)).users
    except CrossledgerError:
        return {}
    return {each.id: each.email.casefold() for each in found if each.email}


async def _pipelines(account: HighLevelAccount) -> list[dict[str, Any]]:
    """For opportunities; none without the scope opportunities.readonly."""
    try:
        return [each.model_dump() for each in await pipelines(account.wire, account.location_id)]
    except CrossledgerError:
        return []


async def _custom_fields(account: HighLevelAccount) -> list[CustomField]:
    body = await account.wire.get(f"/locations/{account.location_id}/customFields", {"model": "contact"})
    return reply(CustomFieldsReply, body).custom_fields


def _described(each: CustomField) -> dict[str, Any]:
    return {"id": each.id, "key": each.field_key, "label": each.name or each.field_key, "type": each.data_type}


def _facts(location: Location, custom_fields: list[CustomField]) -> dict[str, str]:
    facts = {"timezone": location.timezone, "country": location.country, "custom fields": str(len(custom_fields))}
    return {name: value for name, value in facts.items() if value}
