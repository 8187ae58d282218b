"""What a person enters at the vendor so that it calls us: addresses and secrets, shown when they are made."""

from app.api.schemas import Webhooks
from app.providers.invoice_ninja.webhook import HANDLED, SECRET_HEADER, address, spoken
from app.vault import WebhookSecrets


def webhooks(provider: str, public_url: str, made: WebhookSecrets) -> Webhooks:
    root = f"{public_url}/webhooks"
    if provider == "highlevel":
        return Webhooks(
            url=f"{root}/highlevel/workflow/{made.key}",
            header=SECRET_HEADER,
            secret=made.secret,
            app_url=f"{root}/highlevel",
        )
    return Webhooks(
        url=address(root, made.key, "{event_id}"),
        header=SECRET_HEADER,
        secret=made.secret,
        events={event_id: spoken(event_id) for event_id in HANDLED},
    )
