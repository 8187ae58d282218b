"""Going live: what that does, doing it, and pausing or stopping it."""

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui
from starlette.datastructures import FormData

from app.api.bridges import change_bridge, show_bridge
from app.api.connections import show_connection
from app.api.plans import ApplyIn, PlanOut, apply_plan, show_plan
from app.api.requests import BridgeChange
from app.api.schemas import BridgeDetail, ConnectionOut
from app.api.set_ups import LiveIn, SetUpOut, go_live
from app.dashboard.bridge_acts import stopping
from app.dashboard.forms import checks, form, send
from app.dashboard.frame import Visit
from app.dashboard.parts import button, copied, link, tag, text
from app.dashboard.plan_acts import counted, left_of
from app.dashboard.setup.frame import foot, path_of
from app.models.run import RunState
from app.people.roles import Principal, Role
from app.setting_up import Step

Work = Callable[[Principal], Awaitable[str]]


async def live(visit: Visit, found: SetUpOut) -> None:
    bridge = await show_bridge(visit.desk, found.id)
    billing = await show_connection(visit.desk, bridge.billing_connection_id)
    if bridge.enabled:
        text("p", "It is live. What changes on either side arrives on the other.", "note done", role="status")
        with tag("p", "pager"):
            link("See it at work", f"/activity?bridge={bridge.id}")
            link("The bridge", f"/bridges/{bridge.id}")
    elif found.live:
        text("p", "It is paused: nothing is written. What changes meanwhile is caught up with.", "note next")
    _what_it_does(visit, bridge, billing)
    if not bridge.enabled:
        plan = await show_plan(visit.desk, found.plan_id) if found.plan_id else None
        await _before(visit, found, plan, billing)
    elif visit.may(Role.OPERATOR):
        _brakes(visit, bridge)
    foot(visit, found, Step.LIVE)


def _what_it_does(visit: Visit, bridge: BridgeDetail, billing: ConnectionOut) -> None:
    settings = bridge.settings
    text("h2", "What being live does")
    with tag("ul"):
        if billing.webhooks_managed and not billing.webhooks_problem:
            text("li", "Invoice Ninja tells us of each change: its webhooks are installed, and looked at every hour.")
        else:
            text("li", "Invoice Ninja is to tell us of each change: its webhooks are installed, and looked at hourly.")
        with tag("li"):
            text("span", "HighLevel tells us of each change: in your Marketplace app, under webhooks, the address is ")
            copied("the webhook URL", f"{visit.desk.public_url}/webhooks/highlevel")
            text("span", " for the events that are listed ")
            link("at the bridge", f"/bridges/{bridge.id}")
            text("span", ". With a private token, a workflow of the location sends to the address that was shown then.")
        text("li", f"Every {settings.sweep_minutes} minutes both sides are looked through for what no webhook told of;"
             f" every {settings.full_compare_hours} hours everything is compared. So even without a webhook nothing is"
             " lost, it only arrives later.")  # fmt: skip
        text("li", "Each change is listed under Activity with before and after, and can be undone.")
    if billing.webhooks_problem:
        text("p", f"Invoice Ninja's webhooks are not in order: {billing.webhooks_problem}", "wrong-words")


async def _before(visit: Visit, found: SetUpOut, plan: PlanOut | None, billing: ConnectionOut) -> None:
    """What is to be known and chosen before."""
    ready = plan is not None and plan.state == RunState.DONE and not plan.refused
    left = left_of(plan) if ready and plan else 0
    if not found.live:
        _said_of_plan(found, plan, left)
    if not visit.may(Role.OPERATOR):
        text("p", "An operator or an owner can let it go live.", "faint")
        return
    label = "Resume" if found.live else "Go live"

    async def sent(given: FormData) -> None:
        chosen = set(given.getlist("also"))

        async def work(who: Principal) -> str:
            if "rest" in chosen and plan:
                await apply_plan(visit.desk, who, plan.id, ApplyIn())
            done = await go_live(visit.desk, found.id, LiveIn(install_webhooks="webhooks" in chosen))
            problem = done.webhooks_problem
            return f"It is live, but its webhooks are not: {problem}" if problem else "It is live."

        await _do(visit, found.id, label.lower(), work)

    options = {} if billing.webhooks_managed else {"webhooks": "Install Invoice Ninja's webhooks now"}
    if left and not found.live:
        options["rest"] = f"Write what is left of the plan: {counted(left)}"
    with form(sent):
        if options:
            checks("also", "At the same time", options, checked=options)
        send(label)


def _said_of_plan(found: SetUpOut, plan: PlanOut | None, left: int) -> None:
    to_plan = path_of(found.id, Step.PLAN)
    with tag("p", "note next" if left or plan is None or plan.refused else "note done"):
        if plan is None:
            text("span", "There is no plan yet: what is there already would stay as it is until somebody edits it. ")
            link("Make one first", to_plan)
        elif plan.state != RunState.DONE:
            text("span", f"The plan is {plan.state}. ")
            link("See how far it is", to_plan)
        elif plan.refused:
            text("span", f"{plan.refused} ")
            link("To the plan", to_plan)
        elif left:
            text("span", f"Of the plan, {counted(left)} {'is' if left == 1 else 'are'} not written yet. ")
            link("Look at them", to_plan)
        else:
            text("span", "The plan is written: both sides are in step. Nothing is left but to go live.")


def _brakes(visit: Visit, bridge: BridgeDetail) -> None:
    text("h2", "Pause or stop it")

    async def paused(who: Principal) -> str:
        await change_bridge(visit.desk, bridge.id, BridgeChange(enabled=False), who)
        return "It is paused. What changes meanwhile is caught up with when it goes on."

    with tag("div", "acts"):
        button("Pause", partial(_do, visit, bridge.id, "pause", paused), "quiet")
        stopping(visit, bridge, path_of(bridge.id, Step.LIVE))


async def _do(visit: Visit, bridge_id: int, action: str, work: Work) -> None:
    if await visit.act(Role.OPERATOR, f"{action}: bridge", work, f"bridge {bridge_id}"):
        ui.navigate.to(path_of(bridge_id, Step.LIVE))
