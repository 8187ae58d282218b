"""A contact as HighLevel shows it: in answers, in search results, in webhooks and in workflow calls."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.highlevel.store import Contact, Location, iso

# contracts/ghl, section 2.4
_IN_WEBHOOKS = (
    "address1",
    "city",
    "state",
    "companyName",
    "country",
    "source",
    "dateOfBirth",
    "dnd",
    "email",
    "firstName",
    "lastName",
    "phone",
    "postalCode",
    "website",
    "assignedTo",
)


def written(contact: Contact) -> dict[str, Any]:
    """The answer to a write. It has no dateUpdated (highlevel-api-docs#246), though the spec says so."""
    values = contact.values
    shown: dict[str, Any] = {
        "id": contact.id,
        "locationId": contact.location_id,
        "dateAdded": iso(contact.added),
        "type": "lead",
        "dnd": False,
        **values,
        "tags": list(contact.tags),
        "customFields": custom_fields(contact),
    }
    for name in ("firstName", "lastName", "email"):
        if values.get(name):
            shown[f"{name}LowerCase"] = values[name].lower()
    if contact.name:
        shown["name"] = contact.name
        shown["fullNameLowerCase"] = contact.name.lower()
    return shown


def read(contact: Contact) -> dict[str, Any]:
    return {**written(contact), "dateUpdated": iso(contact.updated), "additionalEmails": []}


def found(contact: Contact, cursor: list[Any]) -> dict[str, Any]:
    return {**read(contact), "searchAfter": cursor}


def custom_fields(contact: Contact) -> list[dict[str, Any]]:
    return [{"id": field_id, "value": value} for field_id, value in contact.custom.items()]


def webhook(contact: Contact) -> dict[str, Any]:
    body: dict[str, Any] = {"id": contact.id, "dateAdded": iso(contact.added), "dnd": False}
    for name in _IN_WEBHOOKS:
        if contact.values.get(name) is not None:
            body[name] = contact.values[name]
    body |= {"name": contact.name, "tags": list(contact.tags), "attachments": []}
    return {**body, "customFields": custom_fields(contact)}


def workflow(contact: Contact, location: Location, custom_data: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a workflow's standard "Webhook" action: contracts/ghl, section 6."""
    values = contact.values
    address = [values.get(name) for name in ("address1", "city", "state", "postalCode")]
    body: dict[str, Any] = {
        "contact_id": contact.id,
        "first_name": values.get("firstName"),
        "last_name": values.get("lastName"),
        "full_name": contact.name,
        "email": values.get("email"),
        "phone": values.get("phone"),
        "tags": ",".join(contact.tags),
        "address1": values.get("address1"),
        "city": values.get("city"),
        "state": values.get("state"),
        "country": values.get("country"),
        "postal_code": values.get("postalCode"),
        "company_name": values.get("companyName"),
        "date_created": iso(contact.added),
        "contact_source": values.get("source"),
        "full_address": " ".join(part for part in address if part),
        "contact_type": "lead",
    }
    body = {key: value for key, value in body.items() if value not in (None, "")}
    for each in location.custom_fields:
        if each["id"] in contact.custom:
            body[each["name"]] = contact.custom[each["id"]]
    return {**body, "tags": ",".join(contact.tags), **_workflow_objects(location), "customData": dict(custom_data)}


def _workflow_objects(location: Location) -> dict[str, Any]:
    return {
        "location": {"id": location.id, "name": location.name, "country": location.country},
        "user": {},
        "workflow": {"id": "sandboxWorkflow0001", "name": "Sandbox workflow"},
        "triggerData": {},
        "contact": {"attributionSource": {}, "lastAttributionSource": {}},
        "attributionSource": {},
    }


def location_details(location: Location, company_id: str) -> dict[str, Any]:
    return {
        "id": location.id,
        "companyId": company_id,
        "name": location.name,
        "country": location.country,
        "timezone": location.timezone,
        "address": "1 Loopback Street",
        "city": "Sandbox",
        "email": f"{location.id.lower()}@location.example",
        "business": {"name": location.name, "country": location.country, "timezone": location.timezone},
        "settings": {"allowDuplicateContact": location.allow_duplicate_contact},
        "social": {},
    }
