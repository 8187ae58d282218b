"""By whose clock and in which currency a company counts, as the probe learned it (`Profile.data`). Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.sync.money import MoneyError, minor_units, quantised


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Company:
    data: Mapping[str, Any] = field(repr=False)
    clock: Callable[[], datetime] = utc_now

    @property
    def zone(self) -> ZoneInfo:
        """UTC where the company's is not known."""
        try:
            return ZoneInfo(self.data.get("timezone") or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    @property
    def today(self) -> date:
        return self.clock().astimezone(self.zone).date()

    def begins(self, day: date) -> datetime:
        """When a day begins there."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def currency(self, id_: str) -> str:
        """The code of a currency; the company's own where the record has none."""
        codes: Mapping[str, str] = self.data.get("currencies") or {}
        return codes.get(id_) or codes.get(self.data.get("currency_id") or "", "")

    def amount(self, value: Decimal, currency_id: str) -> str:
        """As a plain number with the currency's decimals; two where the currency is not known."""
        try:
            places = minor_units(self.currency(currency_id))
        except MoneyError:
            places = 2
        return str(quantised(value, places))
