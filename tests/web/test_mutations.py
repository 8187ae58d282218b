"""A thousand deliveries that differ from right ones in one place: none has an effect, and no right one is lost."""

import asyncio
import base64
import random
from collections import Counter
from string import ascii_letters
from typing import Any

from app.providers.invoice_ninja.webhook import SECRET_HEADER
from app.settings import Settings
from tests.web.test_webhooks import KEY, Door, client, delivery, opened, signed, workflow

OUR_APP = "66aa11bb"
RIGHT = 30
AT_ONCE = 40


async def test_of_1000_changed_deliveries_none_has_an_effect_and_the_right_ones_all_have(
    settings: Settings, database: str
) -> None:
    dice = random.Random(20_261_121)
    originals = [delivery(f"wh-{n}", id=f"contact{n}", appId=OUR_APP, padding="ü" * n) for n in range(RIGHT)]
    async with opened(settings, database, highlevel_client_id=f"{OUR_APP}-l5x") as door:
        answered: Counter[tuple[str, int]] = Counter()
        changed = [_changed(door, originals[n % RIGHT], n, dice) for n in range(1000)]
        for start in range(0, len(changed), AT_ONCE):
            some = changed[start : start + AT_ONCE]
            answers = await asyncio.gather(*(door.http.request(**request) for _, request in some))
            answered.update((name, answer.status_code) for (name, _), answer in zip(some, answers, strict=True))

        assert answered == {
            ("signature", 401): 600,
            ("path or header", 401): 200,
            ("another place for the workflow", 400): 50,
            ("another app", 202): 75,
            ("another location", 202): 75,
        }
        assert {event["state"] for event in await door.events()} == {"ignored"}
        assert await door.jobs() == []
        await _right_ones_count_once_however_often_they_come(door, originals)


async def _right_ones_count_once_however_often_they_come(door: Door, originals: list[bytes]) -> None:
    for _ in range(2):
        for n, raw in enumerate(originals):
            sent = door.send(raw), door.send_ninja(client(f"client{n}")), door.send_workflow(workflow(f"person{n}"))
            assert [answer.status_code for answer in await asyncio.gather(*sent)] == [202] * 3
    pending = [event for event in await door.events() if event["state"] == "pending"]
    wanted = {f"{kind}{n}" for kind in ("contact", "client", "person") for n in range(RIGHT)}
    assert {event["external_id"] for event in pending} == wanted
    assert [event["deliveries"] for event in pending] == [2] * 3 * RIGHT
    assert sorted(job["args"]["external_id"] for job in await door.jobs()) == sorted(wanted)


def _changed(door: Door, raw: bytes, n: int, dice: random.Random) -> tuple[str, dict[str, Any]]:
    """What is wrong with it, and the request."""
    post: dict[str, Any] = {"method": "POST", "url": "/webhooks/highlevel"}
    match n % 40:
        case kind if kind < 24:
            return "signature", {**post, **_mutated(raw, kind % 6, dice)}
        case kind if kind < 32:
            return "path or header", {**post, **_elsewhere(door, kind % 8, dice)}
        case kind if kind < 34:
            body = workflow(location={"id": f"another{n}"})
            url = f"{post['url']}/workflow/{door.crm.key}"
            return "another place for the workflow", {
                **post, "url": url, "content": body, "headers": {SECRET_HEADER: door.crm.secret},
            }  # fmt: skip
        case kind if kind < 37:
            foreign = delivery(f"app-{n}", appId=f"{n:08x}")
            return "another app", {**post, "content": foreign, "headers": signed(foreign)}
    foreign = delivery(f"location-{n}", appId=OUR_APP, locationId=f"anotherLocation{n}")
    return "another location", {**post, "content": foreign, "headers": signed(foreign)}


def _elsewhere(door: Door, kind: int, dice: random.Random) -> dict[str, Any]:
    """A call that is proven by its path and its secret, with one letter of one of them changed, or one missing."""
    ninja = kind % 2 == 0
    key, secret = (door.billing.key, door.billing.secret) if ninja else (door.crm.key, door.crm.secret)
    match kind // 2:
        case 0:
            key = _misspelt(key, dice)
        case 1:
            secret = _misspelt(secret, dice)
        case 2:
            secret = ""
        case _:
            secret = door.crm.secret if ninja else door.billing.secret
    path = f"invoice-ninja/{key}/10" if ninja else f"highlevel/workflow/{key}"
    return {
        "url": f"/webhooks/{path}",
        "content": client() if ninja else workflow(),
        "headers": {SECRET_HEADER: secret} if secret else {},
    }


def _misspelt(word: str, dice: random.Random) -> str:
    place = dice.randrange(len(word))
    other = dice.choice([letter for letter in ascii_letters if letter != word[place]])
    return word[:place] + other + word[place + 1 :]


def _mutated(raw: bytes, kind: int, dice: random.Random) -> dict[str, Any]:
    """A request that differs from what was signed in one place."""
    signature = KEY.sign(raw)
    if kind == 0:
        return {"content": _flipped(raw, dice), "headers": signed(raw)}
    if kind == 1:
        flipped = base64.b64encode(_flipped(signature, dice)).decode()
        return {"content": raw, "headers": {"X-GHL-Signature": flipped}}
    if kind == 2:
        cut = raw[: dice.randrange(len(raw))]
        return {"content": cut, "headers": signed(raw)}
    if kind == 3:
        shorter = base64.b64encode(signature[: dice.randrange(64)]).decode()
        return {"content": raw, "headers": {"X-GHL-Signature": shorter}}
    if kind == 4:
        place, name = dice.randrange(len("X-GHL-Signature")), "X-GHL-Signature"
        other = name[:place] + ("q" if name[place] != "q" else "z") + name[place + 1 :]
        return {"content": raw, "headers": {other: base64.b64encode(signature).decode()}}
    place = dice.randrange(len(raw) + 1)
    return {"content": raw[:place] + b" " + raw[place:], "headers": signed(raw)}


def _flipped(value: bytes, dice: random.Random) -> bytes:
    bits = bytearray(value)
    bit = dice.randrange(len(bits) * 8)
    bits[bit // 8] ^= 1 << bit % 8
    return bytes(bits)
