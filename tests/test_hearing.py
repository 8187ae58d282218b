from functools import partial

from nicegui import Client, app, ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments
from nicegui.page import page

from app.dashboard.hearing import REMEMBERED, Heard, hear


async def press(client: Client, element: Element) -> None:
    """What the browser says of it."""
    heard: Heard = app.storage.client["heard"]
    await heard.told(GenericEventArguments(sender=client.layout, client=client, args=[f"{element.id}/click", None]))


async def test_what_is_there_is_always_heard_and_of_what_was_removed_only_the_latest() -> None:
    done: list[int] = []

    def note(number: int, _: object) -> None:
        done.append(number)

    with Client(page("")) as client:
        stays = hear(ui.element("button"), "click", partial(note, -1))
        removed = []
        for number in range(5 * REMEMBERED):
            element = hear(ui.element("button"), "click", partial(note, number))
            element.delete()
            removed.append(element)
        for element in (stays, removed[0], removed[-REMEMBERED], removed[-1]):
            await press(client, element)
    assert done == [-1, 4 * REMEMBERED, 5 * REMEMBERED - 1]


async def test_what_nobody_drew_is_not_heard() -> None:
    with Client(page("")) as client:
        hear(ui.element("button"), "click", lambda _: None)
        await press(client, ui.element("button"))
