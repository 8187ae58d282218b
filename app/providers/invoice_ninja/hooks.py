"""Installing webhooks in one Invoice Ninja company: what `subscriptions` has planned. Section 8 of the contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Forbidden, Rejected
from app.providers.hooks import Change, Mailbox, Step
from app.providers.http import Wire
from app.providers.invoice_ninja import subscriptions
from app.providers.invoice_ninja.webhook import address
from app.providers.invoice_ninja.wire import Webhook, WebhookPage, parse

PER_PAGE = 200
MAX_PAGES = 25

NO_ADMIN = (
    "the API token's user is no administrator in Invoice Ninja, and only administrators may make webhooks: connect with"
    " the token of one, or let one enter them by hand"
)


@dataclass(frozen=True, slots=True)
class InvoiceNinjaHooks:
    """The subscriptions of one company. `data` is what the probe stored."""

    wire: Wire
    data: Mapping[str, Any]

    @property
    def obstacle(self) -> str:
        return NO_ADMIN if self.data.get("is_admin") is False else ""

    async def look(self, mailbox: Mailbox) -> Sequence[Change]:
        return subscriptions.plan(await self._listed(), mailbox)

    async def install(self, mailbox: Mailbox) -> Sequence[Change]:
        """Without the permission a list is empty and a bulk call does nothing (section 2), so it is looked at twice."""
        listed = {each.id: each for each in await self._listed()}
        changes = subscriptions.plan(listed.values(), mailbox)
        try:
            await self._do(changes, listed, mailbox)
        except Forbidden as refused:
            raise Forbidden(f"{NO_ADMIN} ({refused})", refused.status) from refused
        if any(change.step is not Step.KEEP for change in changes):
            _must_be_in_order(await self.look(mailbox))
        return changes

    async def remove(self, mailbox: Mailbox) -> Sequence[Change]:
        changes = subscriptions.plan(await self._listed(), mailbox, events=())
        await self._bulk(Step.DELETE, changes)
        return changes

    async def _do(self, changes: Sequence[Change], listed: Mapping[str, Webhook], mailbox: Mailbox) -> None:
        for change in changes:
            if change.step is Step.CREATE:
                await self.wire.write("POST", "/webhooks", _body(change, None, mailbox))
        await self._bulk(Step.RESTORE, changes)
        for change in changes:
            if change.step is Step.REPAIR:
                # Headers alone are refused: the URL and the event belong to every change.
                await self.wire.write("PUT", f"/webhooks/{change.id}", _body(change, listed[change.id], mailbox))
        await self._bulk(Step.DELETE, changes)

    async def _bulk(self, step: Step, changes: Sequence[Change]) -> None:
        """DELETE /webhooks/{id} would only archive it (recorded: webhooks_api/delete); this deletes."""
        if ids := [change.id for change in changes if change.step is step]:
            await self.wire.write("POST", "/webhooks/bulk", {"action": step.value, "ids": ids})

    async def _listed(self) -> Sequence[Webhook]:
        """Every subscription that is not deleted. Pages are counted here: the links drop the filter (section 4)."""
        found: dict[str, Webhook] = {}
        for page in range(1, MAX_PAGES + 1):
            params = {"status": "active,archived", "sort": "id|asc", "per_page": str(PER_PAGE), "page": str(page)}
            answer = parse(WebhookPage, await self.wire.get("/webhooks", params))
            found |= {each.id: each for each in answer.data}
            if not answer.data or page >= answer.meta.pagination.total_pages:
                return list(found.values())
        raise Rejected(f"the company has more than {PER_PAGE * MAX_PAGES} webhooks: too many to look through")


def _body(change: Change, webhook: Webhook | None, mailbox: Mailbox) -> Mapping[str, Any]:
    return {
        "event_id": change.event,
        "target_url": address(mailbox.root, mailbox.key, change.event),
        "rest_method": "post",
        "headers": subscriptions.headers(webhook, mailbox),
    }


def _must_be_in_order(changes: Sequence[Change]) -> None:
    if left := [change for change in changes if change.step is not Step.KEEP]:
        said = "; ".join(f"{change.name}: {change.reason}" for change in left)
        raise Rejected(f"Invoice Ninja took the webhooks, but they are not in order afterwards ({said})")
