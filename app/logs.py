"""Logging: one line per event, `noun.verb key=value`. Never a token, never a body."""

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

from app.redaction import redacted


def configure(level: str) -> None:
    """For the process; libraries that use the standard logging are quietened to warnings."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[libraries])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without rich: it takes seconds to draw one traceback, and shows what the variables hold.
            structlog.processors.format_exc_info,
            _redact_exception,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(),
            _redact,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


class Redacting(logging.Formatter):
    """Lines of libraries, tracebacks included, without our secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def _redact_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Before it is put into quotes once more: what was quoted twice has a spelling of its own."""
    if "exception" in event:
        event["exception"] = redacted(str(event["exception"]))
    return event


def _redact(_: WrappedLogger, __: str, line: str | EventDict) -> str:
    return redacted(str(line))
