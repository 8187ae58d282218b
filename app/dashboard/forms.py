"""Forms and dialogs. What is typed travels once, when it is sent, and never comes back into the page."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from nicegui.element import Element
from starlette.datastructures import FormData

from app.dashboard.hearing import hear
from app.dashboard.parts import tag, text

Send = Callable[[FormData], Awaitable[None]]

# A refusal is told on the page: a dialog above would cover it. A password is typed anew.
_SENT = """(event) => {
    const form = event.target;
    emit([...new FormData(form)]);
    form.querySelectorAll('[type=password]').forEach((each) => each.value = '');
    form.closest('dialog')?.close();
}"""
_CANCEL = "(event) => event.target.closest('dialog').close()"


@contextmanager
def form(on_send: Send, classes: str = "fields") -> Iterator[None]:
    """Fields and a button are put within; `on_send` is given what was typed."""

    async def sent(typed: list[list[str]]) -> None:
        await on_send(FormData([(str(name), str(value)) for name, value in typed]))

    # `post`: a browser that would send it by itself does not put it into an address.
    with hear(tag("form", classes, method="post"), "submit.prevent", sent, _SENT):
        yield


def field(name: str, label: str, type_: str = "text", help_: str = "", /, **attributes: str) -> None:
    """One line to type into. `attributes` are HTML's, with _ for -; `required=""` is one."""
    # Vue writes a `value` again with whatever changes on the page, over what was typed since.
    if "value" in attributes:
        attributes["defaultValue"] = attributes.pop("value")
    with tag("label"):
        text("span", label)
        tag("input", name=name, type=type_, **{"autocomplete": "off", **attributes})
        if help_:
            text("small", help_)


def picked(name: str, label: str, options: Mapping[str, str], chosen: str = "") -> None:
    """One of `options`, labels by values."""
    with tag("label"):
        text("span", label)
        with tag("select", name=name):
            for value, words in options.items():
                option = text("option", words, value=value)
                if value == chosen:
                    option.props["selected"] = True


def checks(name: str, label: str, options: Mapping[str, str], *, checked: Collection[str] = ()) -> None:
    """Any of `options`, labels by values. `checked`: the values that are, to begin with."""
    with tag("fieldset"):
        text("legend", label)
        for value, words in options.items():
            with tag("label", "check"):
                box = tag("input", type="checkbox", name=name, value=value)
                if value in checked:
                    box.props["checked"] = True
                text("span", words)


def send(label: str, classes: str = "") -> Element:
    return text("button", label, classes, type="submit")


@contextmanager
def dialog(opener: str, title: str, classes: str = "quiet") -> Iterator[None]:
    """A button, and what it opens in front of the page."""
    button = text("button", opener, classes, type="button")
    with tag("dialog", aria_label=title) as opened:
        text("h2", title)
        yield
    button.on("click", js_handler=f"() => getHtmlElement({opened.id}).showModal()")


def closing(label: str) -> None:
    """A button that closes the dialog that it is in."""
    text("button", label, "quiet", type="button").on("click", js_handler=_CANCEL)


@contextmanager
def asking(
    opener: str, title: str, on_send: Send, label: str, *, danger: bool = False, classes: str = "quiet"
) -> Iterator[None]:
    """A dialog with a form: sentences and fields are put within; `label` sends it."""
    with dialog(opener, title, classes), form(on_send):
        yield
        with tag("div", "acts"):
            closing("Cancel")
            send(label, "danger" if danger else "")
