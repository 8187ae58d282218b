"""Each object that can be listed is found by a sweep, on each side, where no event told of it."""

from typing import Any

import pytest

from app.settings import Settings
from app.sweep.readings import Scope
from tests.conftest import World, connect
from tests.flows import invoicing, test_businesses, test_opportunities, test_products, test_tasks
from tests.flows.resting import rest, swept
from tests.flows.test_sweep import lose, missed

BOTH = {"enabled": True, "direction": "both"}
ON = {"enabled": True}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"sweep_grace": 0})


@pytest.fixture
async def deaf(bare_world: World) -> World:
    """All that can be listed is on, and no webhook arrives."""
    await connect(
        bare_world,
        task=ON,
        business=ON,
        product=ON,
        invoice=BOTH,
        payment=BOTH,
        opportunity={
            **ON,
            "rules": [{"status": "won", "make": "invoice"}],
            "outcomes": [{"when": "invoice_sent", "stage": "Agreed"}],
        },
    )
    await lose(bare_world, bare_world.highlevel, bare_world.ninja)
    return bare_world


async def ids(world: World, object_: str) -> dict[str, str]:
    rows = await world.rows("links", object=object_, state="ok")
    return {each["crm_id"]: each["billing_id"] for each in rows}


async def test_each_object_is_found_on_each_side(deaf: World) -> None:
    made = await made_in_highlevel(deaf)
    run = await swept(deaf, Scope.CHANGED)
    await rest(deaf, 60)
    for object_, id_ in made.items():
        there = [each for each in await ids(deaf, object_) if id_ in each]
        assert there, f"{object_} {id_}: {run}, {await deaf.rows('links', object=object_)}"
    told = {("crm", name): 1 for name in ("contact", "opportunity", "product", "invoice", "payment")}
    assert await missed(deaf) == told  # of tasks and businesses not every event is told

    entered = await changed_in_invoice_ninja(deaf, made)
    await swept(deaf, Scope.CHANGED)
    await rest(deaf, 60)
    assert (await deaf.contact(made["contact"]))["city"] == "Rome"
    assert (await test_tasks.crm_task(deaf, made["contact"], made["task"]))["title"] == "Call Ada"
    assert [each["amount"] for each in await test_products.prices(deaf, made["product"])] == [9]
    stage = (await test_opportunities.opportunity_of(deaf, made["opportunity"]))["pipelineStageId"]
    assert stage == test_opportunities.AGREED
    assert entered in (await ids(deaf, "invoice")).values()
    assert [id_ for id_ in (await ids(deaf, "payment")).values() if entered in id_]
    names = ("contact", "task", "product", "opportunity", "invoice", "payment")
    assert (await missed(deaf)).keys() == told.keys() | {("billing", name) for name in names}

    await swept(deaf, Scope.CHANGED)  # the payment that we recorded has changed its invoice
    await rest(deaf)
    again = await swept(deaf, Scope.FULL)
    await rest(deaf)
    assert again["counts"] == {}, (await deaf.rows("events", kind="sweep"))[0]["object"]


async def made_in_highlevel(world: World) -> dict[str, str]:
    person = {"firstName": "Ada", "email": "ada@example.com", "phone": "+12125550147"}
    contact = await world.add_contact(**person)
    invoice = await invoicing.add(world, contact)
    await invoicing.act(world, invoice, "send")
    await invoicing.act(world, invoice, "pay", amount=20)
    product = await test_products.add(world)
    await test_products.add_price(world, product, 12.5)
    return {
        "contact": contact,
        "task": await test_tasks.add_task(world, contact),
        "business": await test_businesses.add_business(world, "Brick"),
        "opportunity": await test_opportunities.add(world, contact, status="won"),
        "product": product,
        "invoice": invoice,
        "payment": invoice,
    }


async def changed_in_invoice_ninja(world: World, made: dict[str, str]) -> str:
    """Returns the id of an invoice that was entered, and paid."""
    client = (await ids(world, "contact"))[made["contact"]]
    await world.edit_client(client, city="Rome")
    (task,) = (await ids(world, "task")).values()
    await put(world, f"tasks/{task}", description="Call Ada")
    await put(world, f"products/{(await ids(world, 'product'))[made['product']]}", price=9)
    paper = (await ids(world, "opportunity"))[made["opportunity"]]
    await invoicing.press(world, "mark_sent", paper.removeprefix("invoice/"))
    entered = await invoicing.enter(world, client, number="IN-7", product_key="Work", cost=50)
    await invoicing.take(world, client, entered, 50)
    return entered


async def put(world: World, path: str, **fields: Any) -> None:
    whole = (await world.ninja.get(f"/api/v1/{path}")).raise_for_status().json()["data"]
    (await world.ninja.put(f"/api/v1/{path}", json={**whole, **fields})).raise_for_status()
