"""Who may come in and who is told: API tokens and webhooks. Sections 1 and 8."""

from typing import Any

from pydantic import Field

from app.providers.invoice_ninja.resources.values import Entity, Hidden, Text


class Token(Entity):
    """`token` is whole in the answer to its creation only; lists show its beginning."""

    name: Text = ""
    token: Hidden = ""
    user_id: Text = ""
    is_system: bool = False


class Webhook(Entity):
    """One event to one address. `headers` is an object, or something else where somebody entered it wrongly."""

    event_id: Text = ""
    target_url: Hidden = ""
    rest_method: Text = ""
    format: Text = ""
    headers: Any = Field(None, repr=False)
