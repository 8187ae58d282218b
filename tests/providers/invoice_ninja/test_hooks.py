"""The calls that install webhooks: what leaves, and what a refusal is called."""

import json
from typing import Any

import httpx
import pytest
import respx

from app.errors import AnswerLost, Forbidden, Reconnect, Rejected
from app.providers.base import Access
from app.providers.hooks import Mailbox, Step
from app.providers.invoice_ninja.hooks import InvoiceNinjaHooks
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.providers.invoice_ninja.webhook import HANDLED, SECRET_HEADER, address
from tests.providers.invoice_ninja.conftest import BASE, OpenGate
from tests.providers.invoice_ninja.recordings import answer

ROOT = "https://sync.example.com/webhooks"
MAILBOX = Mailbox(root=ROOT, key="our-key", secret="our-secret")


def row(event: str, id_: str, **fields: Any) -> dict[str, Any]:
    made = {"id": id_, "event_id": event, "target_url": address(ROOT, "our-key", event), "rest_method": "post"}
    flags = {"archived_at": 0, "created_at": 1, "is_deleted": False, "headers": {SECRET_HEADER: "our-secret"}}
    return {**made, **flags, **fields}


COMPLETE = [row(event, f"id{event}") for event in HANDLED]


def listed(rows: list[dict[str, Any]], *, pages: int = 1) -> httpx.Response:
    meta = {"pagination": {"total": len(rows), "total_pages": pages}}
    return httpx.Response(200, json={"data": rows, "meta": meta})


@pytest.fixture
def hooks(http: httpx.AsyncClient) -> InvoiceNinjaHooks:
    access = Access(base_url=BASE, account_id="key", secrets={"api_token": "t0ken"})
    return InvoiceNinja().hooks(access, OpenGate(), http)


def sent(ninja: respx.MockRouter) -> list[tuple[str, str, Any]]:
    """What was written."""
    return [
        (call.request.method, call.request.url.path.removeprefix("/api/v1"), json.loads(call.request.content))
        for call in ninja.calls
        if call.request.method != "GET"
    ]


async def test_each_event_is_subscribed_with_its_own_url_and_an_object_of_headers(
    hooks: InvoiceNinjaHooks, ninja: respx.MockRouter
) -> None:
    ninja.get("/webhooks").mock(side_effect=[listed([]), listed(COMPLETE)])
    ninja.post("/webhooks").mock(answer("webhooks_create"))
    await hooks.install(MAILBOX)
    assert sent(ninja) == [
        (
            "POST",
            "/webhooks",
            {
                "event_id": event,
                "target_url": f"{ROOT}/invoice-ninja/our-key/{event}",
                "rest_method": "post",
                "headers": {SECRET_HEADER: "our-secret"},
            },
        )
        for event in HANDLED
    ]


async def test_what_is_in_order_is_asked_for_once_and_nothing_is_written(
    hooks: InvoiceNinjaHooks, ninja: respx.MockRouter
) -> None:
    ninja.get("/webhooks").mock(listed(COMPLETE))
    changes = await hooks.install(MAILBOX)
    assert {change.step for change in changes} == {Step.KEEP}
    assert len(ninja.calls) == 1


async def test_a_repair_sends_url_and_event_again(hooks: InvoiceNinjaHooks, ninja: respx.MockRouter) -> None:
    """Headers alone are 422: recorded, webhooks_api/update_only_headers."""
    bad = row("1", "bad", headers={"X-Route": "eu"})
    ninja.get("/webhooks").mock(side_effect=[listed([bad, *COMPLETE[1:]]), listed(COMPLETE)])
    ninja.put("/webhooks/bad").mock(answer("webhooks_create"))
    await hooks.install(MAILBOX)
    [(method, path, body)] = sent(ninja)
    assert (method, path) == ("PUT", "/webhooks/bad")
    assert (body["event_id"], body["target_url"]) == ("1", address(ROOT, "our-key", "1"))
    assert body["headers"] == {"X-Route": "eu", SECRET_HEADER: "our-secret"}


async def test_archived_ones_are_restored_and_doubles_deleted_by_one_bulk_call_each(
    hooks: InvoiceNinjaHooks, ninja: respx.MockRouter
) -> None:
    """DELETE /webhooks/{id} only archives, and would be restored by the next check."""
    asleep = [row("1", "a", archived_at=9), row("10", "b", archived_at=9)]
    doubles = [row("45", "x2"), row("45", "x3"), row("2", "invoice")]
    ninja.get("/webhooks").mock(side_effect=[listed([*asleep, *COMPLETE[2:], *doubles]), listed(COMPLETE)])
    ninja.post("/webhooks/bulk").mock(listed([]))
    await hooks.install(MAILBOX)
    assert sent(ninja) == [
        ("POST", "/webhooks/bulk", {"action": "restore", "ids": ["a", "b"]}),
        ("POST", "/webhooks/bulk", {"action": "delete", "ids": ["x2", "x3", "invoice"]}),
    ]


async def test_every_page_is_read_and_deleted_ones_are_not_asked_for(
    hooks: InvoiceNinjaHooks, ninja: respx.MockRouter
) -> None:
    route = ninja.get("/webhooks").mock(side_effect=[listed(COMPLETE[:3], pages=2), listed(COMPLETE[3:], pages=2)])
    assert {change.step for change in await hooks.look(MAILBOX)} == {Step.KEEP}
    asked = [dict(call.request.url.params) for call in route.calls]
    assert [each["page"] for each in asked] == ["1", "2"]
    assert {(each["status"], each["per_page"], each["sort"]) for each in asked} == {
        ("active,archived", "200", "id|asc")
    }


async def test_the_token_of_somebody_who_is_no_administrator_is_said_clearly(
    hooks: InvoiceNinjaHooks, ninja: respx.MockRouter
) -> None:
    """The list is empty then, so it looks as if all were missing: section 2."""
    ninja.get("/webhooks").mock(listed([]))
    ninja.post("/webhooks").mock(answer("errors_permission_create_webhook"))
    with pytest.raises(Forbidden, match=r"no administrator .* by hand"):
        await hooks.install(MAILBOX)


@pytest.mark.parametrize("left", [[], COMPLETE[1:], [*COMPLETE, row("1", "again")]])
async def test_a_call_that_answers_200_and_does_nothing_is_noticed(
    hooks: InvoiceNinjaHooks, ninja: respx.MockRouter, left: list[dict[str, Any]]
) -> None:
    ninja.get("/webhooks").mock(side_effect=[listed([]), listed(left)])
    ninja.post("/webhooks").mock(answer("webhooks_create"))
    with pytest.raises(Rejected, match="not in order afterwards"):
        await hooks.install(MAILBOX)


async def test_a_deleted_token_waits_for_a_person(hooks: InvoiceNinjaHooks, ninja: respx.MockRouter) -> None:
    ninja.get("/webhooks").mock(answer("errors_invalid_token"))
    with pytest.raises(Reconnect) as refused:
        await hooks.look(MAILBOX)
    assert refused.value.connection == OpenGate.connection_id


async def test_a_lost_answer_ends_the_installation(hooks: InvoiceNinjaHooks, ninja: respx.MockRouter) -> None:
    """Perhaps it was made: the next look sees it, and doubles are taken away."""
    ninja.get("/webhooks").mock(listed([]))
    route = ninja.post("/webhooks").mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(AnswerLost):
        await hooks.install(MAILBOX)
    assert route.call_count == 1


async def test_a_redirect_is_not_followed(hooks: InvoiceNinjaHooks, ninja: respx.MockRouter) -> None:
    ninja.get("/webhooks").respond(302, headers={"Location": f"{BASE}/login"})
    with pytest.raises(Rejected, match="check the base URL"):
        await hooks.look(MAILBOX)


@pytest.mark.parametrize("id_", ["", "../tokens/abc", "a/b", "a?x=1"])
async def test_an_id_that_would_change_the_address_is_refused(
    hooks: InvoiceNinjaHooks, ninja: respx.MockRouter, id_: str
) -> None:
    ninja.get("/webhooks").mock(listed([row("1", id_, headers=[])]))
    with pytest.raises(Rejected, match="in a form we do not know"):
        await hooks.install(MAILBOX)
    assert sent(ninja) == []


async def test_a_removal_takes_ours_and_nothing_else(hooks: InvoiceNinjaHooks, ninja: respx.MockRouter) -> None:
    theirs = row("1", "theirs", target_url="https://other.example/hook")
    ninja.get("/webhooks").mock(listed([theirs, *COMPLETE]))
    ninja.post("/webhooks/bulk").mock(listed([]))
    await hooks.remove(MAILBOX)
    assert sent(ninja) == [("POST", "/webhooks/bulk", {"action": "delete", "ids": [row["id"] for row in COMPLETE]})]


async def test_where_nothing_is_ours_a_removal_writes_nothing(
    hooks: InvoiceNinjaHooks, ninja: respx.MockRouter
) -> None:
    ninja.get("/webhooks").mock(answer("webhooks_list"))
    assert await hooks.remove(MAILBOX) == []
    assert sent(ninja) == []


@pytest.mark.parametrize(("data", "known"), [({}, False), ({"is_admin": True}, False), ({"is_admin": False}, True)])
def test_what_the_probe_knew_is_said_before_it_is_tried(
    http: httpx.AsyncClient, data: dict[str, Any], known: bool
) -> None:
    access = Access(base_url=BASE, account_id="key", secrets={"api_token": "t0ken"}, data=data)
    assert bool(InvoiceNinja().hooks(access, OpenGate(), http).obstacle) is known
