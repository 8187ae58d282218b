"""The background sender of webhooks that both simulators use."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx

from app.sandbox.faults import WebhookFaults

Body = bytes | Callable[[], bytes]
Final = Callable[[int | None], None]
"""Called once with the status of the last attempt; None when no answer came."""

caused_by: ContextVar[str] = ContextVar("caused_by", default="")
"""Whose request is being handled: the label of its token."""

_UNANSWERED = (httpx.HTTPError, httpx.InvalidURL, AttributeError)
"""AttributeError is what anyio raises over uvloop when the other side dies in the moment of connecting."""
LONGEST_REORDER = 1.0
KEPT = 20_000
"""Attempts that are remembered, with their bodies."""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    url: str
    headers: Mapping[str, str]
    body: Body
    event: str
    method: str
    retries: Sequence[float]
    delay: float
    by: str
    caused_at: float
    on_final: Final | None


class Deliveries:
    """Sends webhooks in the background, retries them, applies the webhook faults and records every attempt.

    `concurrency` is how many attempts may be under way at once: Invoice Ninja's queue has one worker, so one slow
    endpoint holds up all others (contracts/invoice_ninja, section 8). A wait for a retry does not count.
    `timeout` None waits for ever, as Invoice Ninja does.
    `body` may be a function: it is then called when the delivery is sent, not when the event happens.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        concurrency: int = 16,
        timeout: float | None = 15,
        follow_redirects: bool = False,
    ) -> None:
        self.faults = WebhookFaults(seed=seed)
        self.log: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._slots = asyncio.Semaphore(concurrency)
        self._timeout = timeout
        self._follow_redirects = follow_redirects
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[asyncio.Event] = []
        self._resting = 0

    @property
    def pending(self) -> int:
        return len(self._tasks)

    @property
    def under_way(self) -> int:
        """Of those pending, all but those that wait for a retry's turn or are late by a fault: there in a moment."""
        return len(self._tasks) - self._resting

    @contextmanager
    def _rest(self) -> Iterator[None]:
        self._resting += 1
        try:
            yield
        finally:
            self._resting -= 1

    def send(
        self,
        url: str,
        headers: Mapping[str, str],
        body: Body,
        event: str,
        retries: Sequence[float] = (),
        *,
        method: str = "POST",
        delay: float = 0,
        on_final: Final | None = None,
    ) -> asyncio.Task[None]:
        """Queue one delivery and return at once.

        Awaiting the task waits for the last attempt (Invoice Ninja's "sync" queue does).
        """
        parcel = Parcel(
            url=url,
            headers=headers,
            body=body,
            event=event,
            method=method,
            retries=retries,
            delay=delay,
            by=caused_by.get(),
            caused_at=time.time(),
            on_final=on_final,
        )
        return self._spawn(self._apply_faults(parcel))

    def clear(self) -> None:
        self.log.clear()

    def reset(self) -> None:
        """Forget the log, the faults and whatever is still waiting to be sent."""
        for task in self._tasks:
            task.cancel()
        self.faults.clear()
        self.clear()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _apply_faults(self, parcel: Parcel) -> None:
        faults = {fault.kind: fault for fault in self.faults.match()}
        await asyncio.sleep(parcel.delay)
        if "delay" in faults:
            with self._rest():
                await asyncio.sleep(faults["delay"].seconds)
        if "lose" in faults:
            self._record(parcel, _bytes(parcel.body), attempt=1, status="lost")
            return
        if "reorder" in faults:
            await self._hold(faults["reorder"].seconds or LONGEST_REORDER)
        await self._deliver(parcel)
        if "duplicate" in faults:
            await self._deliver(parcel)
        if "reorder" not in faults:
            self._release()

    async def _hold(self, seconds: float) -> None:
        """Wait until a later delivery has overtaken this one, `seconds` at most."""
        overtaken = asyncio.Event()
        self._held.append(overtaken)
        try:
            await asyncio.wait_for(overtaken.wait(), seconds)
        except TimeoutError:
            self._held.remove(overtaken)

    def _release(self) -> None:
        for overtaken in self._held:
            overtaken.set()
        self._held.clear()

    async def _deliver(self, parcel: Parcel) -> None:
        status: int | None = None
        for attempt, wait in enumerate((0.0, *parcel.retries), start=1):
            if wait:
                with self._rest():
                    await asyncio.sleep(wait)
            status = await self._attempt(parcel, attempt)
            if status is not None and 200 <= status < 300:  # contracts/ghl, section 2.3: any other answer is repeated
                break
        if parcel.on_final is not None:
            parcel.on_final(status)

    async def _attempt(self, parcel: Parcel, attempt: int) -> int | None:
        async with self._slots:
            body = _bytes(parcel.body)
            try:
                answer = await self._open_client().request(
                    parcel.method, parcel.url, content=body, headers=dict(parcel.headers)
                )
            except _UNANSWERED as error:
                self._record(parcel, body, attempt=attempt, status=type(error).__name__)
                return None
            self._record(parcel, body, attempt=attempt, status=answer.status_code)
            return answer.status_code

    def _open_client(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=self._timeout, follow_redirects=self._follow_redirects, trust_env=False
            )
            # What arrives is what the vendor sends: none of httpx's own headers.
            self._client.headers.clear()
        return self._client

    def _record(self, parcel: Parcel, body: bytes, *, attempt: int, status: int | str) -> None:
        self.log.append(
            {
                "url": parcel.url,
                "event": parcel.event,
                "status": status,
                "attempt": attempt,
                "at": time.time(),
                "by": parcel.by,
                "caused_at": parcel.caused_at,
                "body": _readable(body),
            }
        )


def _bytes(body: Body) -> bytes:
    return body if isinstance(body, bytes) else body()


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
