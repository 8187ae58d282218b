"""A form whose fields become the address: what is filtered can be kept and sent to somebody."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from app.dashboard.parts import link, tag, text

_GIVEN: ContextVar[Mapping[str, object]] = ContextVar("given")


@contextmanager
def filters(path: str, given: Mapping[str, object], label: str = "Filter") -> Iterator[None]:
    """`given`: what is filtered by now, by the names of the fields that are put within."""
    token = _GIVEN.set(given)
    with tag("form", "filters", method="get", action=path, role="search"):
        yield
        text("button", label, type="submit")
        if any(value not in (None, "") for value in given.values()):
            link("Clear", path)
    _GIVEN.reset(token)


def choice(name: str, label: str, options: Mapping[str, str]) -> None:
    chosen = str(_GIVEN.get().get(name) or "")
    with tag("label"):
        text("span", label)
        with tag("select", name=name):
            for value, words_ in {"": "any", **options}.items():
                option = text("option", words_, value=value)
                if value == chosen:
                    option.props["selected"] = True


def moment(name: str, label: str) -> None:
    """In UTC, which nothing but the label can say."""
    with tag("label"):
        text("span", label)
        tag("input", name=name, type="datetime-local", value=str(_GIVEN.get().get(name) or ""))


@contextmanager
def more(*names: str) -> Iterator[None]:
    """Fields that are rarely needed are put within; they are in sight while one of these is filtered by."""
    with tag("details", "more-filters") as place:
        if any(_GIVEN.get().get(name) not in (None, "") for name in names):
            place.props["open"] = True
        text("summary", "More filters")
        with tag("div", "filters"):
            yield


def typed(when: datetime | None) -> str:
    """As a field for a moment has it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00") if when else ""


def words(name: str, label: str) -> None:
    with tag("label"):
        text("span", label)
        tag("input", name=name, type="text", value=str(_GIVEN.get().get(name) or ""))
