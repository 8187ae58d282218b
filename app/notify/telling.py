"""The jobs that tell: queued within the transaction of what they tell of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.notify.messages import Message

TELL = "tell"
"""The task that brings one message to one channel."""

_QUEUE = text(f"""
    SELECT procrastinate_defer_jobs_v1(array_agg(
        ROW('care', '{TELL}', 0, lock, NULL, args, NULL)::procrastinate_job_to_defer_v1))
      FROM jsonb_to_recordset(CAST(:jobs AS jsonb)) AS j(lock text, args jsonb)
""")  # noqa: S608 -- a constant of this module


@dataclass(frozen=True, slots=True)
class Telling:
    """Messages about the same thing go through a channel one after the other: that it is over does not come before
    that it began."""

    channel: int
    about: str
    message: Message


async def queue(connection: AsyncConnection, wanted: Sequence[Telling]) -> None:
    jobs = [
        {
            "lock": f"{TELL}/{each.channel}/{each.about}",
            "args": {"channel_id": each.channel, "message": each.message.document()},
        }
        for each in wanted
    ]
    if jobs:
        await connection.execute(_QUEUE, {"jobs": json.dumps(jobs)})
