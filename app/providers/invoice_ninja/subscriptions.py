"""Which subscriptions a company should have, and what has to be done for it. Pure.

contracts/invoice_ninja, section 8: one subscription is one event and one URL, the same one is accepted twice (and then
called twice), headers that are no object are never sent, and one 404, 405 or 410 archives it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from app.providers.hooks import Change, Mailbox, Step
from app.providers.invoice_ninja.webhook import HANDLED, SECRET_HEADER, address, spoken
from app.providers.invoice_ninja.wire import Webhook

_ORDER = list(Step)


def plan(existing: Iterable[Webhook], mailbox: Mailbox, events: Iterable[str] = tuple(HANDLED)) -> Sequence[Change]:
    """What has to be done so that each of `events` comes to the mailbox once. Only what is ours is ever named."""
    ours = [each for each in existing if is_ours(each, mailbox)]
    changes: list[Change] = []
    kept: dict[str, str] = {}
    for event in dict.fromkeys(events):
        fitting = [each for each in ours if _fits(each, mailbox, event)]
        if not fitting:
            changes.append(_change(Step.CREATE, event, "there is none for this event"))
            continue
        # The same choice whoever makes it: two that install at once must not delete each other's.
        best = min(fitting, key=lambda each: (bool(each.archived_at), not _is_secret(each, mailbox), each.id))
        kept[best.id] = event
        changes += _mended(best, mailbox)
    changes += [_deleted(each, mailbox, kept) for each in ours if each.id not in kept]
    return sorted(changes, key=lambda change: _ORDER.index(change.step))


def is_ours(webhook: Webhook, mailbox: Mailbox) -> bool:
    """It calls this connection, at whatever address, or one that this installation had."""
    if webhook.is_deleted:
        return False
    if f"/webhooks{address('', mailbox.key, '')}" in webhook.target_url.partition("?")[0]:
        return True
    prefix = address(mailbox.root, "", "").removesuffix("/")
    if not webhook.target_url.startswith(prefix):
        return False
    key = webhook.target_url.removeprefix(prefix).partition("/")[0]
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest() in mailbox.former


def headers(webhook: Webhook | None, mailbox: Mailbox) -> Mapping[str, str]:
    """With our secret. What else somebody entered stays, where it has the form that is sent."""
    given = webhook.headers if webhook and isinstance(webhook.headers, dict) else {}
    rest = {str(name): str(value) for name, value in given.items() if str(name).lower() != SECRET_HEADER.lower()}
    return {**rest, SECRET_HEADER: mailbox.secret}


def _fits(webhook: Webhook, mailbox: Mailbox, event: str) -> bool:
    return (webhook.event_id, webhook.target_url) == (event, address(mailbox.root, mailbox.key, event))


def _is_secret(webhook: Webhook, mailbox: Mailbox) -> bool:
    return isinstance(webhook.headers, dict) and webhook.headers == headers(webhook, mailbox)


def _mended(webhook: Webhook, mailbox: Mailbox) -> Iterable[Change]:
    if webhook.archived_at:
        reason = "it was archived: by a person, or because this address once answered 404, 405 or 410"
        yield _change(Step.RESTORE, webhook.event_id, reason, webhook.id)
    if not _is_secret(webhook, mailbox):
        yield _change(Step.REPAIR, webhook.event_id, "it does not send the secret header as it should", webhook.id)
    elif not webhook.archived_at:
        yield _change(Step.KEEP, webhook.event_id, "it is in place", webhook.id)


def _deleted(webhook: Webhook, mailbox: Mailbox, kept: Mapping[str, str]) -> Change:
    event = webhook.event_id
    if not _fits(webhook, mailbox, event):
        reason = "it calls an address of this installation that is not used any more"
    elif event in kept.values():
        reason = "it is doubled: Invoice Ninja would call twice"
    else:
        reason = "this event is not asked for"
    return _change(Step.DELETE, event, reason, webhook.id)


def _change(step: Step, event: str, reason: str, id_: str = "") -> Change:
    return Change(step=step, event=event, name=spoken(event), reason=reason, id=id_)
