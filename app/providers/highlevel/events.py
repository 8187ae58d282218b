"""HighLevel's events by name: what each is news of here, and which are left alone, and why."""

from collections.abc import Iterable, Mapping

from app.providers.base import APP

_INVOICES = (
    "InvoiceCreate", "InvoiceUpdate", "InvoiceDelete", "InvoiceSent", "InvoicePaid", "InvoicePartiallyPaid",
    "InvoiceVoid",
)  # fmt: skip
HANDLED: Mapping[str, str] = {
    "ContactCreate": "contact",
    "ContactUpdate": "contact",
    "ContactDelete": "contact",
    "ContactTagUpdate": "contact",
    "ContactDndUpdate": "contact",
    "TaskCreate": "task",
    "TaskComplete": "task",
    "TaskDelete": "task",
    "NoteCreate": "note",
    "NoteUpdate": "note",
    "NoteDelete": "note",
    "AppointmentCreate": "appointment",
    "AppointmentUpdate": "appointment",
    "AppointmentDelete": "appointment",
    "OpportunityCreate": "opportunity",
    "OpportunityUpdate": "opportunity",
    "OpportunityDelete": "opportunity",
    "OpportunityStageUpdate": "opportunity",
    "OpportunityStatusUpdate": "opportunity",
    "OpportunityMonetaryValueUpdate": "opportunity",
    "ProductCreate": "product",
    "ProductUpdate": "product",
    "ProductDelete": "product",
    "PriceCreate": "product",
    "PriceUpdate": "product",
    "PriceDelete": "product",
    # Of custom objects as well; those are no business, and nothing becomes of them.
    "RecordCreate": "business",
    "RecordUpdate": "business",
    "RecordDelete": "business",
    **dict.fromkeys(_INVOICES, "invoice"),
    "INSTALL": APP,
    "UNINSTALL": APP,
}

_IGNORED_FOR: Mapping[str, tuple[str, ...]] = {
    "plans and other accounts of HighLevel's are not synced": (
        "PLAN_CHANGE", "EXTERNAL_AUTH_CONNECTED", "SaaSPlanCreate",
    ),
    "who works on an opportunity is not synced": ("OpportunityAssignedToUpdate",),
    "orders are not synced": ("OrderCreate", "OrderStatusUpdate"),
    "users and locations are not synced": ("UserCreate", "LocationCreate", "LocationUpdate"),
    "custom objects are not synced": (
        "RelationCreate", "RelationDelete", "AssociationCreate",
        "AssociationUpdate", "AssociationDelete", "ObjectSchemaCreate", "ObjectSchemaUpdate",
    ),
    "conversations and campaigns are not synced": (
        "InboundMessage", "OutboundMessage", "ProviderOutboundMessage", "ConversationUnreadUpdate",
        "CampaignStatusUpdate", "LCEmailStats",
    ),
    "support and knowledge base are not synced": (
        "SupportTicketUpdate", "SupportTicketDelete", "KnowledgeBaseRichTextChange",
    ),
}  # fmt: skip
IGNORED: Mapping[str, str] = {event: reason for reason, events in _IGNORED_FOR.items() for event in events}

_TOLD_BY: Mapping[str, str] = {"payment": "invoice"}


def telling(objects: Iterable[str]) -> list[str]:
    """The events that tell of these objects, and of contacts, which every bridge reads. Those about the app come by
    themselves."""
    told = {"contact", *(_TOLD_BY.get(name, name) for name in objects)}
    return [event for event, object_ in HANDLED.items() if object_ in told]


# Their documented bodies have no `type`, or use it for something else (a price's type, a message's channel).
_NAMELESS = ("Invoice", "Product", "Price", "Record", "Relation", "Association", "ObjectSchema", "ProviderOutbound")
NAMELESS = frozenset(event for event in (*HANDLED, *IGNORED) if event.startswith(_NAMELESS))
# An update and a deletion are documented with the type of a creation (contracts/ghl, section 2.4).
MISNAMED = frozenset(event for event, object_ in HANDLED.items() if object_ == "appointment")
NAMED = (HANDLED.keys() | IGNORED.keys()) - NAMELESS
