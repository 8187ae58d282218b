"""Webhooks in, over real HTTP: what the sender gets, and what is stored of it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import RowMapping, make_url, text

import app.inbox
from app.main import Service, build
from app.providers.base import Profile
from app.providers.invoice_ninja.webhook import EVENTS, HANDLED, SECRET_HEADER
from app.settings import Settings
from app.vault import WebhookSecrets
from tests.conftest import LOCATION, admin_sql, serving, until
from tests.databases import named

KEY = Ed25519PrivateKey.generate()
NEXT_KEY = Ed25519PrivateKey.generate()
STRANGER = Ed25519PrivateKey.generate()
OLD_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
MIB = 1_048_576
CONTACT = "contactABC1234567890"


def pem(key: Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def signed(raw: bytes, key: Ed25519PrivateKey = KEY) -> dict[str, str]:
    return {"X-GHL-Signature": base64.b64encode(key.sign(raw)).decode()}


def signed_the_old_way(raw: bytes) -> dict[str, str]:
    return {"X-WH-Signature": base64.b64encode(OLD_KEY.sign(raw, padding.PKCS1v15(), hashes.SHA256())).decode()}


def delivery(webhook_id: str = "wh-1", **fields: Any) -> bytes:
    """A ContactUpdate as HighLevel sends it; None takes a field away."""
    body = {"type": "ContactUpdate", "locationId": LOCATION, "id": CONTACT, "webhookId": webhook_id, **fields}
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def workflow(contact_id: str = CONTACT, **fields: Any) -> bytes:
    return json.dumps({"contact_id": contact_id, "location": {"id": LOCATION}, **fields}).encode()


def client(client_id: str = "VolejRejNm", **fields: Any) -> bytes:
    return json.dumps({"id": client_id, "name": "Acme", **fields}).encode()


@dataclass
class Door:
    """A running service without a worker: what is stored stays as it was stored."""

    service: Service
    http: httpx.AsyncClient
    crm_id: int
    crm: WebhookSecrets
    billing: WebhookSecrets
    bridge_id: int

    async def post(self, raw: bytes, path: str = "/webhooks/highlevel", **headers: str) -> httpx.Response:
        named_headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, content=raw, headers=named_headers)

    async def send(self, raw: bytes, path: str = "/webhooks/highlevel") -> httpx.Response:
        return await self.post(raw, path, **signed(raw))

    async def send_workflow(self, raw: bytes, *, key: str = "", secret: str | None = None) -> httpx.Response:
        headers = {} if secret == "" else {SECRET_HEADER: secret or self.crm.secret}
        return await self.post(raw, f"/webhooks/highlevel/workflow/{key or self.crm.key}", **headers)

    async def send_ninja(
        self, raw: bytes, event_id: str = "10", *, key: str = "", secret: str | None = None, method: str = "POST"
    ) -> httpx.Response:
        headers = {} if secret == "" else {SECRET_HEADER: secret or self.billing.secret}
        path = f"/webhooks/invoice-ninja/{key or self.billing.key}/{event_id}"
        return await self.http.request(method, path, content=raw, headers=headers)

    async def sql(self, statement: str, **values: Any) -> None:
        async with self.service.engine.begin() as connection:
            await connection.execute(text(statement), values)
        await self.service.directory.refresh()

    async def rows(self, statement: str) -> list[RowMapping]:
        async with self.service.engine.connect() as connection:
            return list((await connection.execute(text(statement))).mappings())

    async def events(self) -> list[RowMapping]:
        return await self.rows("SELECT * FROM events ORDER BY id")

    async def jobs(self) -> list[RowMapping]:
        return await self.rows("SELECT * FROM procrastinate_jobs ORDER BY id")

    async def the_event(self) -> RowMapping:
        (event,) = await self.events()
        return event

    async def nothing_stored(self) -> bool:
        return not await self.events() and not await self.jobs()


@asynccontextmanager
async def opened(settings: Settings, database: str, **changes: Any) -> AsyncIterator[Door]:
    keyed = settings.model_copy(update={"highlevel_webhook_public_keys": (pem(KEY),), **changes})
    service = build(keyed, database)
    async with serving(service, worker=False) as url:
        crm, crm_secrets = await service.connections.add(
            "highlevel", name="Location", base_url="", secrets={}, profile=Profile(account_id=LOCATION, label="L")
        )
        billing, billing_secrets = await service.connections.add(
            "invoice_ninja", name="Company", base_url="http://x", secrets={}, profile=Profile(account_id="c", label="C")
        )
        async with service.engine.begin() as connection:
            bridge_id = await connection.scalar(
                text(
                    "INSERT INTO bridges (name, crm_connection_id, billing_connection_id) VALUES ('B', :c, :b)"
                    " RETURNING id"
                ),
                {"c": crm.id, "b": billing.id},
            )
        await service.directory.refresh()
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            yield Door(service, http, crm.id or 0, crm_secrets, billing_secrets, int(bridge_id or 0))


@pytest.fixture
async def door(settings: Settings, database: str) -> AsyncIterator[Door]:
    async with opened(settings, database) as door:
        yield door


# -- HighLevel's signed deliveries ---------------------------------------------------------------------------------


async def test_a_signed_delivery_is_stored_with_its_job_before_202_is_said(door: Door) -> None:
    answer = await door.send(delivery())

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    event, (job,) = await door.the_event(), await door.jobs()
    assert (event["state"], event["side"], event["object"], event["external_id"]) == (
        "pending",
        "crm",
        "contact",
        CONTACT,
    )
    assert job["args"]["external_id"] == CONTACT
    assert job["lock"] == f"{door.bridge_id}/contact/crm/{CONTACT}"
    assert job["status"] == "todo"


async def test_the_event_and_its_job_are_written_by_one_transaction(door: Door) -> None:
    await door.send(delivery())

    (written,) = await door.rows("SELECT e.xmin = j.xmin AS together FROM events e, procrastinate_jobs j")
    assert written["together"]


async def test_an_event_whose_job_cannot_be_queued_is_not_stored_either(door: Door) -> None:
    await door.sql("ALTER FUNCTION procrastinate_defer_jobs_v1 RENAME TO gone_for_a_moment")
    answer = await door.send(delivery())
    await door.sql("ALTER FUNCTION gone_for_a_moment RENAME TO procrastinate_defer_jobs_v1")

    assert answer.status_code == 429
    assert await door.nothing_stored()
    assert (await door.send(delivery())).status_code == 202


async def test_a_repeated_delivery_is_counted_and_causes_no_second_job(door: Door) -> None:
    first, second = await door.send(delivery()), await door.send(delivery())

    assert (first.status_code, second.status_code) == (202, 202)
    assert (await door.the_event())["deliveries"] == 2
    assert len(await door.jobs()) == 1


async def test_issue_sendgrid_docs_2933_a_repetition_of_an_answered_delivery_stays_answered(door: Door) -> None:
    """Up to 46 times over 29 hours."""
    await door.send(delivery())
    await door.sql("UPDATE events SET state = 'done', handled_at = now(), received_at = now() - interval '29 hours'")
    await door.sql("DELETE FROM procrastinate_jobs")

    assert {(await door.send(delivery())).status_code for _ in range(45)} == {202}
    event = await door.the_event()
    assert (event["state"], event["deliveries"]) == ("done", 46)
    assert not await door.jobs()


async def test_two_events_of_one_record_share_one_waiting_job(door: Door) -> None:
    await door.send(delivery("wh-1"))
    await door.send(delivery("wh-2"))

    assert len(await door.events()) == 2
    assert len(await door.jobs()) == 1


@pytest.mark.parametrize("headers", [{}, {"X_GHL_Signature": "N/A"}, {"X_GHL_Signature": ""}, signed(b"other")])
async def test_without_the_right_signature_nothing_is_stored(door: Door, headers: dict[str, str]) -> None:
    answer = await door.post(delivery(), **headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert await door.nothing_stored()


async def test_another_senders_signature_is_refused(door: Door) -> None:
    raw = delivery()
    assert (await door.post(raw, **signed(raw, STRANGER))).status_code == 401
    assert await door.nothing_stored()


async def test_while_a_key_is_rotated_both_are_accepted(settings: Settings, database: str) -> None:
    async with opened(settings, database, highlevel_webhook_public_keys=(pem(KEY), pem(NEXT_KEY))) as door:
        old, new, other = (delivery(f"wh-{n}") for n in range(3))
        assert (await door.post(old, **signed(old, KEY))).status_code == 202
        assert (await door.post(new, **signed(new, NEXT_KEY))).status_code == 202
        assert (await door.post(other, **signed(other, STRANGER))).status_code == 401


async def test_the_legacy_signature_is_refused_until_it_is_switched_on(door: Door) -> None:
    raw = delivery()
    assert (await door.post(raw, **signed_the_old_way(raw))).status_code == 401
    assert await door.nothing_stored()


async def test_the_legacy_signature_is_accepted_when_it_is_switched_on(settings: Settings, database: str) -> None:
    changes = {"highlevel_legacy_signature": True, "highlevel_legacy_public_keys": (pem(OLD_KEY),)}
    async with opened(settings, database, **changes) as door:
        raw = delivery()
        assert (await door.post(raw, **signed_the_old_way(raw))).status_code == 202
        refused = await door.post(raw, **{**signed_the_old_way(raw), **signed(raw, STRANGER)})
        assert refused.status_code == 401


async def test_a_body_of_2_mib_is_refused_by_its_length(door: Door) -> None:
    raw = delivery(padding="x" * 2 * MIB)
    assert (await door.send(raw)).status_code == 413
    assert await door.nothing_stored()


async def test_a_chunked_body_of_2_mib_is_refused_while_it_arrives(door: Door) -> None:
    raw = delivery(padding="x" * 2 * MIB)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), 65_536):
            yield raw[start : start + 65_536]

    answer = await door.http.post("/webhooks/highlevel", content=chunks(), headers=signed(raw))
    assert answer.status_code == 413
    assert await door.nothing_stored()


async def test_a_body_at_the_limit_is_accepted(door: Door) -> None:
    empty = len(delivery(padding=""))
    raw = delivery(padding="x" * (MIB - empty))
    assert len(raw) == MIB
    assert (await door.send(raw)).status_code == 202


@pytest.mark.parametrize(
    "raw",
    [b"", b"no json", delivery()[:-9], b'{"id": "\xff\xfe"}', b"[]", b'"text"', b"null", b"[" * 100_000],
    ids=["empty", "text", "truncated", "not UTF-8", "list", "string", "null", "deep"],
)
async def test_what_is_signed_but_unreadable_is_a_bad_request(door: Door, raw: bytes) -> None:
    assert (await door.send(raw)).status_code == 400
    assert await door.nothing_stored()


@pytest.mark.parametrize("contact_id", [None, "", 7, "../x", "a b", "\ud800", "\x00", "x" * 101, {"a": 1}])
async def test_an_id_that_is_none_is_a_bad_request(door: Door, contact_id: Any) -> None:
    assert (await door.send(delivery(id=contact_id))).status_code == 400
    assert await door.nothing_stored()


async def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing_behind(door: Door) -> None:
    host, port = door.http.base_url.host, door.http.base_url.port or 0
    _, writer = await asyncio.open_connection(host, port)
    writer.write(b"POST /webhooks/highlevel HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    assert (await door.send(delivery())).status_code == 202
    assert len(await door.events()) == 1


async def test_an_unknown_location_is_recorded_as_ignored(door: Door) -> None:
    assert (await door.send(delivery(locationId="anotherLocation"))).status_code == 202
    event = await door.the_event()
    assert (event["state"], event["outcome"], event["bridge_id"]) == ("ignored", "unknown account", None)
    assert not await door.jobs()


async def test_an_unknown_event_is_recorded_as_unknown(door: Door) -> None:
    assert (await door.send(delivery(type="ContactTeleported"))).status_code == 202
    event = await door.the_event()
    assert (event["state"], event["kind"]) == ("unknown", "ContactTeleported")
    assert not await door.jobs()


async def test_an_unknown_event_is_loud(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    await door.send(delivery(type="ContactTeleported"))
    told = capsys.readouterr()
    assert "webhook.unknown_event" in told.out + told.err
    assert "ContactTeleported" in told.out + told.err


async def test_an_event_on_the_list_of_ignored_ones_is_recorded_with_its_reason(door: Door) -> None:
    assert (await door.send(delivery(type="OrderCreate"))).status_code == 202
    event = await door.the_event()
    assert (event["state"], event["outcome"]) == ("ignored", "orders are not synced")


async def test_an_event_for_another_app_is_ignored(settings: Settings, database: str) -> None:
    async with opened(settings, database, highlevel_client_id="66aa11bb-l5x") as door:
        assert (await door.send(delivery(appId="77cc22dd"))).status_code == 202
        event = await door.the_event()
        assert (event["state"], event["outcome"]) == ("ignored", "for another app")
        assert not await door.jobs()


async def test_an_event_for_our_app_is_handled(settings: Settings, database: str) -> None:
    async with opened(settings, database, highlevel_client_id="66aa11bb-l5x") as door:
        await door.send(delivery(appId="66aa11bb"))
        assert (await door.the_event())["state"] == "pending"


async def test_a_disabled_connection_is_ignored(door: Door) -> None:
    await door.sql("UPDATE connections SET state = 'disabled' WHERE id = :id", id=door.crm_id)
    assert (await door.send(delivery())).status_code == 202
    event = await door.the_event()
    assert (event["state"], event["outcome"]) == ("ignored", "the connection is disabled")
    assert not await door.jobs()


async def test_a_connection_that_waits_for_credentials_still_collects_its_events(door: Door) -> None:
    await door.sql("UPDATE connections SET state = 'needs_reconnect' WHERE id = :id", id=door.crm_id)
    await door.send(delivery())
    assert (await door.the_event())["state"] == "pending"


@pytest.mark.parametrize("statement", ["DELETE FROM bridges", "UPDATE bridges SET enabled = false"])
async def test_without_a_bridge_an_event_is_ignored(door: Door, statement: str) -> None:
    await door.sql(statement)
    assert (await door.send(delivery())).status_code == 202
    event = await door.the_event()
    assert (event["state"], event["outcome"]) == ("ignored", "no bridge uses this account")
    assert not await door.jobs()


async def test_the_path_names_an_event_that_does_not_name_itself(door: Door) -> None:
    assert (await door.send(delivery(type=None), "/webhooks/highlevel/ContactCreate")).status_code == 202
    event = await door.the_event()
    assert (event["kind"], event["state"]) == ("ContactCreate", "pending")


async def test_an_event_that_nobody_names_is_unknown(door: Door) -> None:
    assert (await door.send(delivery(type=None))).status_code == 202
    event = await door.the_event()
    assert event["state"] == "unknown"
    assert "give each event its own URL" in event["outcome"]


# -- workflows: a secret instead of a signature, no id of the delivery ----------------------------------------------


async def test_a_workflows_call_with_its_secret_is_stored(door: Door) -> None:
    assert (await door.send_workflow(workflow())).status_code == 202
    event = await door.the_event()
    assert (event["kind"], event["external_id"], event["state"]) == ("Workflow", CONTACT, "pending")


async def test_a_workflows_wrong_secret_is_refused(door: Door) -> None:
    assert (await door.send_workflow(workflow(), secret="wrong")).status_code == 401
    assert await door.nothing_stored()


async def test_a_workflows_missing_secret_is_refused(door: Door) -> None:
    assert (await door.send_workflow(workflow(), secret="")).status_code == 401
    assert await door.nothing_stored()


async def test_a_workflows_wrong_key_is_refused(door: Door) -> None:
    assert (await door.send_workflow(workflow(), key="wrong")).status_code == 401
    assert await door.nothing_stored()


async def test_another_connections_secret_does_not_open_the_door(door: Door) -> None:
    assert (await door.send_workflow(workflow(), secret=door.billing.secret)).status_code == 401
    assert await door.nothing_stored()


async def test_a_workflow_of_another_location_is_a_bad_request(door: Door) -> None:
    assert (await door.send_workflow(workflow(location={"id": "anotherLocation"}))).status_code == 400
    assert await door.nothing_stored()


async def test_the_same_workflow_body_twice_is_one_event(door: Door) -> None:
    await door.send_workflow(workflow())
    await door.send_workflow(workflow())
    assert (await door.the_event())["deliveries"] == 2
    assert len(await door.jobs()) == 1


async def test_the_same_workflow_body_after_it_was_answered_is_looked_at_again(door: Door) -> None:
    await door.send_workflow(workflow())
    answered = await door.the_event()
    await door.sql("UPDATE events SET state = 'done', outcome = 'created', handled_at = now()")
    await door.sql("DELETE FROM procrastinate_jobs")

    await door.send_workflow(workflow())

    event = await door.the_event()
    assert (event["state"], event["deliveries"], event["outcome"], event["handled_at"]) == ("pending", 2, "", None)
    assert event["id"] > answered["id"]
    assert len(await door.jobs()) == 1


async def test_of_the_bodies_a_b_a_none_is_lost(door: Door) -> None:
    for name in ("A", "B", "A"):
        await door.send_workflow(workflow(first_name=name))
        assert [event["state"] for event in await door.events()].count("pending") == 1
        assert len(await door.jobs()) == 1
        await door.sql("UPDATE events SET state = 'done', handled_at = now()")
        await door.sql("DELETE FROM procrastinate_jobs")

    assert sorted(event["deliveries"] for event in await door.events()) == [1, 2]


async def test_a_body_that_comes_again_while_its_job_runs_gets_a_job_of_its_own(door: Door) -> None:
    await door.send_workflow(workflow())
    looked_at = await door.the_event()
    await door.sql("UPDATE procrastinate_jobs SET status = 'doing'")

    await door.send_workflow(workflow())

    assert sorted(job["status"] for job in await door.jobs()) == ["doing", "todo"]
    assert (await door.the_event())["id"] > looked_at["id"]


# -- Invoice Ninja: an unguessable path and a secret header ---------------------------------------------------------


async def test_a_client_event_is_stored_with_its_job(door: Door) -> None:
    assert (await door.send_ninja(client())).status_code == 202
    event, (job,) = await door.the_event(), await door.jobs()
    assert (event["provider"], event["side"], event["external_id"]) == ("invoice_ninja", "billing", "VolejRejNm")
    assert job["args"]["side"] == "billing"


async def test_put_is_accepted_as_well_as_post(door: Door) -> None:
    assert (await door.send_ninja(client(), method="PUT")).status_code == 202
    assert (await door.the_event())["state"] == "pending"


async def test_a_wrong_path_key_is_refused(door: Door) -> None:
    assert (await door.send_ninja(client(), key="wrong")).status_code == 401
    assert await door.nothing_stored()


async def test_a_wrong_secret_header_is_refused(door: Door) -> None:
    assert (await door.send_ninja(client(), secret="wrong")).status_code == 401
    assert await door.nothing_stored()


async def test_a_missing_secret_header_is_refused(door: Door) -> None:
    assert (await door.send_ninja(client(), secret="")).status_code == 401
    assert await door.nothing_stored()


@pytest.mark.parametrize("secret", [b"\xe9\xff", b"x" * 20_000, b"\xed\xa0\x80"])
async def test_an_odd_secret_header_is_refused(door: Door, secret: bytes) -> None:
    path = f"/webhooks/invoice-ninja/{door.billing.key}/10"
    answer = await door.http.post(path, content=client(), headers=[(SECRET_HEADER.encode(), secret)])
    assert answer.status_code == 401
    assert await door.nothing_stored()


async def test_every_known_event_id_is_handled_or_ignored_on_purpose(door: Door) -> None:
    assert len(EVENTS) == 65
    record = json.dumps({"id": "VolejRejNm", "client_id": "VolejRejNm", "status_id": "3", "amount": 5}).encode()
    statuses = {(await door.send_ninja(record, event_id)).status_code for event_id in EVENTS}

    assert statuses == {202}
    events = {event["kind"]: event for event in await door.events()}
    assert events.keys() == set(EVENTS.values())
    handled = {kind for kind, event in events.items() if event["state"] == "pending"}
    off = {kind for kind, event in events.items() if event["outcome"].endswith("are switched off on this bridge")}
    assert handled | off == set(HANDLED.values())
    assert {kind for kind in HANDLED.values() if not kind.endswith("_CLIENT")} == off
    assert all(event["outcome"] for event in events.values() if event["state"] == "ignored")
    assert len(await door.jobs()) == 1


@pytest.mark.parametrize("event_id", ["0", "66", "client.created", "1 ", "%0A", "%F0%9F%98%80", "x" * 500])
async def test_an_unknown_event_id_is_recorded_as_unknown(door: Door, event_id: str) -> None:
    assert (await door.send_ninja(client(), event_id)).status_code == 202
    assert (await door.the_event())["state"] == "unknown"
    assert not await door.jobs()


async def test_a_nul_in_the_event_id_does_not_keep_other_events_out(door: Door) -> None:
    odd = [door.send_ninja(client(), "%00") for _ in range(5)]
    normal = [door.send_ninja(client(f"client{n}")) for n in range(20)]
    answers = await asyncio.gather(*odd, *normal)
    assert {answer.status_code for answer in answers} == {202}


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"id": "\xff"}', b'{"id": 7}', b"{}"])
async def test_a_proven_but_unreadable_client_is_a_bad_request(door: Door, raw: bytes) -> None:
    assert (await door.send_ninja(raw)).status_code == 400
    assert await door.nothing_stored()


# -- never 404, 405, 410 or a redirect ------------------------------------------------------------------------------

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "LINK")
TARGETS = (
    "/webhooks",
    "/webhooks/",
    "/webhooks//",
    "/webhooks/highlevel",
    "/webhooks/highlevel/",
    "/webhooks/highlevel//",
    "/webhooks/highlevel/ContactUpdate",
    "/webhooks/highlevel/ContactUpdate/",
    "/webhooks/highlevel/ContactUpdate/more",
    "/webhooks/highlevel/workflow",
    "/webhooks/highlevel/workflow/",
    "/webhooks/highlevel/workflow/key",
    "/webhooks/highlevel/workflow/key/",
    "/webhooks/highlevel?type=ContactUpdate",
    "/webhooks/highlevel;x=1",
    "/webhooks/highlevel%20",
    "/webhooks/HighLevel",
    "/webhooks/invoice-ninja",
    "/webhooks/invoice-ninja/",
    "/webhooks/invoice-ninja/key",
    "/webhooks/invoice-ninja/key/",
    "/webhooks/invoice-ninja/key/10",
    "/webhooks/invoice-ninja/key/10/",
    "/webhooks/invoice-ninja/key/10/more",
    "/webhooks/invoice-ninja//10",
    "/webhooks//invoice-ninja/key/10",
    "/webhooks/invoice-ninja/a%2Fb/10",
    "/webhooks/invoice-ninja%2Fkey%2F10",
    "/webhooks/invoice-ninja/key/%00",
    "/webhooks/invoice-ninja/key/%0A",
    "/webhooks/invoice-ninja/k%0Aey/10/more",
    "/webhooks/%0A",
    "/webhooks/a%0Ab",
    "/webhooks/%0D%0Aa",
    "/webhooks/%ff%fe",
    "/webhooks/%E2%80%A8",
    "/webhooks/..",
    "/webhooks/../webhooks/highlevel/",
    "/webhooks/%2e%2e/api/v1/connections",
    "/webhooks/" + "x" * 8_000,
    "/webhooks/highlevel/" + "x/" * 2_000,
)


async def status_of(door: Door, method: str, target: str) -> int:
    """Sent byte by byte: a client library would tidy the path."""
    host, port = door.http.base_url.host, door.http.base_url.port or 0
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()
    )
    await writer.drain()
    status = int((await reader.readline()).split()[1])
    await reader.read()
    writer.close()
    await writer.wait_closed()
    return status


@pytest.mark.parametrize("method", METHODS)
async def test_no_path_under_webhooks_makes_a_sender_give_up(door: Door, method: str) -> None:
    answers = {target: await status_of(door, method, target) for target in TARGETS}

    assert {target: status for target, status in answers.items() if status != 401} == {}
    assert await door.nothing_stored()


# -- when it cannot be stored now -----------------------------------------------------------------------------------


@contextmanager
def away(database: str) -> Iterator[None]:
    """The database refuses everyone, and those who were connected are thrown out."""
    name, admin = make_url(database).database, named(database, "postgres")
    admin_sql(
        admin,
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",  # noqa: S608
    )
    try:
        yield
    finally:
        admin_sql(admin, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def test_issue_highlevel_api_docs_257_while_the_database_is_away_the_sender_is_asked_to_come_back(
    door: Door, database: str
) -> None:
    with away(database):
        answers = [await door.send(delivery()), await door.send_ninja(client()), await door.send_workflow(workflow())]

    assert [answer.status_code for answer in answers] == [429, 429, 429]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)


async def test_when_the_database_is_back_deliveries_are_accepted_again(door: Door, database: str) -> None:
    with away(database):
        await door.send(delivery())

    async def accepted() -> bool:
        return (await door.send(delivery())).status_code == 202

    await until(accepted, 10, "nothing was accepted after the database came back")
    assert len(await door.jobs()) == 1


async def test_a_refused_signature_is_401_even_while_the_database_is_away(door: Door, database: str) -> None:
    with away(database):
        assert (await door.post(delivery(), X_GHL_Signature="N/A")).status_code == 401


@asynccontextmanager
async def blocked(door: Door) -> AsyncIterator[None]:
    """Nothing can be written to `events`."""
    async with door.service.engine.connect() as connection:
        await connection.execute(text("LOCK TABLE events IN EXCLUSIVE MODE"))
        yield
        await connection.rollback()


async def test_a_database_that_hangs_does_not_make_the_sender_wait_for_ever(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.inbox, "PATIENCE", 0.3)
    async with blocked(door):
        answer = await door.send(delivery())
    assert answer.status_code == 429
    assert answer.headers["retry-after"]


async def test_when_the_waiting_room_is_full_the_sender_is_asked_to_come_back(
    settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.inbox, "WAITING_ROOM", 3)
    monkeypatch.setattr(app.inbox, "PATIENCE", 30)
    async with opened(settings, database) as door:
        sent: list[asyncio.Task[httpx.Response]] = []
        async with blocked(door):
            sent = [asyncio.create_task(door.send(delivery(f"wh-{n}"))) for n in range(20)]
            await asyncio.wait(sent, timeout=20, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0.5)
            turned_away = [task.result() for task in sent if task.done()]
        answers = [await task for task in sent]

    assert turned_away
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in turned_away} == {(429, "10")}
    assert [answer.status_code for answer in answers].count(202) == len(sent) - len(turned_away)


async def test_every_answer_is_counted_by_provider_and_status(door: Door) -> None:
    def count(metrics: str) -> float:
        wanted = 'crossledger_deliveries_total{provider="highlevel",status="202"}'
        return sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(wanted))

    before = count((await door.http.get("/metrics")).text)
    await door.send(delivery())
    assert count((await door.http.get("/metrics")).text) == before + 1


async def test_an_answer_holds_nothing_of_what_was_sent(door: Door) -> None:
    headers: Mapping[str, str] = {SECRET_HEADER: "a-secret-that-was-mistyped"}
    answer = await door.post(b"{}", f"/webhooks/invoice-ninja/{door.billing.key}/10", **headers)
    assert "a-secret-that-was-mistyped" not in answer.text
    assert door.billing.key not in answer.text
