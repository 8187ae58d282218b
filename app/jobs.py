"""What the workers run, and what becomes of a record when an attempt fails.

failure              | the record | its events | next attempt
Wait                 | as it was  | pending    | at the time told; burns no try
Retry, AnswerLost    | retrying   | pending    | after 2, 4, 8 ... s, then hourly, for about a day
  ... the last one   | failed     | failed     | when an event or a person asks
Reconnect            | waiting    | pending    | when the connection works again
Conflict             | conflict   | failed     | when an event or a person asks
any other refusal    | failed     | failed     | when an event or a person asks
a bug of ours        | as Retry, with its traceback in the log
our own database     | nothing can be stored: tried again for some seconds, then when `rescue_orphans` comes round
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import pausing
from app.connections import Connections
from app.directory import BridgeView, Directory
from app.errors import Conflict, CrossledgerError, InternalError, Reconnect, Rejected, Retry, Wait
from app.metrics import SYNC_SECONDS, SYNCS
from app.models.link import LinkState
from app.providers.exchange import Exchange
from app.queue import Priority, RecordJob
from app.redaction import internal_error
from app.settings import Settings
from app.sync.choosing import LEFT_OUT
from app.sync.engine import Engine
from app.sync.objects import OBJECTS
from app.sync.settlements import contradicted, failed
from app.sync.store import LinkRow, Settlement, Store, Target
from app.sync.work import BUSY

log = structlog.get_logger()

RETRY, ASKED, REPLAY = "retry", "asked", "replay"
"""Why a record is looked at, beside news of it: it failed before, or a person wants it."""


@dataclass(frozen=True, slots=True)
class RecordSync:
    """One attempt at one record, and its consequences."""

    settings: Settings
    directory: Directory
    connections: Connections
    store: Store
    engine: Engine

    async def run(self, target: Target, reason: str) -> None:
        """Raises only when our own database fails."""
        bridge = await self.directory.bridge(target.bridge_id)
        if bridge is None or not bridge.enabled or bridge.obstacle or bridge.holds(target.object):
            await self.directory.refresh()  # this copy may be older than what a person just mended
            bridge = await self.directory.bridge(target.bridge_id)
        if bridge is not None and bridge.holds(target.object):
            await pausing.hold(self.store.db.engine, target)
            return
        if bridge is None or not bridge.enabled:
            await self.store.dismiss(target, "the bridge is switched off")
            return
        if not bridge.settings.of(target.object).enabled:
            await self.store.dismiss(target, f"{OBJECTS[target.object].plural} are switched off on this bridge")
            return
        link = await self.store.claim(target)
        if link is None:
            await self._again(target, None, {}, seconds=BUSY * random.uniform(0.7, 1.6), reason=reason)  # noqa: S311
            return
        if link.revision != bridge.revision:  # this copy is older than the settings
            await self.directory.refresh()
            await self._again(target, link, {}, seconds=BUSY, reason=reason)
            return
        if reason == RETRY and link.state == LinkState.OK and not link.last_event:
            await self.store.postpone(target, link, {}, None)  # fresh news was quicker than this retry
            return
        if link.rests and reason != RETRY:
            await self._again(target, link, {}, seconds=link.rests, reason=reason)
            return
        started = time.perf_counter()
        try:
            outcome = await self._attempt(target, bridge, link, asked=reason in (ASKED, REPLAY))
        except SQLAlchemyError:
            raise
        except CrossledgerError as named:
            outcome = await self._failed(target, bridge, link, named, reason)
        except Exception as bug:
            log.exception("sync.bug", bridge=target.bridge_id, link=link.id)
            failure = InternalError(internal_error(bug))
            outcome = await self._failed(target, bridge, link, failure, reason)
        SYNCS.labels(outcome.partition(":")[0].split(" ")[0]).inc()
        SYNC_SECONDS.observe(time.perf_counter() - started)
        log.info("sync.done", bridge=target.bridge_id, link=link.id, side=target.side.value, outcome=outcome)

    async def _attempt(self, target: Target, bridge: BridgeView, link: LinkRow, *, asked: bool) -> str:
        if link.problem != LEFT_OUT:  # for that one no vendor is asked
            bridge.require_connections()
        return await self.engine.sync(target, bridge, link, asked=asked)

    async def _failed(
        self, target: Target, bridge: BridgeView, link: LinkRow, failure: CrossledgerError, reason: str
    ) -> str:
        columns: dict[str, Any] = {}  # `creating` stays as `reserve` left it: the next attempt looks before it creates
        if isinstance(failure, Wait):
            seconds = failure.seconds * random.uniform(1, 1.2)  # noqa: S311
            await self._again(target, link, columns, seconds=seconds, reason=reason)
            return f"waits: {failure.why}"
        if isinstance(failure, Reconnect):
            used = next((c for c in (bridge.crm, bridge.billing) if c.id == failure.connection), None)
            if not await self.connections.needs_reconnect(failure, used):
                await self._again(target, link, columns, seconds=BUSY, reason=reason)
                return "waits: the credentials were renewed"
            await self.store.postpone(target, link, {**columns, **_waiting(failure), **_since(link)}, None)
            # Asked once more after the wait is stored: whoever connects it again queues only what is stored.
            await self.directory.refresh()
            now = await self.directory.bridge(target.bridge_id)
            if now is not None and not now.obstacle:
                await self._again(target, None, {}, seconds=BUSY, reason=reason)
            return "waits for its connection"
        tries = _tries(link, reason)
        if isinstance(failure, Retry) and tries < self.settings.retry_tries:
            seconds = backoff(self.settings, tries - 1, failure.after)
            columns |= _retrying(link, tries, failure, seconds)
            await self._again(target, link, columns, seconds=seconds, reason=RETRY, priority=Priority.RETRY)
            return f"retries in {seconds:.1f} s: {failure}"
        end = given_up(target, link, failure)
        await self.store.settle(target, link, end)
        return end.outcome

    async def _again(
        self,
        target: Target,
        link: LinkRow | None,
        columns: Mapping[str, Any],
        *,
        seconds: float,
        reason: str,
        priority: Priority = Priority.WAITED,
    ) -> None:
        job = RecordJob(
            bridge_id=target.bridge_id,
            object=target.object,
            side=target.side.value,
            external_id=target.external_id,
            reason=reason,
            priority=priority,
            at=datetime.now(UTC) + timedelta(seconds=seconds),
            run_id=target.run_id,
        )
        await self.store.postpone(target, link, columns, job)


def given_up(target: Target, link: LinkRow, failure: CrossledgerError) -> Settlement:
    """Of what was refused, or is tried no more."""
    fields: Mapping[str, str] = failure.fields if isinstance(failure, Rejected) else {}
    if isinstance(failure, Conflict):
        end = contradicted(target, link, detail=str(failure), kind=failure.kind, fields=fields)
    else:
        end = failed(target, link, problem=problem_name(failure), detail=str(failure), fields=fields)
    said = exchange_behind(failure)
    activity = {**end.activity, "exchange": said.dump()} if end.activity and said else end.activity
    return replace(end, activity=activity, link={**end.link, **_since(link)})


def exchange_behind(failure: BaseException | None) -> Exchange | None:
    """Of the call that it came of, also where it was put into other words since."""
    while failure is not None:
        if isinstance(failure, CrossledgerError) and failure.exchange:
            return failure.exchange
        failure = failure.__cause__
    return None


def backoff(settings: Settings, tries: int, after: float | None) -> float:
    """Seconds: doubling from the first, capped, with jitter below; never sooner than the vendor asked."""
    seconds = min(settings.retry_longest, settings.retry_first * 2.0 ** min(tries, 30))
    return max(after or 0.0, seconds * random.uniform(0.6, 1))  # noqa: S311


def problem_name(failure: CrossledgerError) -> str:
    """The class of a failure as people filter by it: retry, answer_lost, rejected, forbidden ..."""
    name = type(failure).__name__
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def _waiting(failure: Reconnect) -> dict[str, Any]:
    return {"state": LinkState.WAITING.value, "problem": "reconnect", "detail": str(failure), "next_try_at": None}


def _since(link: LinkRow) -> dict[str, Any]:
    """When the record fell out of step, told by the first of its failures in a row."""
    trouble = {LinkState.RETRYING, LinkState.WAITING, LinkState.FAILED, LinkState.CONFLICT}
    return {} if link.state in trouble else {"first_failed_at": datetime.now(UTC)}


def _tries(link: LinkRow, reason: str) -> int:
    """Tries burnt, with this one. News of a record that is being retried burns none; after giving up all are anew."""
    if link.state != LinkState.RETRYING:
        return 1
    return max(1, link.tries + (reason == RETRY))


def _retrying(link: LinkRow, tries: int, failure: Retry, seconds: float) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "state": LinkState.RETRYING.value,
        "problem": problem_name(failure),
        "detail": str(failure)[:1000],
        "tries": tries,
        "next_try_at": now + timedelta(seconds=seconds),
        **({"first_failed_at": now} if tries == 1 else {}),
    }
