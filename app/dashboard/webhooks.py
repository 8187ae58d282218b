"""What is entered at a vendor so that it calls us: shown once where it is secret, and always where it is not."""

from collections.abc import Iterable

from nicegui.element import Element

from app.api.schemas import Webhooks
from app.dashboard.frame import Visit
from app.dashboard.parts import cell, copied, fact, link, table, tag, text
from app.providers.highlevel.webhook import addresses


def shown_once(place: Element, lead: str, made: Webhooks, *then: tuple[str, str]) -> None:
    """The secret is in the page until it is left, and nowhere else. `then`: where it goes on, as (label, address)."""
    place.clear()
    with place, tag("div", "note done", role="status"):
        text("p", lead)
        with tag("dl", "facts one"):
            for name, value in (
                ("URL, called with POST", made.url),
                ("Header", made.header),
                ("Its value", made.secret),
            ):
                with fact(name):
                    copied(name.partition(",")[0], value)
        for label, address in then:
            link(label, address, "button")


def app_events(visit: Visit, objects: Iterable[str]) -> None:
    """Which events of the Marketplace app tell of these objects, and to which address each is to be sent."""
    root = f"{visit.desk.public_url}/webhooks"
    wanted = addresses(root, objects)
    shared = [event for event, address in wanted.items() if address == f"{root}/highlevel"]
    own = {event: address for event, address in wanted.items() if event not in shared}
    text("p", "Once, in your Marketplace app, under webhooks, enter this address:")
    copied("the webhook URL", f"{root}/highlevel")
    text("p", "and switch on, for what this bridge keeps in step:")
    copied("the events", ", ".join(shared))
    if own:
        text("p", "These do not say what they are, so each gets an address of its own:")
        with table("Events with an address of their own", ("Event", "Address")):
            for event, address in own.items():
                with tag("tr"):
                    text("th", event, scope="row")
                    with cell("Address"):
                        copied(f"the address of {event}", address)
