import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Scope

from app.sandbox import control
from app.sandbox.control import Control, Controlled, without_ids
from app.sandbox.deliveries import Deliveries
from app.sandbox.faults import Fault, Faults, WebhookFault
from app.sandbox.serving import listen, server
from tests.conftest import until


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    bound = listen(0)
    running = server(app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]})
    thread.start()
    while not running.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join()
        bound.close()


def notebook() -> Starlette:
    """A simulator as small as can be: POST writes a note, GET lists them."""
    notes: list[str] = []

    async def handle(request: Request) -> JSONResponse:
        if request.method == "POST":
            notes.append((await request.body()).decode())
        return JSONResponse(notes)

    def label(scope: Scope) -> str:
        return str(dict(scope["headers"]).get(b"x-who", b""), "ascii")

    controls = Control(deliveries=Deliveries(), label=label, reset=notes.clear, state=lambda: {"notes": notes})
    return Starlette(
        routes=[controls.routes(), Route("/notes/{id}", handle, methods=["GET", "POST"])],
        middleware=[Middleware(Controlled, control=controls)],
        lifespan=controls.lifespan,
    )


@pytest.fixture
def url() -> Iterator[str]:
    with serving(notebook()) as url:
        yield url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url) as client:
        yield client


def notes(http: httpx.Client) -> Any:
    return http.get("/_control/state").json()["notes"]


def arm(http: httpx.Client, **fault: Any) -> None:
    assert http.post("/_control/faults", json=fault).status_code == 200


def test_requests_are_logged_with_their_token_label_and_can_be_filtered(http: httpx.Client) -> None:
    http.get("/notes/12?a=1", headers={"x-who": "service"})
    http.post("/notes/12", content=b"x", headers={"x-who": "human"})
    everything = http.get("/_control/requests").json()
    assert everything["count"] == 2
    first = everything["requests"][0]
    assert {k: first[k] for k in ("method", "path", "query", "status", "token")} == {
        "method": "GET",
        "path": "/notes/12",
        "query": "a=1",
        "status": 200,
        "token": "service",
    }
    for query in ("token=human", "method=POST", "since=1"):
        assert [r["token"] for r in http.get(f"/_control/requests?{query}").json()["requests"]] == ["human"]
    assert http.get("/_control/requests?path=/other").json()["count"] == 0


def test_an_old_half_of_the_log_is_forgotten_but_since_goes_on_counting(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "KEPT", 4)
    for number in range(5):
        http.get(f"/notes/{number}")
    kept = http.get("/_control/requests?since=3").json()["requests"]
    assert [each["path"] for each in kept] == ["/notes/3", "/notes/4"]


def test_counts_replace_ids_and_a_delete_forgets_the_requests(http: httpx.Client) -> None:
    http.get("/notes/12")
    http.get("/notes/VolejRejNm", headers={"x-who": "service"})
    assert http.get("/_control/counts").json() == {"GET /notes/{id}": 2}
    assert http.get("/_control/counts?token=service").json() == {"GET /notes/{id}": 1}
    http.delete("/_control/requests")
    assert http.get("/_control/counts").json() == {}


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/clients/VolejRejNm/purge", "/api/v1/clients/{id}/purge"),
        ("/api/v1/activities/entity", "/api/v1/activities/entity"),
        ("/contacts/ocQHyuzHvysMo5N5VsXc/tags", "/contacts/{id}/tags"),
        ("/api/v1/recurring_invoices", "/api/v1/recurring_invoices"),
        ("/a/77", "/a/{id}"),
    ],
)
def test_ids_are_taken_out_of_a_path(path: str, template: str) -> None:
    assert without_ids(path) == template


def test_status_fault_answers_with_its_headers_and_body_until_its_times_are_used(http: httpx.Client) -> None:
    arm(http, kind="status", status=429, headers={"retry-after": "3"}, body={"message": "slow"}, times=1, method="GET")
    assert http.post("/notes/1", content=b"a").status_code == 200
    refused = http.get("/notes/1")
    assert (refused.status_code, refused.headers["retry-after"], refused.json()) == (429, "3", {"message": "slow"})
    assert http.get("/notes/1").status_code == 200
    assert http.get("/_control/faults").json() == []


def test_latency_fault_slows_a_request_that_still_succeeds(http: httpx.Client) -> None:
    arm(http, kind="latency", seconds=0.2, path="/notes")
    began = time.monotonic()
    assert http.get("/notes/1").status_code == 200
    assert time.monotonic() - began >= 0.2


def test_drop_closes_the_connection_before_anything_is_written(http: httpx.Client) -> None:
    arm(http, kind="drop", times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        http.post("/notes/1", content=b"lost")
    assert notes(http) == []
    assert http.get("/_control/requests").json()["requests"][0]["status"] == 0


def test_drop_after_writes_and_then_closes_the_connection(http: httpx.Client) -> None:
    arm(http, kind="drop_after", times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        http.post("/notes/1", content=b"kept")
    assert notes(http) == ["kept"]
    assert http.get("/notes/1").status_code == 200


def test_created_anyway_writes_and_answers_an_error(http: httpx.Client) -> None:
    arm(http, kind="created_anyway", times=1)
    assert http.post("/notes/1", content=b"kept").status_code == 422
    assert notes(http) == ["kept"]


def test_faults_can_be_listed_and_cleared_and_nonsense_is_refused(http: httpx.Client) -> None:
    arm(http, kind="drop", times=3)
    assert [(f["kind"], f["times"]) for f in http.get("/_control/faults").json()] == [("drop", 3)]
    http.delete("/_control/faults")
    assert http.get("/_control/faults").json() == []
    assert http.post("/_control/faults", json={"kind": "melt"}).status_code == 400
    assert http.post("/_control/faults", json={"kind": "drop", "tmies": 1}).status_code == 400


def test_reset_brings_everything_back_to_the_start(http: httpx.Client) -> None:
    http.post("/notes/1", content=b"a")
    arm(http, kind="drop")
    http.post("/_control/webhook-faults", json={"kind": "lose"})
    http.post("/_control/reset")
    assert notes(http) == []
    assert http.get("/_control/faults").json() == []
    assert http.get("/_control/webhook-faults").json() == []
    assert http.get("/_control/requests").json()["count"] == 0


def test_a_request_fails_in_one_way_only_but_can_be_slow_as_well() -> None:
    faults = Faults()
    faults.add(Fault(kind="status", times=1))
    faults.add(Fault(kind="drop", times=1))
    faults.add(Fault(kind="latency", seconds=1, times=1))
    assert [fault.kind for fault in faults.match("GET", "/")] == ["status", "latency"]
    assert [fault.kind for fault in faults.match("GET", "/")] == ["drop"]


class Endpoint:
    """Receives webhooks; answers with the given statuses in turn, then 200."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.app = Starlette(routes=[Route("/hook", self._handle, methods=["POST", "PUT"])])

    async def _handle(self, request: Request) -> JSONResponse:
        self.bodies.append((await request.body()).decode())
        self.headers.append(dict(request.headers))
        return JSONResponse({}, status_code=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def hook(endpoint: Endpoint) -> Iterator[str]:
    with serving(endpoint.app) as url:
        yield f"{url}/hook"


@pytest.fixture
async def deliveries() -> AsyncIterator[Deliveries]:
    sender = Deliveries(seed=1)
    yield sender
    await sender.close()


async def test_a_delivery_is_sent_with_exactly_its_headers_and_recorded(
    deliveries: Deliveries, endpoint: Endpoint, hook: str
) -> None:
    await deliveries.send(hook, {"user-agent": "Them/1"}, b'{"a":1}', "Created")
    assert endpoint.bodies == ['{"a":1}']
    assert set(endpoint.headers[0]) == {"host", "user-agent", "content-length"}
    record = deliveries.log[0]
    assert (record["event"], record["status"], record["attempt"], record["body"]) == ("Created", 200, 1, {"a": 1})


async def test_failures_are_retried_after_the_given_waits_and_the_last_status_is_told(
    deliveries: Deliveries, endpoint: Endpoint, hook: str
) -> None:
    endpoint.statuses = [500, 429]
    told: list[int | None] = []
    await deliveries.send(hook, {}, b"{}", "Created", [0.01, 0.01, 0.01], on_final=told.append)
    assert [(r["attempt"], r["status"]) for r in deliveries.log] == [(1, 500), (2, 429), (3, 200)]
    assert told == [200]


async def test_no_answer_is_recorded_by_its_error_and_told_as_none(deliveries: Deliveries) -> None:
    told: list[int | None] = []
    bound = listen(0)  # bound but not listening: refused
    await deliveries.send(f"http://127.0.0.1:{bound.getsockname()[1]}/", {}, b"", "Created", on_final=told.append)
    bound.close()
    assert (deliveries.log[0]["status"], told) == ("ConnectError", [None])


async def test_one_who_dies_while_he_is_connected_to_is_tried_again(
    deliveries: Deliveries, endpoint: Endpoint, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = httpx.AsyncHTTPTransport.handle_async_request
    dead = [AttributeError("'NoneType' object has no attribute 'getpeername'")]

    async def handle_or_die(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if dead:
            raise dead.pop()
        return await handle(transport, request)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_or_die)
    await deliveries.send(hook, {}, b"{}", "Created", [0.01])
    assert [r["status"] for r in deliveries.log] == ["AttributeError", 200]


async def test_a_body_that_is_a_function_is_made_when_it_is_sent(
    deliveries: Deliveries, endpoint: Endpoint, hook: str
) -> None:
    now = {"name": "old"}
    sent = deliveries.send(hook, {}, lambda: now["name"].encode(), "Updated", delay=0.05)
    now["name"] = "new"
    await sent
    assert endpoint.bodies == ["new"]


async def test_lose_duplicate_and_delay(deliveries: Deliveries, endpoint: Endpoint, hook: str) -> None:
    deliveries.faults.add(WebhookFault(kind="lose", times=1))
    await deliveries.send(hook, {}, b"1", "E")
    deliveries.faults.add(WebhookFault(kind="duplicate", times=1))
    await deliveries.send(hook, {}, b"2", "E")
    deliveries.faults.add(WebhookFault(kind="delay", seconds=0.1, times=1))
    began = time.monotonic()
    await deliveries.send(hook, {}, b"3", "E")
    assert time.monotonic() - began >= 0.1
    assert endpoint.bodies == ["2", "2", "3"]
    assert [r["status"] for r in deliveries.log] == ["lost", 200, 200, 200]


async def test_reorder_lets_the_next_delivery_overtake(deliveries: Deliveries, endpoint: Endpoint, hook: str) -> None:
    deliveries.faults.add(WebhookFault(kind="reorder", times=1))
    first = deliveries.send(hook, {}, b"1", "E")
    second = deliveries.send(hook, {}, b"2", "E")
    await asyncio.gather(first, second)
    assert endpoint.bodies == ["2", "1"]


async def test_a_reordered_delivery_that_nothing_overtakes_still_arrives(
    deliveries: Deliveries, endpoint: Endpoint, hook: str
) -> None:
    deliveries.faults.add(WebhookFault(kind="reorder", seconds=0.05))
    await deliveries.send(hook, {}, b"1", "E")
    assert endpoint.bodies == ["1"]


async def test_under_way_is_what_comes_by_itself_but_no_retry_and_nothing_that_a_fault_makes_late(
    deliveries: Deliveries, endpoint: Endpoint, hook: str
) -> None:
    async def are(pending: int, under_way: int) -> None:
        async def reached() -> bool:
            return (deliveries.pending, deliveries.under_way) == (pending, under_way)

        await asyncio.sleep(0.1)
        await until(reached, 10)

    deliveries.send(hook, {}, b"1", "E", delay=30)  # the pace of the vendor's own queue
    await are(1, 1)
    deliveries.faults.add(WebhookFault(kind="reorder", seconds=30, times=1))
    deliveries.send(hook, {}, b"2", "E")
    await are(2, 2)
    deliveries.faults.add(WebhookFault(kind="delay", seconds=30, times=1))
    deliveries.send(hook, {}, b"3", "E")
    await are(3, 2)
    endpoint.statuses = [500]
    deliveries.send(hook, {}, b"4", "E", [30])
    await are(4, 2)


async def test_share_hits_about_that_part_and_the_same_one_after_a_reset(deliveries: Deliveries) -> None:
    def hits() -> list[bool]:
        deliveries.faults.add(WebhookFault(kind="lose", share=0.3))
        return [bool(deliveries.faults.match()) for _ in range(1000)]

    deliveries.faults.clear()
    first = hits()
    deliveries.faults.clear()
    assert hits() == first
    assert 250 < sum(first) < 350
