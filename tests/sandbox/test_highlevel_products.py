from base64 import b64decode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.sandbox.bench import HERE, Bench, documented

CRANE = {"name": "Crane day", "locationId": HERE, "productType": "SERVICE"}
DAILY = {"name": "Weekday", "type": "one_time", "currency": "EUR", "amount": 400.1, "locationId": HERE}


def made(bench: Bench, **values: Any) -> str:
    return str(bench.api("POST", "/products/", {**CRANE, **values})["_id"])


def test_a_product_is_made_read_changed_and_deleted(bench: Bench) -> None:
    product = bench.api("POST", "/products/", {**CRANE, "description": "With driver"})
    path = f"/products/{product['_id']}"
    assert (product["name"], product["description"]) == ("Crane day", "With driver")
    assert bench.api("GET", path, locationId=HERE) == product
    assert bench.api("PUT", path, {**CRANE, "name": "Crane week"})["name"] == "Crane week"
    assert bench.ask("PUT", path, {"name": "Crane week"}).status_code == 422
    assert bench.ask("GET", path).status_code == 422
    assert bench.api("DELETE", path, locationId=HERE) == {"status": True}
    assert bench.ask("GET", path, locationId=HERE).status_code == 404


def test_the_list_hides_its_total_in_a_list(bench: Bench) -> None:
    ids = [made(bench, name=f"Crane {number}") for number in range(3)]
    found = bench.api("GET", "/products/", locationId=HERE, limit=2, offset=1)
    assert [each["_id"] for each in found["products"]] == ids[1:]
    assert found["total"] == [{"total": 3}]
    assert [each["_id"] for each in bench.api("GET", "/products/", locationId=HERE, search="crane 2")["products"]] == [
        ids[2]
    ]


def test_a_price_is_made_read_changed_and_deleted(bench: Bench) -> None:
    product = made(bench)
    path = f"/products/{product}/price"
    price = bench.api("POST", path, DAILY)
    assert (price["amount"], price["product"]) == (400.1, product)
    assert bench.api("GET", path, locationId=HERE) == {"prices": [price], "total": 1}
    assert bench.api("PUT", f"{path}/{price['_id']}", {**DAILY, "amount": 410})["amount"] == 410
    assert bench.api("GET", f"{path}/{price['_id']}", locationId=HERE)["amount"] == 410
    other = made(bench)
    assert bench.ask("GET", f"/products/{other}/price/{price['_id']}", locationId=HERE).status_code == 404
    assert bench.api("DELETE", f"{path}/{price['_id']}", locationId=HERE) == {"status": True}
    assert bench.api("GET", path, locationId=HERE) == {"prices": [], "total": 0}


def test_products_and_prices_tell_without_an_events_type(bench: Bench) -> None:
    product = made(bench)
    ((event, body),) = bench.events()
    assert event == "ProductCreate"
    assert "type" not in body
    assert (body["_id"], body["locationId"], body["productType"]) == (product, HERE, "SERVICE")
    price = bench.api("POST", f"/products/{product}/price", DAILY)["_id"]
    ((event, body),) = bench.events()
    assert (event, body["priceType"], body["product"], body["trackInventory"]) == (
        "PriceCreate",
        "one_time",
        product,
        None,
    )
    assert "type" not in body
    bench.control("PATCH", f"objects/prices/{price}", {"amount": 1})
    bench.control("PATCH", f"objects/products/{product}", {"name": "Crane week"})
    bench.control("DELETE", f"objects/prices/{price}")
    bench.control("DELETE", f"objects/products/{product}")
    told = [(event, documented(body).get("type")) for event, body in bench.events()]
    assert told == [
        ("PriceDelete", "one_time"),
        ("PriceUpdate", "one_time"),
        ("ProductDelete", None),
        ("ProductUpdate", None),
    ]


def test_a_body_without_a_name_is_signed_like_any_other(bench: Bench) -> None:
    made(bench)
    bench.receiver.wait(1)
    headers, raw = bench.receiver.got[0]
    key = load_pem_public_key(bench.http.get("/_control/public-key").content)
    assert isinstance(key, Ed25519PublicKey)
    key.verify(b64decode(headers["x-ghl-signature"]), raw)
