"""What a vendor was asked and what it answered, of attempts that failed."""

from datetime import datetime
from typing import Any

from sqlmodel import SQLModel

from app.models.columns import born, document, shared_key


class FailedExchange(SQLModel, table=True):
    """Apart from its activity, for lists of those do not show it. `exchange`: a `providers.exchange.Exchange`."""

    __tablename__ = "failed_exchanges"

    activity_id: int = shared_key("activities.id")
    exchange: dict[str, Any] = document()
    at: datetime | None = born()
