"""What amounts and dates mean in one company, as the probe learned it (`Profile.data`). Pure but for the clock."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.errors import Rejected


def currency(data: Mapping[str, Any], currency_id: str = "") -> str:
    """ISO 4217, of a `currency_id`; without one the company's own. Raises Rejected where it is not known."""
    known = data.get("currencies") or {}
    code = known.get(currency_id, "") if currency_id else data.get("currency", "")
    if not code:
        named = f"the currency {currency_id}" if currency_id else "the company's currency"
        raise Rejected(f"{named} of Invoice Ninja is not known; check the connection again")
    return str(code)


def today(data: Mapping[str, Any], now: datetime) -> date:
    """The company's. `now` is aware."""
    try:
        zone = ZoneInfo(data.get("timezone") or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return now.astimezone(zone).date()
