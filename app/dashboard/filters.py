"""A form whose fields become the address: what is filtered can be kept and sent to somebody."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

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


def words(name: str, label: str) -> None:
    with tag("label"):
        text("span", label)
        tag("input", name=name, type="text", value=str(_GIVEN.get().get(name) or ""))
