"""A product with its price, both ways. The name in the CRM is the product key in billing."""

from typing import Literal

from pydantic import Field

from app.sync.fieldmap import Pair
from app.sync.objects.base import ObjectSettings, ObjectType
from app.sync.records import Side


class ProductSettings(ObjectSettings):
    default_map = (Pair("name", "name"), Pair("description", "notes"), Pair("price", "price"))

    currency: str = Field(
        "",
        pattern=r"^([A-Z]{3})?$",
        description="Of a product's prices in HighLevel, the first one-time price in this currency takes part; empty:"
        " the first one-time price. In another currency than the billing company's it is a conflict",
    )
    kind: Literal["DIGITAL", "PHYSICAL", "SERVICE", "PHYSICAL/DIGITAL"] = Field(
        "SERVICE", description="The type of products made in HighLevel, which wants one"
    )


PRODUCT = ObjectType(
    name="product",
    plural="products",
    called={Side.CRM: "product", Side.BILLING: "product"},
    becomes={
        Side.BILLING: "product: its key is the name, its notes the description, its price the first one-time price",
        Side.CRM: "product with a one-time price, with the same fields",
    },
    settings=ProductSettings,
    recognised_by="name",
    unique=True,
)
