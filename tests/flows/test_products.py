"""Products with their prices, both ways, between the running service and both simulators."""

import asyncio
from typing import Any

import httpx
import pytest

from app.providers.client import Client
from tests.conftest import LOCATION, World, connect, until
from tests.flows.resting import rest

NAMELESS = ("ProductCreate", "ProductUpdate", "ProductDelete", "PriceCreate", "PriceUpdate", "PriceDelete")


@pytest.fixture
async def shop(bare_world: World) -> World:
    return await connected(bare_world)


async def connected(world: World, **settings: Any) -> World:
    """Events that do not name themselves have a URL each, as the README says."""
    await connect(world, product={"enabled": True, **settings})
    url = f"{world.url}/webhooks/highlevel"
    events = {event: f"{url}/{event}" for event in NAMELESS}
    (await world.highlevel.post("/_control/webhooks", json={"url": url, "events": events})).raise_for_status()
    return world


async def add(world: World, name: str = "Soil", **fields: Any) -> str:
    body = {"name": name, "locationId": LOCATION, "productType": "PHYSICAL", **fields}
    answer = await world.highlevel.post("/products/", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["_id"])


async def add_price(world: World, product: str, amount: float, **fields: Any) -> str:
    body = {"name": "Usual", "type": "one_time", "currency": "USD", "amount": amount, "locationId": LOCATION, **fields}
    answer = await world.highlevel.post(f"/products/{product}/price", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["_id"])


async def in_crm(world: World, product: str) -> dict[str, Any]:
    where = {"locationId": LOCATION}
    return dict((await world.highlevel.get(f"/products/{product}", params=where)).raise_for_status().json())


async def prices(world: World, product: str) -> list[dict[str, Any]]:
    answer = await world.highlevel.get(f"/products/{product}/price", params={"locationId": LOCATION, "limit": "50"})
    return list(answer.raise_for_status().json()["prices"])


async def all_in_crm(world: World) -> list[dict[str, Any]]:
    answer = await world.highlevel.get("/products/", params={"locationId": LOCATION, "limit": "50"})
    return list(answer.raise_for_status().json()["products"])


async def products(world: World, status: str = "active") -> list[dict[str, Any]]:
    answer = await world.ninja.get("/api/v1/products", params={"per_page": "500", "status": status})
    return list(answer.raise_for_status().json()["data"])


async def make(world: World, **fields: Any) -> dict[str, Any]:
    return dict((await world.ninja.post("/api/v1/products", json=fields)).raise_for_status().json()["data"])


async def put(world: World, product: dict[str, Any], **fields: Any) -> None:
    path = f"/api/v1/products/{product['id']}"
    (await world.ninja.put(path, json={**product, **fields})).raise_for_status()


async def link(world: World) -> dict[str, Any]:
    (row,) = await world.rows("links", object="product")
    return row


async def test_a_product_and_its_price_arrive_and_follow_both_ways(shop: World) -> None:
    product = await add(shop, description="In bags")
    price = await add_price(shop, product, 12.5)
    await rest(shop)
    (made,) = await products(shop)
    assert (made["product_key"], made["notes"], made["price"]) == ("Soil", "In bags", 12.5)

    path = f"/products/{product}/price/{price}"
    body = {"name": "Usual", "type": "one_time", "currency": "USD", "amount": 13.75, "locationId": LOCATION}
    (await shop.highlevel.put(path, json=body)).raise_for_status()
    await rest(shop)
    (made,) = await products(shop)
    assert made["price"] == 13.75

    await put(shop, made, product_key="Best soil", price=14.25, cost=6)
    await rest(shop)
    assert (await in_crm(shop, product))["name"] == "Best soil"
    assert [(each["_id"], each["amount"], each["name"]) for each in await prices(shop, product)] == [
        (price, 14.25, "Usual")
    ]
    (made,) = await products(shop)
    assert made["cost"] == 6  # what a product costs the company is nobody else's


async def test_a_product_of_billing_becomes_one_in_the_crm_with_its_price(shop: World) -> None:
    await make(shop, product_key="Hour", notes="Work", price=80)
    await rest(shop)
    (there,) = await all_in_crm(shop)
    assert (there["name"], there["description"], there["productType"]) == ("Hour", "Work", "SERVICE")
    (price,) = await prices(shop, there["_id"])
    assert (price["type"], price["currency"], price["amount"]) == ("one_time", "USD", 80)
    assert (await link(shop))["state"] == "ok"


async def test_a_product_that_both_have_already_is_one_pair(shop: World) -> None:
    await shop.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    await add(shop, "hour")
    made = await make(shop, product_key="Hour", price=80)
    await rest(shop)
    (there,) = await all_in_crm(shop)
    row = await link(shop)
    assert (row["crm_id"], row["billing_id"], row["state"]) == (there["_id"], made["id"], "ok")
    assert [each["amount"] for each in await prices(shop, there["_id"])] == [80]


async def test_two_products_of_one_key_are_left_to_a_person(shop: World) -> None:
    await shop.ninja.post("/_control/reset")  # no webhooks: they were there before
    await make(shop, product_key="Hour")
    await make(shop, product_key="Hour")
    await add(shop, "Hour")
    (row,) = await until(lambda: shop.rows("links", object="product", state="conflict"))
    assert row["detail"] == "2 records match by name; which one is it?"
    assert len(await products(shop)) == 2


async def test_of_several_prices_the_first_one_time_price_takes_part_and_the_others_are_named(shop: World) -> None:
    await shop.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    product = await add(shop)
    await add_price(shop, product, 5, type="recurring", name="Monthly")
    usual = await add_price(shop, product, 12.5)
    big = await add_price(shop, product, 20, name="Big bag")
    url = f"{shop.url}/webhooks/highlevel/ProductUpdate"
    await shop.highlevel.post("/_control/webhooks", json={"url": url, "events": {}})
    where = {"locationId": LOCATION, "name": "Soil", "productType": "PHYSICAL", "description": "In bags"}
    (await shop.highlevel.put(f"/products/{product}", json=where)).raise_for_status()
    await rest(shop)
    (made,) = await products(shop)
    assert made["price"] == 12.5
    (told,) = await shop.rows("activities", object="product")
    assert told["detail"] == "Other prices of the product take no part: Monthly 5 USD, Big bag 20 USD"

    await put(shop, made, price=13)
    await rest(shop)
    assert {each["_id"]: each["amount"] for each in await prices(shop, product)}[usual] == 13
    assert {each["_id"]: each["amount"] for each in await prices(shop, product)}[big] == 20


async def test_the_price_in_the_chosen_currency_takes_part(bare_world: World) -> None:
    shop = await connected(bare_world, currency="USD")
    product = await add(shop)
    await add_price(shop, product, 11, currency="EUR")
    await add_price(shop, product, 12.5)
    await rest(shop)
    assert [each["price"] for each in await products(shop)] == [12.5]


async def test_a_price_in_another_currency_is_a_conflict_and_not_converted(shop: World) -> None:
    product = await add(shop)
    await rest(shop)
    await add_price(shop, product, 11, currency="EUR")
    (row,) = await until(lambda: shop.rows("links", object="product", state="conflict"))
    assert row["detail"] == "the product costs 11 EUR, and the prices of this company are in USD"
    await rest(shop)
    assert [each["price"] for each in await products(shop)] == [0]


async def test_deleting_archives_in_billing_and_deletes_nothing_in_the_crm(shop: World) -> None:
    first, second = await add(shop, "First"), await add(shop, "Second")
    await rest(shop)
    made = {each["product_key"]: each for each in await products(shop)}
    where = {"locationId": LOCATION}
    (await shop.highlevel.delete(f"/products/{first}", params=where)).raise_for_status()
    (await shop.ninja.delete(f"/api/v1/products/{made['Second']['id']}")).raise_for_status()
    await rest(shop)
    assert [each["product_key"] for each in await products(shop, "archived")] == ["First"]
    assert [each["_id"] for each in await all_in_crm(shop)] == [second]
    problems = {row["crm_id"]: row["problem"] for row in await shop.rows("links", object="product", state="unlinked")}
    assert problems == {first: "crm_gone_archived", second: "billing_gone"}


@pytest.mark.parametrize("path", ["^/products/$", "/price$"])
async def test_a_lost_answer_makes_no_second_product_and_no_second_price(shop: World, path: str) -> None:
    await shop.fault(shop.highlevel, kind="drop_after", method="POST", path=path, times=1)
    await make(shop, product_key="Hour", price=80)
    await until(lambda: shop.rows("links", object="product", state="ok"))
    await rest(shop)
    (there,) = await all_in_crm(shop)
    assert [each["amount"] for each in await prices(shop, there["_id"])] == [80]


async def test_a_lost_answer_makes_no_second_product_in_billing(shop: World) -> None:
    await shop.fault(shop.ninja, kind="drop_after", method="POST", path="^/api/v1/products$", times=1)
    await add(shop)
    await until(lambda: shop.rows("links", object="product", state="ok"))
    await rest(shop)
    assert len(await products(shop)) == 1


async def test_the_echo_is_silent(shop: World) -> None:
    product = await add(shop, description="In bags")
    await add_price(shop, product, 12.5)
    await rest(shop)
    (made,) = await products(shop)
    await shop.forget_calls()
    await put(shop, made, notes="In sacks")
    await until(lambda: shop.rows("events", kind="ProductUpdate", state="done"))
    await rest(shop)
    asked = [each for vendor in (shop.highlevel, shop.ninja) for each in await shop.calls(vendor)]
    writes = [f"{each['method']} {each['path']}" for each in asked if each["method"] != "GET"]
    assert writes == [f"PUT /products/{product}"]


async def test_a_product_without_a_key_takes_no_part(shop: World) -> None:
    await make(shop, notes="Nameless", price=1)
    await rest(shop)
    assert ((await link(shop))["state"], (await link(shop))["problem"]) == ("excluded", "unidentified")
    assert await all_in_crm(shop) == []


@pytest.mark.parametrize("name", ["x" * 300, "عرض 🌱 <b>bold</b>"])
async def test_odd_names_end_as_one_pair(shop: World, name: str) -> None:
    await add(shop, name)
    await rest(shop)
    (made,) = await products(shop)
    assert made["product_key"] == name[:191]
    assert (await link(shop))["state"] == "ok"
    assert [each["name"] for each in await all_in_crm(shop)] == [name]


async def test_the_event_of_our_own_create_may_come_before_its_answer(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Billing has a shorter name than the CRM, and no id of it: it is still none of somebody else."""
    send = Client.send

    async def send_slowly(self: Client, request: httpx.Request, **given: Any) -> httpx.Response:
        answer = await send(self, request, **given)
        if request.method == "POST" and request.url.path == "/api/v1/products":
            await until(lambda: shop.rows("events", kind="EVENT_CREATE_PRODUCT"))
            await asyncio.sleep(0.5)
        return answer

    monkeypatch.setattr(Client, "send", send_slowly)
    await add(shop, "x" * 300)
    await rest(shop)
    assert [each["product_key"] for each in await products(shop)] == ["x" * 191]
    assert [each["name"] for each in await all_in_crm(shop)] == ["x" * 300]
    assert (await link(shop))["state"] == "ok"


async def test_where_products_are_off_nothing_is_asked(bare_world: World) -> None:
    await connect(bare_world)
    await bare_world.forget_calls()
    await make(bare_world, product_key="Hour")
    await until(lambda: bare_world.rows("events", kind="EVENT_CREATE_PRODUCT", state="ignored"))
    assert await bare_world.calls(bare_world.highlevel) == await bare_world.calls(bare_world.ninja) == []
