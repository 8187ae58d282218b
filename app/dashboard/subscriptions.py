"""The webhooks of one connection: whether they are in order, which are missing, and putting them in order."""

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui
from starlette.datastructures import FormData

from app.api.connections import show_connection
from app.api.schemas import ConnectionOut, WebhooksOut
from app.api.subscriptions import install_webhooks, look_at_webhooks, remove_webhooks
from app.dashboard.forms import asking
from app.dashboard.frame import Visit
from app.dashboard.parts import at, button, cell, copied, table, tag, text
from app.people.roles import Principal, Role
from app.providers.hooks import Step

_FOUND = {
    Step.KEEP: "installed",
    Step.CREATE: "missing",
    Step.RESTORE: "deleted there",
    Step.REPAIR: "not as it should be",
    Step.DELETE: "left over",
}
_DONE = {
    Step.KEEP: "in order",
    Step.CREATE: "installed",
    Step.RESTORE: "brought back",
    Step.REPAIR: "mended",
    Step.DELETE: "taken away",
}


def subscriptions(visit: Visit, row: ConnectionOut) -> None:
    """How they are, and buttons; what the vendor answers is put below them."""
    text("h3", "Webhooks")
    if row.provider == "highlevel":
        text("p", "HighLevel's are entered by hand, in the Marketplace app or in a workflow. The app's lead to this"
             " address, for the events that each bridge lists:", "faint")  # fmt: skip
        copied("the webhook URL", f"{visit.desk.public_url}/webhooks/highlevel")
        return
    with tag("div"):

        @ui.refreshable
        def state(now: ConnectionOut, shown: WebhooksOut | None, words: dict[Step, str]) -> None:
            _state(now)
            if visit.may(Role.OPERATOR):
                _buttons(visit, now, state.refresh)
            if shown:
                _changes(shown, words)

        state(row, None, _FOUND)


def _state(row: ConnectionOut) -> None:
    if not row.webhooks_managed:
        text("p", "They were entered by hand, or there are none: nobody looks after them.", "faint")
    elif row.webhooks_problem:
        text("p", f"They are not in order: {row.webhooks_problem}", "wrong-words")
    else:
        with tag("p"):
            text("span", "In order; looked at every hour, last ")
            at(row.webhooks_checked_at)


def _buttons(visit: Visit, row: ConnectionOut, refresh: Callable[..., object]) -> None:
    async def do(label: str, act: Callable[..., Awaitable[WebhooksOut]], words: dict[Step, str], said: str) -> None:
        answers: list[WebhooksOut] = []

        async def work(_: Principal) -> str:
            answers.append(await act(visit.desk, row.id))
            return said

        done = await visit.act(Role.OPERATOR, label, work, f"connection {row.id}")
        refresh(await show_connection(visit.desk, row.id), answers[0] if done else None, words)

    async def remove(_: FormData) -> None:
        await do("remove webhooks", remove_webhooks, _DONE, "Those that are ours are gone.")

    with tag("div", "acts"):
        looked = partial(do, "look at webhooks", look_at_webhooks, _FOUND, "This is what is there now.")
        button("Look at them", looked, "quiet")
        button(
            "Put them in order" if row.webhooks_managed else "Install them",
            partial(do, "install webhooks", install_webhooks, _DONE, "They are in order, and left-over ones are gone."),
            "quiet",
        )
        if row.webhooks_managed:
            with asking("Remove them", f"Remove the webhooks of “{row.name}”?", remove, "Remove them all", danger=True):
                text("p", "Without them, changes are found by sweeps alone, minutes later. Those of others stay.")


def _changes(found: WebhooksOut, words: dict[Step, str]) -> None:
    if not found.changes:
        text("p", "There are none of ours.", "faint")
        return
    counts = {step: sum(each.step is step for each in found.changes) for step in Step}
    text("p", ", ".join(f"{count:,} {words[step]}" for step, count in counts.items() if count) + ".")
    with tag("details"):
        text("summary", "Each of them")
        with table("Webhooks", ("Event", "State", "Why")):
            for each in found.changes:
                with tag("tr"):
                    text("th", each.name, scope="row")
                    with cell("State"):
                        text("span", words[each.step])
                    with cell("Why"):
                        text("span", each.reason, "faint")
