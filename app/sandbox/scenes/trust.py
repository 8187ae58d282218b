"""Why one can trust it with money: a plan before anything is written, and what becomes of lost webhooks, conflicts
and mistakes."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.sandbox.stage import GRACE, until
from app.sandbox.story import PATIENCE, Story, expect

_LOSE = {"kind": "lose", "share": 1.0}


async def planned(story: Story) -> list[str]:
    for name, city in (("Ann", "York"), ("Bob", "Hull"), ("Cleo", "Leeds")):
        await story.add_contact(firstName=name, lastName="Early", email=f"{name.lower()}@early.example", city=city)
    person = {"first_name": "Ann", "last_name": "Early", "email": "ann@early.example"}
    body = {"name": "Ann Early", "city": "Bath", "contacts": [person]}
    (await story.stage.ninja.post("/api/v1/clients", json=body)).raise_for_status()
    before = await story.writes()
    run = await _done(story, "bridges/1/plan", {})
    items = (await story.stage.admin.get(f"/api/v1/plans/{run['id']}/items")).json()["items"]
    counts = {name: run["counts"].get(name) for name in ("create", "link")}
    expect(counts == {"create": 2, "link": 1}, f"the plan counts {run['counts']}")
    expect(await story.writes() == before, "the plan has written something")
    (city,) = (each for item in items for each in item["changes"] if each["field"] == "city" and each["before"])
    story.plan_id = run["id"]
    return [
        f"{run['counts']['read']} records read on both sides: {counts['create']} to create, {counts['link']} to link,"
        f" its city in {city['side']} from “{city['before']}” to “{city['after']}”; nothing written",
    ]


async def applied(story: Story) -> list[str]:
    first = await _done(story, f"plans/{story.plan_id}/apply", {"first": 1})
    expect(first["counts"] == {"done": 1}, f"the first one came out as {first['counts']}")
    run = await _done(story, f"plans/{story.plan_id}/apply", {"go_live": True})
    expect(run["counts"] == {"done": 2}, f"the others came out as {run['counts']}")
    (ann,) = await story.clients_with("ann@early.example")
    expect(ann["city"] == "York", "the plan was not done")
    bridge = (await story.stage.admin.get("/api/v1/bridges/1")).json()
    expect(bridge["enabled"], "the bridge is not live")
    return ["one record first, then the other two; the bridge is live from now on"]


async def webhooks_lost(story: Story) -> list[str]:
    await _deaf(story, True)
    await story.edit_contact(city="Exeter")
    (bob,) = await story.clients_with("bob@early.example")
    whole = {**bob, "address1": "7 Low Lane"}
    (await story.stage.ninja.put(f"/api/v1/clients/{bob['id']}", json=whole)).raise_for_status()
    await story.at_rest()
    expect((await story.client())["city"] != "Exeter", "the webhooks were not lost")
    await _deaf(story, False)
    known = await _missed(story)
    await asyncio.sleep(GRACE + 1)  # what is younger may still be on its way
    story.begin()
    await _done(story, "bridges/1/sweep", {})
    contact = bob["custom_value4"]

    async def repaired() -> bool:
        there = (await story.contact(contact)).get("address1")
        return bool((await story.client())["city"] == "Exeter" and there == "7 Low Lane")

    await story.arrival(repaired, "what was missed was not repaired")
    missed = await _missed(story) - known
    expect(missed == 2, f"{missed} missed events are counted")
    return ["an edit on each side, and every webhook lost: one sweep found both, repaired both, and counts 2 missed"]


async def conflict(story: Story) -> list[str]:
    await _settings(story, prefer="ask")
    await _deaf(story, True)
    await story.edit_contact(city="Dover")
    await story.edit_client(city="Deal")
    await story.at_rest()
    await _deaf(story, False)
    await story.edit_contact(postalCode="CT16 1AA")

    async def open_() -> Any:
        found = (await story.stage.admin.get("/api/v1/conflicts", params={"kind": "field"})).json()["items"]
        return found if (await story.client())["postal_code"] == "CT16 1AA" else []

    found = await until(open_, PATIENCE)
    expect(found, "no conflict is open, or the other field did not arrive")
    cities = ((await story.contact(story.contact_id))["city"], (await story.client())["city"])
    expect(cities == ("Dover", "Deal"), f"a city was overwritten: {cities}")
    story.begin()
    decision = {"fields": {"city": {"take": "billing"}}}
    await _post(story, f"conflicts/{found[0]['id']}/decide", decision)

    async def decided() -> bool:
        return bool((await story.contact(story.contact_id))["city"] == "Deal")

    await story.arrival(decided, "the decision was not carried out")
    await _settings(story, prefer="crm")
    return ["both sides changed the city: neither was overwritten, the post code went on; “Deal” was chosen, by hand"]


async def undone(story: Story) -> list[str]:
    since = datetime.now(UTC).isoformat()
    before = await story.client()
    await story.edit_contact(address1="1 Wrong Road", website="https://wrong.example")

    async def arrived() -> bool:
        client = await story.client()
        return bool(client["address1"] == "1 Wrong Road" and "wrong.example" in client["website"])

    expect(await until(arrived, PATIENCE), "the edits did not arrive")
    await story.at_rest()
    await story.edit_client(website="https://right.example")
    await story.at_rest()
    written = await story.writes()
    story.begin()
    run = await _done(story, "undo", {"bridge_id": 1, "since": since, "side": "billing"})
    client = await story.client()
    story.begin()
    expect(client["address1"] == before["address1"], f"the address is “{client['address1']}”")
    expect("right.example" in client["website"], "a person's edit was overwritten")
    await story.at_rest()
    expect(await story.writes() == written + 1, "the undo came back as an echo")
    return [
        f"all that was written to billing in the last seconds: {_told(run['counts'])}",
        f"the address is “{client['address1']}” again, the person's website stays; one write, no echo",
    ]


async def _missed(story: Story) -> int:
    health = (await story.stage.admin.get("/api/v1/bridges/1/health")).json()
    return sum(int(each["missed"]) for each in health["missed"])


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items()))


async def _done(story: Story, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Begin a run, and wait for its end."""
    run_id = (await _post(story, path, body))["id"]

    async def ended() -> dict[str, Any]:
        run = dict((await story.stage.admin.get(f"/api/v1/runs/{run_id}")).raise_for_status().json())
        return run if run["state"] != "running" else {}

    run: dict[str, Any] = await story.arrival(ended, "the run has not ended")
    expect(run["state"] == "done", f"the run is {run['state']}: {run['detail']}")
    return run


async def _post(story: Story, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = await story.stage.admin.post(f"/api/v1/{path}", json=dict(body))
    expect(answer.is_success, f"{path} answers {answer.status_code}: {answer.text}")
    return dict(answer.json())


async def _settings(story: Story, **changed: Any) -> None:
    bridge = (await story.stage.admin.get("/api/v1/bridges/1")).json()
    body = {"settings": {**bridge["settings"], **changed}}
    (await story.stage.admin.patch("/api/v1/bridges/1", json=body)).raise_for_status()


async def _deaf(story: Story, lost: bool) -> None:
    """From now on every webhook is lost, or arrives again."""
    for vendor in (story.stage.highlevel, story.stage.ninja):
        if lost:
            (await vendor.post("/_control/webhook-faults", json=_LOSE)).raise_for_status()
        else:
            (await vendor.delete("/_control/webhook-faults")).raise_for_status()
