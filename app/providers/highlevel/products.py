"""The products of one HighLevel location, each with the one price that takes part. contracts/ghl, section 5.

A product has several prices, by size, by currency, or to be paid every month. The oldest one-time price is the
product's; the others are left alone.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.errors import AnswerLost, Gone, Rejected
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.highlevel.mapping import moment
from app.providers.highlevel.replies import Price, PricesReply, Product, ProductsReply, reply
from app.providers.highlevel.wire import ID
from app.providers.http import Wire
from app.providers.paging import Page, each_row, since_or_later
from app.sync.money import MoneyError, as_json, number, plain
from app.sync.objects import ProductSettings
from app.sync.records import FieldSpec, Kind, Record, Values
from app.sync.values import same

PAGE = 100
# What a PUT is told again, so that a price keeps what it has.
_SENT_BACK = (
    *("name", "type", "membershipOffers", "variantOptionIds", "compareAtPrice", "trackInventory"),
    *("availableQuantity", "allowOutOfStockPurchases"),
)


@dataclass(frozen=True, slots=True)
class Products(Plain):
    """The value `price` is an amount with its currency, such as "12.5 EUR"; "" where there is none, or it is free."""

    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: ProductSettings = field(default_factory=ProductSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        specs = (
            FieldSpec(name="name", label="Name", sparse=True),
            FieldSpec(name="description", label="Description"),
            FieldSpec(name="price", label="Price"),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        return await self._with_price(reply(Product, await self.wire.get(_path(external_id), self._here)))

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """The list has no prices: a call for each product that changed. A price alone does not change its product."""

        async def ask(skip: int) -> Page[Product]:
            params = {**self._here, "limit": str(PAGE), "offset": str(skip)}
            return Page(reply(ProductsReply, await self.wire.get("/products/", params)).products)

        async for product in each_row(ask, lambda each: each.id, size=PAGE, what="HighLevel's products"):
            if since_or_later(self._read(product, ()), since):
                yield await self._with_price(product)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The products of exactly this name. HighLevel finds names that contain it."""
        if key.kind is not KeyKind.IDENTITY or not key.value:
            return []
        params = {**self._here, "search": key.value, "limit": str(PAGE), "offset": "0"}
        found = reply(ProductsReply, await self.wire.get("/products/", params)).products
        wanted = key.value.casefold()
        return [await self._with_price(each) for each in found if same(Kind.TEXT, each.name.casefold(), wanted)]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        body = {**self._here, "productType": self.settings.kind, "name": values.get("name", "")}
        if values.get("description"):
            body["description"] = values["description"]
        made = reply(Product, await self.wire.write("POST", "/products/", body), failure=AnswerLost)
        prices = [await self._add_price(made, values["price"])] if values.get("price") else []
        return self._read(made, prices)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """The product and its price are two records there: each is written only where it changes."""
        product, prices = _parts(current)
        if own := {name: values[name] for name in ("name", "description") if name in values}:
            body = {**self._here, "name": product.name, "productType": product.product_type, **own}
            answer = await self.wire.write("PUT", _path(product.id), body)
            product = reply(Product, answer, failure=AnswerLost)
        if "price" in values:
            prices = await self._priced(product, prices, values["price"])
        return self._read(product, prices)

    async def _priced(self, product: Product, prices: Sequence[Price], wanted: str) -> Sequence[Price]:
        taken = self._taken(prices)
        if taken is None:
            return [*prices, await self._add_price(product, wanted)]
        amount, currency = _amount(wanted) if wanted else (Decimal(0), taken.currency)
        if currency != taken.currency:
            raise Rejected(f"the price in HighLevel is in {taken.currency}, the one in billing in {currency}")
        whole = taken.model_dump()
        kept = {name: _outgoing(whole[name]) for name in _SENT_BACK if whole.get(name) is not None}
        body = {**kept, **self._here, "currency": currency, "amount": _sent(amount)}
        answer = await self._exact.write("PUT", f"{_path(product.id)}/price/{taken.id}", body)
        changed = reply(Price, answer, failure=AnswerLost)
        return [changed if each.id == taken.id else each for each in prices]

    async def _add_price(self, product: Product, wanted: str) -> Price:
        amount, currency = _amount(wanted)
        body = {**self._here, "name": product.name, "type": "one_time", "currency": currency, "amount": _sent(amount)}
        answer = await self._exact.write("POST", f"{_path(product.id)}/price", body)
        return reply(Price, answer, failure=AnswerLost)

    async def _with_price(self, product: Product) -> Record:
        params = {**self._here, "limit": str(PAGE), "offset": "0"}
        prices = reply(PricesReply, await self._exact.get(f"{_path(product.id)}/price", params)).prices
        return self._read(product, prices)

    def _read(self, product: Product, prices: Sequence[Price]) -> Record:
        taken = self._taken(prices)
        others = [each for each in prices if each is not taken]
        told = ", ".join(f"{each.name} {plain(each.amount)} {each.currency}" for each in others[:10])
        return Record(
            id=product.id,
            values={
                "name": product.name,
                "description": product.description or "",
                "price": f"{plain(taken.amount)} {taken.currency}" if taken and taken.amount else "",
            },
            created_at=moment(product.created_at),
            updated_at=moment(product.updated_at),
            remark=f"Other prices of the product take no part: {told}" if told else "",
            raw={"product": product, "prices": prices},
        )

    def _taken(self, prices: Sequence[Price]) -> Price | None:
        wanted = self.settings.currency
        fitting = [each for each in prices if each.type == "one_time" and wanted in ("", each.currency)]
        return min(fitting, key=lambda each: (each.created_at, each.id), default=None)

    @property
    def _here(self) -> dict[str, str]:
        return {"locationId": self.location_id}

    @property
    def _exact(self) -> Wire:
        return replace(self.wire, parse_float=Decimal)


def _parts(record: Record) -> tuple[Product, Sequence[Price]]:
    return record.raw["product"], record.raw["prices"]


def _amount(price: str) -> tuple[Decimal, str]:
    """ "12.5 EUR" as its two parts."""
    amount, _, currency = price.partition(" ")
    try:
        return number(amount), currency
    except MoneyError as error:
        raise Rejected(str(error)) from error


def _sent(amount: Decimal) -> int | float:
    try:
        return as_json(amount)
    except MoneyError as error:
        raise Rejected(str(error)) from error


def _outgoing(value: Any) -> Any:
    return _sent(value) if isinstance(value, Decimal) else value


def _path(product_id: str) -> str:
    if not ID.fullmatch(product_id):
        raise Gone(f"“{product_id[:80]}” is not the id of a HighLevel product")
    return f"/products/{product_id}"
