"""The tasks: looking once a minute, and bringing one message to one channel, again and again for about a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import procrastinate
import structlog
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.jobs import Job
from sqlalchemy.ext.asyncio import AsyncEngine

from app.connections import Connections
from app.errors import CrossledgerError, InternalError, Retry
from app.jobs import backoff
from app.models import Channel
from app.notify.channels import Channels
from app.notify.conditions import Thresholds
from app.notify.daily import Daily
from app.notify.hooks import signed, to_slack, to_teams
from app.notify.mail import send
from app.notify.messages import Message, trial
from app.notify.targets import Mailbox, SignedHook, SlackHook, Target, TeamsHook
from app.notify.telling import TELL
from app.notify.watch import Watch
from app.providers.addresses import Reach, resolve
from app.redaction import internal_error, redacted
from app.settings import Settings

log = structlog.get_logger()

_QUEUE = "care"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Notifier:
    settings: Settings
    channels: Channels
    watch: Watch
    daily: Daily
    client: httpx.AsyncClient

    @classmethod
    def make(cls, settings: Settings, engine: AsyncEngine, connections: Connections) -> "Notifier":
        watch = Watch(engine, Thresholds.of(settings), settings.public_url, settings.keep_audit_days)
        daily = Daily(engine, settings.public_url)
        return cls(settings, Channels(engine, connections.vault), watch, daily, connections.client)

    def register(self, queue: procrastinate.App) -> None:
        """Tell the job engine about our tasks."""
        queue.task(name=TELL, queue=_QUEUE, pass_context=True, retry=_Later(self.settings))(self._tell)
        for name, cron, work in (
            ("watch", "* * * * *", self._look),
            ("forget_alerts", "47 3 * * *", self.watch.forget_old),
        ):
            queue.periodic(cron=cron)(queue.task(name=name, queue=_QUEUE, queueing_lock=name)(_periodic(work)))

    async def try_out(self, row: Channel) -> tuple[bool, str]:
        """Send a test message now. Returns whether it was sent, and what went wrong."""
        said = trial(row.name, datetime.now(UTC), self.settings.public_url)
        try:
            return True, await self._bring(row, said)
        except CrossledgerError as failure:
            return False, _short(str(failure))

    async def _look(self) -> None:
        await self.watch.look()
        await self.daily.tell_due()

    async def _tell(self, context: JobContext, /, *, channel_id: int, message: Mapping[str, Any]) -> None:
        """The channel as it is now: where a person has mended it meanwhile, the message arrives."""
        row = await self.channels.find(channel_id)
        if row is None or not row.enabled:
            return
        last = context.job.attempts + 1 >= self.settings.retry_tries
        try:
            await self._bring(row, Message(**message), given_up=last)
        except CrossledgerError:
            if not last:
                raise

    async def _bring(self, row: Channel, message: Message, *, given_up: bool = False) -> str:
        """What became of it is noted at the channel. Returns what went wrong all the same; raises what it failed of."""
        id_ = row.id or 0
        try:
            remark = _short(await self._deliver(self.channels.target(row), message))
        except CrossledgerError as failure:
            problem = _short(str(failure))
            await self.channels.failed(id_, problem, given_up=given_up)
            log.warning("channel.failed", channel=id_, message=message.id, given_up=given_up, reason=problem)
            raise
        await self.channels.arrived(id_, remark)
        log.info("channel.told", channel=id_, message=message.id)
        return remark

    async def _deliver(self, target: Target, message: Message) -> str:
        try:
            match target:
                case Mailbox():
                    reach = Reach.allowing(private=self.settings.allow_private_addresses)
                    return await send(target, message, reach=reach, resolver=resolve)
                case SlackHook():
                    await to_slack(self.client, target, message)
                case TeamsHook():
                    await to_teams(self.client, target, message)
                case SignedHook():
                    await signed(self.client, target, message, datetime.now(UTC))
        except CrossledgerError:
            raise
        except Exception as bug:
            log.exception("channel.bug", message=message.id)
            raise InternalError(internal_error(bug)) from bug
        return ""


class _Later(BaseRetryStrategy):
    """As a record is tried again: 2, 4, 8 ... seconds, then hourly, never sooner than the other side asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts + 1 >= self._settings.retry_tries:
            return None
        asked = exception.after if isinstance(exception, Retry) else None
        seconds = backoff(self._settings, job.attempts, asked)
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=seconds))


def _short(said: str) -> str:
    """What the other side says may repeat our secrets."""
    return redacted(said)[:_LONGEST]


def _periodic(work: Any) -> Any:
    async def run(timestamp: int) -> None:
        await work()

    return run
