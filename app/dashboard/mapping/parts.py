"""Fields that tell what is typed at once, where forms tell it when they are sent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from app.dashboard.hearing import hear
from app.dashboard.parts import VALUE, tag, text
from app.sync.records import FieldSpec, Kind, Writable

Told = Callable[[str], Awaitable[None]]
KINDS = {
    Kind.TEXT: "text",
    Kind.EMAIL: "e-mail",
    Kind.PHONE: "phone",
    Kind.COUNTRY: "country",
    Kind.URL: "web address",
    Kind.DATE: "date",
    Kind.NUMBER: "number",
    Kind.TAGS: "tags",
    Kind.DOCUMENT: "lines and taxes",
}
_PAUSE = 0.35
"""Seconds between two looks at what is being typed."""


def typed(label: str, value: str, on_type: Told, help_: str = "", /, **attributes: str) -> Element:
    """One line, told while it is typed."""
    with tag("label"):
        text("span", label)
        line = _telling(_line(value, **attributes), "input", on_type)
        if help_:
            text("small", help_)
    return line


def bare(label: str, value: str, on_type: Told, **attributes: str) -> Element:
    """One line in a grid, whose head says what it is."""
    return _telling(_line(value, aria_label=label, **attributes), "input", on_type)


def proposed(spec: FieldSpec | None) -> dict[str, str]:
    """What the field takes, for lines where it is typed by hand: the attributes that they need."""
    if not spec or not spec.options:
        return {}
    with tag("datalist") as options:
        for each in sorted(spec.options):
            tag("option", value=each)
    options.props["id"] = f"options-{options.id}"
    return {"list": f"options-{options.id}"}


def _line(value: str, **attributes: str) -> Element:
    """`value` is its attribute (^), what it begins with: as a property it would be set anew whenever the page changes,
    over what is being typed."""
    line = tag("input", type="text", autocomplete="off", **attributes)
    line.props["^value"] = value
    return line


def area(label: str, value: str, on_type: Told, help_: str = "") -> None:
    with tag("label"):
        text("span", label)
        _telling(text("textarea", value, "", rows="4"), "input", on_type)
        if help_:
            text("small", help_)


def chosen(label: str, options: Mapping[str, str], value: str, on_choose: Told, *, seen: bool = True) -> None:
    """One of `options`, labels by values. Not `seen`: the label is for who hears it."""
    with tag("label"):
        text("span", label, "" if seen else "unseen")
        _options(options, value, on_choose)


def _options(options: Mapping[str, str], value: str, on_choose: Told) -> None:
    with _telling(tag("select"), "change", on_choose):
        for each, words in options.items():
            option = text("option", words, value=each)
            if each == value:
                option.props["selected"] = True


def picked(label: str, rows: Sequence[tuple[str, str, str]], value: str, on_choose: Told, empty: str) -> None:
    """One of `rows`: value, label, and why it cannot be chosen ("" where it can)."""
    with tag("label"):
        text("span", label)
        with _telling(tag("select"), "change", on_choose):
            text("option", empty, value="")
            for each, words, refused in rows:
                option = text("option", f"{words} – {refused}" if refused else words, value=each)
                if refused:
                    option.props["disabled"] = True
                if each == value:
                    option.props["selected"] = True


def called(spec: FieldSpec | None, name: str) -> None:
    """A field by its label, with its kind and its key."""
    text("strong", spec.label if spec else name)
    kind = KINDS[spec.kind] if spec else "not there"
    with tag("div", "faint"):
        text("span", kind, "kind")
        if spec and spec.required:
            text("span", "required", "kind")
        if spec and spec.writable is not Writable.ALWAYS:
            text("span", "read only" if spec.writable is Writable.NEVER else "set when made", "kind")
        if not spec or spec.name.replace("_", " ") != spec.label.lower():
            text("code", name)


def _telling(element: Element, event: str, tell: Told) -> Element:
    async def typed(given: GenericEventArguments) -> None:
        await tell(str(given.args))

    if event == "input":
        return element.on(event, typed, js_handler=VALUE, throttle=_PAUSE, leading_events=False)
    return hear(element, event, lambda value: tell(str(value)), VALUE)
