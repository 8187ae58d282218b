"""Small parts of pages, each an element with a meaning: what is written in them is text, never markup."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from app.dashboard.hearing import hear
from app.figures import amount as amount
from app.figures import count_of as count_of
from app.figures import lasting as lasting
from app.models.connection import ConnectionState

STATES = {
    "ok": "in step",
    "pending": "first look",
    "retrying": "trying again",
    "waiting": "waits for a log-in",
    "waiting_for_parent": "waits for its parent",
    "failed": "failing",
    "conflict": "needs a decision",
    "excluded": "left out",
    "unlinked": "cut",
}
CONNECTION_STATES: dict[str, str] = {
    ConnectionState.ACTIVE: "connected",
    ConnectionState.NEEDS_RECONNECT: "refused",
    ConnectionState.PENDING: "waiting to be claimed",
    ConnectionState.DISABLED: "switched off",
}
VALUE = "(event) => emit(event.target.value)"
"""What was typed or chosen, as the only thing that the browser sends."""
TICKED = "(event) => emit(event.target.checked)"
# The clipboard of newer browsers is there over https only.
_COPY = """(event) => {
    const button = event.currentTarget, label = button.firstElementChild;
    getSelection().selectAllChildren(button.previousElementSibling);
    label.textContent = document.execCommand('copy') ? 'Copied' : 'Not copied';
    getSelection().removeAllRanges();
    setTimeout(() => label.textContent = 'Copy', 2000);
}"""
OPEN_FACTS = ("version", "company", "currency", "hosting", "webhooks")
"""Of what an account says of itself: the others are folded."""
SYSTEMS = {"crm": "HighLevel", "billing": "Invoice Ninja"}


def tag(name: str, classes: str = "", /, **attributes: str) -> Element:
    """`name` is HTML's. Attributes are written with _ for -."""
    element = ui.element(name).classes(classes)
    element.props.update({key.replace("_", "-"): value for key, value in attributes.items()})
    return element


def text(name: str, words: str, classes: str = "", /, **attributes: str) -> TextElement:
    element = TextElement(tag=name, text=words).classes(classes)
    element.props.update({key.replace("_", "-"): value for key, value in attributes.items()})
    return element


def link(label: str, address: str, classes: str = "") -> TextElement:
    return text("a", label, classes, href=address)


def button(label: str, on_click: Callable[[], Awaitable[None]], classes: str = "") -> Element:
    return hear(text("button", label, classes, type="button"), "click", lambda _: on_click())


def outside(label: str, address: str) -> TextElement:
    """Somebody else's page, beside ours; it is not told where its visitor comes from."""
    return text("a", label, href=address, target="_blank", rel="noreferrer")


def unfold(label: str, fill: Callable[[], Awaitable[None]]) -> None:
    """What `fill` builds comes below the button when it is pressed, and goes when it is pressed again."""

    async def toggle() -> None:
        if place.default_slot.children:
            place.clear()
        else:
            with place:
                await fill()
        opener.props["aria-expanded"] = str(bool(place.default_slot.children)).lower()

    opener = button(label, toggle, "quiet small")
    opener.props["aria-expanded"] = "false"
    place = tag("div", "unfolded")


def copied(what: str, words: str) -> None:
    """`words`, with a button that copies them. `what` they are is told to those who do not see them beside it."""
    with tag("span", "copied"):
        text("code", words)
        with tag("button", "quiet small", type="button").on("click", js_handler=_COPY):
            text("span", "Copy")
            text("span", f" {what}", "unseen")


def learned(facts: Mapping[str, str]) -> None:
    """The first of what an account says of itself, in a line."""
    with tag("div", "values faint"):
        for name in OPEN_FACTS:
            if name in facts:
                text("span", f"{name}: {facts[name]}")


def html(markup: str) -> Element:
    """Of ours alone: nothing in it is made safe."""
    return ui.html(markup, sanitize=False)


def when(moment: datetime | None) -> TextElement:
    """In UTC, to the second: lists are compared with logs."""
    if moment is None:
        return text("span", "never", "faint")
    utc = moment.astimezone(UTC)
    return text("time", utc.strftime("%Y-%m-%d %H:%M:%S"), datetime=utc.isoformat(timespec="seconds"))


def at(moment: datetime | None) -> TextElement:
    """The same in a sentence, where no head says that it is UTC."""
    shown = when(moment)
    if moment is not None:
        shown.text += " UTC"
    return shown


def once(place: Element, what: str, secret: str) -> None:
    """A secret that is in the page until it is left, and nowhere else."""
    place.clear()
    with place, tag("p", "note done", role="status"):
        text("span", f"{what}. Copy it now, it is not shown again: ")
        text("code", secret)


def state(name: str) -> Element:
    return text("span", STATES.get(name, name.replace("_", " ")), f"state {name}")


def wide(label: str) -> Element:
    """What is wider than the screen is moved within it: by the keyboard too, which has to get there for that."""
    return tag("div", "wide", tabindex="0", role="group", aria_label=label)


def record(object_: str, name: str, crm_id: str | None, billing_id: str | None, address: str = "") -> None:
    """What people call it, leading to `address`; what it is, and both ids, are small."""
    ids = f"{crm_id or '–'} ↔ {billing_id or '–'}"
    label = name or f"{object_.replace('_', ' ')} {ids}"
    link(label, address) if address else text("span", label)
    if name:
        with tag("div", "faint ids"):
            text("span", f"{object_.replace('_', ' ')} ")
            text("span", ids)


@contextmanager
def table(label: str, heads: Sequence[str]) -> Iterator[None]:
    """Rows are put within."""
    with wide(label), tag("table", "stacked"):
        text("caption", label, "unseen")
        with tag("thead"), tag("tr"):
            for head in heads:
                text("th", head, scope="col")
        with tag("tbody"):
            yield


@contextmanager
def fact(name: str) -> Iterator[None]:
    """One of a list of facts (`dl`): its name, and what is put within."""
    text("dt", name)
    with tag("dd"):
        yield


@contextmanager
def cell(head: str, classes: str = "") -> Iterator[None]:
    """`head` is shown with it where the table is too wide for the screen."""
    with tag("td", classes, data_label=head):
        yield
