"""By whose clock and in which currency a company counts, as the probe learned it (`Profile.data`). Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.errors import Rejected
from app.sync.money import MoneyError, minor_units, quantised


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Company:
    data: Mapping[str, Any] = field(repr=False)
    clock: Callable[[], datetime] = utc_now

    @property
    def _codes(self) -> Mapping[str, str]:
        codes: Mapping[str, str] = self.data.get("currencies") or {}
        return codes

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
        return self._codes.get(id_) or self._codes.get(self.data.get("currency_id") or "", "")

    def known_currency(self, id_: str = "") -> str:
        """Of an id, or the company's own, where money is to be written. Raises Rejected where it is not known."""
        if not (code := self._codes.get(id_, "") if id_ else self.currency("")):
            named = f"the currency {id_}" if id_ else "the company's currency"
            raise Rejected(f"{named} of Invoice Ninja is not known; check the connection again")
        return code

    def amount(self, value: Decimal, currency_id: str) -> str:
        """As a plain number with the currency's decimals; two where the currency is not known."""
        try:
            places = minor_units(self.currency(currency_id))
        except MoneyError:
            places = 2
        return str(quantised(value, places))
