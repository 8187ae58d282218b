"""HighLevel's two request limits, per app and location: contracts/ghl, section 3."""

import time
from dataclasses import dataclass

from app.sandbox.highlevel.config import Config

DAY = 86_400


@dataclass
class _Window:
    ends: float = 0
    used: int = 0

    def take(self, seconds: float, limit: int, at: float) -> bool:
        if at >= self.ends:
            self.ends, self.used = at + seconds, 0
        if limit and self.used >= limit:
            return False
        self.used += 1
        return True


class Limits:
    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[_Window, _Window]] = {}

    def take(self, client: str, resource: str, config: Config) -> tuple[bool, dict[str, str]]:
        """Whether the request may go on, and the headers that its answer carries. A limit of 0 shows no headers."""
        if not config.burst_limit and not config.daily_limit:
            return True, {}
        at = time.monotonic()
        burst, daily = self._windows.setdefault((client, resource), (_Window(), _Window()))
        allowed = burst.take(config.burst_seconds, config.burst_limit, at)
        allowed = allowed and daily.take(DAY, config.daily_limit, at)
        headers = {}
        if config.burst_limit:
            headers["X-RateLimit-Interval-Milliseconds"] = str(round(config.burst_seconds * 1000))
            headers["X-RateLimit-Max"] = str(config.burst_limit)
            headers["X-RateLimit-Remaining"] = str(config.burst_limit - burst.used)
        if config.daily_limit:
            headers["X-RateLimit-Limit-Daily"] = str(config.daily_limit)
            headers["X-RateLimit-Daily-Remaining"] = str(config.daily_limit - daily.used)
        return allowed, headers
