"""The only module of ours that makes Invoice Ninja write to a customer. Each caller says that it wants that."""

from collections.abc import Collection
from typing import Literal

from app.errors import Rejected, Unsupported
from app.providers.invoice_ninja.resources.resource import Bulk, Resource
from app.providers.invoice_ninja.resources.spec import T
from app.providers.invoice_ninja.wire import LABEL

_ENTITIES = {"invoices": "invoice", "quotes": "quote", "credits": "credit", "purchase_orders": "purchase_order"}


async def bulk_and_email_customer(
    resource: Resource[T], action: str, ids: Collection[str], *, emails_customer: Literal[True]
) -> Bulk[T]:
    """E-MAILS THE CUSTOMER, or may: the actions that `Resource.bulk` refuses."""
    _must_be_meant(emails_customer)
    if action not in resource.spec.emailing:
        raise Unsupported(resource.spec.path, f"“{action}” writes to nobody: use bulk")
    return await resource._bulk(action, ids)


async def email_customer(
    resource: Resource[T], id_: str, *, subject: str = "", text: str = "", emails_customer: Literal[True]
) -> None:
    """E-MAILS THE CUSTOMER one document, with the company's template where `subject` and `text` are empty."""
    _must_be_meant(emails_customer)
    entity = _ENTITIES.get(resource.spec.path)
    if entity is None:
        raise Unsupported(resource.spec.path, f"{LABEL} has no e-mail for it")
    own = {name: value for name, value in (("subject", subject), ("body", text)) if value}
    template = {"entity": entity, "entity_id": id_, "template": f"email_template_{entity}"}
    await resource.wire.write("POST", "/emails", {**template, **own})


def _must_be_meant(emails_customer: bool) -> None:
    if emails_customer is not True:
        raise Rejected("nobody asked for an e-mail to the customer")
