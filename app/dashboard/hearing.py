"""What somebody does on a page is heard even where its element was drawn anew before their browser knew.

A page draws parts of itself anew as things change. NiceGUI forgets what a removed element listened to, and drops what
the browser still says of it: a click in that moment would be lost. Here it is the page that listens, for all of them.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import app, ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

Handler = Callable[[Any], Awaitable[None] | None]

REMEMBERED = 500
"""Removed elements of a page of which something may still be said."""
_KEY = "heard"
_NOTHING = "() => emit(null)"


class Heard:
    """Of one page: the handlers by what the browser calls them, oldest first."""

    def __init__(self) -> None:
        self._handlers: dict[str, tuple[Element, Handler]] = {}
        self._sweep_at = 2 * REMEMBERED

    def add(self, element: Element, event: str, handler: Handler) -> str:
        name = f"{element.id}/{event}"
        self._handlers[name] = element, handler
        if len(self._handlers) > self._sweep_at:
            self._sweep()
        return name

    def _sweep(self) -> None:
        gone = [name for name, (element, _) in self._handlers.items() if element.is_deleted]
        for name in gone[: max(0, len(gone) - REMEMBERED)]:
            del self._handlers[name]
        self._sweep_at = len(self._handlers) + REMEMBERED

    async def told(self, event: GenericEventArguments) -> None:
        name, value = event.args
        if name in self._handlers:
            _, handler = self._handlers[name]
            done = handler(value)
            if done is not None:
                await done


def hear(element: Element, event: str, handler: Handler, js: str = _NOTHING) -> Element:
    """`handler` is given what `js`, a function of the browser's event, passes on by `emit`."""
    held = app.storage.client
    if _KEY not in held:
        held[_KEY] = Heard()
        ui.on(_KEY, held[_KEY].told)
    name = held[_KEY].add(element, event, handler)
    said = f"const emit = (value) => emitEvent('{_KEY}', '{name}', value);"
    return element.on(event, js_handler=f"(event) => {{ {said} ({js})(event); }}")
