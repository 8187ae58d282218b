"""Products and their prices: apps/products.json."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel.dto import (
    Dto,
    array,
    asked,
    filled,
    flag,
    mapping,
    mentions,
    number,
    one_of,
    page,
    text,
    texts,
)
from app.sandbox.highlevel.errors import ApiError
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import iso
from app.sandbox.highlevel.tables import Kind, Row, object_id
from app.sandbox.highlevel.tokens import Owner

Answer = tuple[int, dict[str, Any]]

PRODUCT = Dto(
    fields={
        "name": filled,
        "locationId": text,
        "productType": one_of("DIGITAL", "PHYSICAL", "SERVICE", "PHYSICAL/DIGITAL"),
        **dict.fromkeys(("description", "image", "statementDescriptor", "automaticTaxCategoryId", "slug"), text),
        **dict.fromkeys(("availableInStore", "isTaxesEnabled", "isLabelEnabled", "taxInclusive"), flag),
        **dict.fromkeys(("collectionIds", "taxes"), texts),
        **dict.fromkeys(("medias", "variants"), array),
        **dict.fromkeys(("label", "seo"), mapping),
    },
    required=("name", "locationId", "productType"),
)
CHANGED_PRODUCT = PRODUCT.but(required=PRODUCT.required, prices=texts)
PRICE = Dto(
    fields={
        "name": filled,
        "type": one_of("one_time", "recurring"),
        "currency": filled,
        "amount": number,
        "locationId": text,
        **dict.fromkeys(("description", "userId", "sku"), text),
        **dict.fromkeys(("trialPeriod", "totalCycles", "setupFee", "compareAtPrice", "availableQuantity"), number),
        **dict.fromkeys(("trackInventory", "allowOutOfStockPurchases", "isDigitalProduct"), flag),
        **dict.fromkeys(("recurring", "meta", "shippingOptions"), mapping),
        **dict.fromkeys(("membershipOffers", "digitalDelivery"), array),
        "variantOptionIds": texts,
    },
    required=("name", "type", "currency", "amount", "locationId"),
)
_OF_A_PRODUCT = ("name", "productType", "availableInStore", "description", "variants", "statementDescriptor", "image")
_OF_A_PRODUCT_TOO = ("collectionIds", "isTaxesEnabled", "taxes", "automaticTaxCategoryId", "label", "slug")
_OF_A_PRICE = ("name", "type", "currency", "amount", "membershipOffers", "variantOptionIds", "userId", "recurring")
_OF_A_PRICE_TOO = ("compareAtPrice", "trackInventory", "availableQuantity", "allowOutOfStockPurchases")


def routes(sandbox: Sandbox) -> list[Route]:
    read, write = (partial(endpoint, sandbox, f"products.{kind}") for kind in ("readonly", "write"))
    read_price, write_price = (partial(endpoint, sandbox, f"products/prices.{kind}") for kind in ("readonly", "write"))
    one, prices = "/products/{product_id}", "/products/{product_id}/price"
    return [
        Route("/products/", read(_list), methods=["GET"]),
        Route("/products/", write(_create), methods=["POST"]),
        Route(one, read(_get), methods=["GET"]),
        Route(one, write(_update), methods=["PUT"]),
        Route(one, write(_delete), methods=["DELETE"]),
        Route(prices, read_price(_prices), methods=["GET"]),
        Route(prices, write_price(_create_price), methods=["POST"]),
        Route(f"{prices}/{{price_id}}", read_price(_get_price), methods=["GET"]),
        Route(f"{prices}/{{price_id}}", write_price(_update_price), methods=["PUT"]),
        Route(f"{prices}/{{price_id}}", write_price(_delete_price), methods=["DELETE"]),
    ]


def kind(sandbox: Sandbox) -> Kind:
    return Kind(
        name="products",
        fields=frozenset(PRODUCT.fields) - {"locationId"},
        shown=shown,
        make=partial(make, sandbox),
        change=partial(change, sandbox),
        remove=partial(remove, sandbox),
    )


def price_kind(sandbox: Sandbox) -> Kind:
    return Kind(
        name="prices",
        fields=frozenset(PRICE.fields) - {"locationId"} | {"product"},
        shown=shown_price,
        make=partial(make_price, sandbox),
        change=partial(change_price, sandbox),
        remove=partial(remove_price, sandbox),
    )


def shown(product: Row) -> dict[str, Any]:
    return _shown(product, _OF_A_PRODUCT + _OF_A_PRODUCT_TOO)


def shown_price(price: Row) -> dict[str, Any]:
    return _shown(price, (*_OF_A_PRICE, *_OF_A_PRICE_TOO, "product"))


def _shown(row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    body = {name: row.values[name] for name in names if name in row.values}
    dates = {"createdAt": iso(row.added), "updatedAt": iso(row.updated)}
    return {"_id": row.id, "locationId": row.location_id, **body, **dates}


def make(sandbox: Sandbox, location_id: str, values: dict[str, Any]) -> Row:
    product = Row(id=object_id(), location_id=location_id, values={"availableInStore": False, "variants": [], **values})
    _tell(sandbox, "ProductCreate", sandbox.tables.products.add(product))
    return product


def change(sandbox: Sandbox, product: Row, values: dict[str, Any]) -> Row:
    if product.take(values):
        _tell(sandbox, "ProductUpdate", product)
    return product


def remove(sandbox: Sandbox, product: Row) -> None:
    """Its prices go with it, untold."""
    for price in sandbox.tables.prices.of(product.location_id, product=product.id):
        del sandbox.tables.prices[price.id]
    del sandbox.tables.products[product.id]
    _tell(sandbox, "ProductDelete", product)


def _tell(sandbox: Sandbox, event: str, product: Row) -> None:
    sandbox.webhooks.emit_unnamed(event, {**shown(product), "medias": product.values.get("medias", [])})


def make_price(sandbox: Sandbox, location_id: str, values: dict[str, Any]) -> Row:
    sandbox.tables.products[values["product"]]
    price = Row(id=object_id(), location_id=location_id, values=values)
    _tell_price(sandbox, "PriceCreate", sandbox.tables.prices.add(price))
    return price


def change_price(sandbox: Sandbox, price: Row, values: dict[str, Any]) -> Row:
    if price.take(values):
        _tell_price(sandbox, "PriceUpdate", price)
    return price


def remove_price(sandbox: Sandbox, price: Row) -> None:
    del sandbox.tables.prices[price.id]
    _tell_price(sandbox, "PriceDelete", price)


def _tell_price(sandbox: Sandbox, event: str, price: Row) -> None:
    """`type` in the body is the price's own; a new price calls it `priceType` (contracts/ghl, section 2.1)."""
    body = {"trackInventory": None, **shown_price(price)}
    if event == "PriceCreate":
        body["priceType"] = body.pop("type")
    sandbox.webhooks.emit_unnamed(event, body)


async def _list(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """The total is a list that holds an object that holds the total."""
    query = request.query_params
    location = sandbox.location(owner, asked(query, "locationId")["locationId"])
    found = [
        shown(each)
        for each in sandbox.tables.products.of(location.id)
        if mentions(query.get("search", ""), (each.values["name"],))
    ]
    return 200, {"products": found[page(query, skip="offset", default=0)], "total": [{"total": len(found)}]}


async def _create(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = PRODUCT.parse(await json_body(request))
    location = sandbox.location(owner, values.pop("locationId"))
    return 201, shown(make(sandbox, location.id, values))


def _one(sandbox: Sandbox, request: Request, owner: Owner, location_id: Any) -> Row:
    """Of the location that the request names."""
    product_id = request.path_params["product_id"]
    location = sandbox.location(owner, location_id)
    product = sandbox.row(owner, sandbox.tables.products, product_id, "Product")
    if product.location_id != location.id:
        raise _missing(sandbox, "Product", product_id)
    return product


def _one_price(sandbox: Sandbox, request: Request, owner: Owner, location_id: Any) -> Row:
    product = _one(sandbox, request, owner, location_id)
    price = sandbox.row(owner, sandbox.tables.prices, request.path_params["price_id"], "Price")
    if price.values["product"] != product.id:
        raise _missing(sandbox, "Price", price.id)
    return price


def _missing(sandbox: Sandbox, what: str, row_id: str) -> ApiError:
    return ApiError(sandbox.config.missing_object_status, f"{what} with id {row_id} not found")


def _where(request: Request) -> str:
    return asked(request.query_params, "locationId")["locationId"]


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, shown(_one(sandbox, request, owner, _where(request)))


async def _update(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = CHANGED_PRODUCT.parse(await json_body(request))
    return 200, shown(change(sandbox, _one(sandbox, request, owner, values.pop("locationId")), values))


async def _delete(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    remove(sandbox, _one(sandbox, request, owner, _where(request)))
    return 200, {"status": True}


async def _prices(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    product = _one(sandbox, request, owner, _where(request))
    found = [shown_price(each) for each in sandbox.tables.prices.of(product.location_id, product=product.id)]
    return 200, {"prices": found[page(request.query_params, skip="offset", default=0)], "total": len(found)}


async def _create_price(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = PRICE.parse(await json_body(request))
    product = _one(sandbox, request, owner, values.pop("locationId"))
    return 201, shown_price(make_price(sandbox, product.location_id, {**values, "product": product.id}))


async def _get_price(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, shown_price(_one_price(sandbox, request, owner, _where(request)))


async def _update_price(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = PRICE.parse(await json_body(request))
    price = _one_price(sandbox, request, owner, values.pop("locationId"))
    return 200, shown_price(change_price(sandbox, price, values))


async def _delete_price(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    remove_price(sandbox, _one_price(sandbox, request, owner, _where(request)))
    return 200, {"status": True}
