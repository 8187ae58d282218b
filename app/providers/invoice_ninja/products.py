"""The products of one Invoice Ninja company. contracts/invoice_ninja, section 5.

Its prices are in the company's currency. The key is neither required nor unique there.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.errors import Conflict, Rejected
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.http import Wire
from app.providers.invoice_ninja.company import Company
from app.providers.invoice_ninja.resources.resource import Resource
from app.providers.invoice_ninja.resources.table import PRODUCTS
from app.providers.invoice_ninja.resources.work import Product
from app.sync.decisions import ConflictKind
from app.sync.money import MoneyError, number, plain
from app.sync.objects import ProductSettings
from app.sync.records import FieldSpec, Presence, Record, Values

_WORDS = {"name": "product_key", "notes": "notes", "price": "price"}
_LIFE = {"active": Presence.ACTIVE, "archived": Presence.ARCHIVED, "deleted": Presence.DELETED}


@dataclass(frozen=True, slots=True)
class Products(Plain):
    """The value `price` is an amount with its currency, such as "12.5 EUR"; "" where it is 0."""

    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: ProductSettings = field(default_factory=ProductSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        specs = (
            FieldSpec(name="name", label="Product key", sparse=True, max_length=191),
            FieldSpec(name="notes", label="Notes"),
            FieldSpec(name="price", label="Price"),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        return self._read(await self._products.get(external_id))

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        async for each in self._products.each(updated_since=since):
            yield self._read(each)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        if key.kind is not KeyKind.IDENTITY:
            return []
        return [self._read(each) for each in await self._products.find("product_key", key.value)]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        return self._read(await self._products.create(self._body(values)))

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        return self._read(await self._products.update(current.id, self._body(values)))

    async def archive(self, current: Record) -> None:
        (await self._products.bulk("archive", [current.id])).demand_all()

    async def stays(self, current: Record) -> str:
        return ""

    async def restore(self, current: Record) -> None:
        (await self._products.bulk("restore", [current.id])).demand_all()

    @property
    def _products(self) -> Resource[Product]:
        return Resource(self.wire, PRODUCTS)

    def _read(self, product: Product) -> Record:
        price = f"{plain(product.price)} {Company(self.data).known_currency()}" if product.price else ""
        return Record(
            id=product.id,
            values={"name": product.product_key, "notes": product.notes, "price": price},
            presence=_LIFE[product.lifecycle],
            created_at=product.created_at,
            updated_at=product.updated_at,
            raw=product.model_dump(),
        )

    def _body(self, values: Values) -> dict[str, Any]:
        body: dict[str, Any] = {_WORDS[name]: value for name, value in values.items()}
        if "price" in values:
            body["price"] = self._price(values["price"])
        return body

    def _price(self, price: str) -> Decimal:
        """A unit price may be finer than a coin. Raises Conflict where it is in another currency."""
        if not price:
            return Decimal(0)
        amount, _, theirs = price.partition(" ")
        ours = Company(self.data).known_currency()
        if theirs != ours:
            raise Conflict(
                f"the product costs {price}, and the prices of this company are in {ours}", kind=ConflictKind.CURRENCY
            )
        try:
            return number(amount)
        except MoneyError as error:
            raise Rejected(str(error)) from error
