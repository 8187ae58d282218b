"""What the steps of a set-up share: where one is, the way back and on, and keeping what was chosen."""

from collections.abc import Callable, Mapping
from functools import partial

from nicegui import ui

from app.api.set_ups import SettingsPart, SetUpOut, change_settings, finish_step
from app.dashboard.frame import Visit
from app.dashboard.parts import button, link, tag, text
from app.people.roles import Principal, Role
from app.setting_up import Step

TITLES: Mapping[Step, str] = {
    Step.OBJECTS: "Choose what is synced",
    Step.FILTERS: "Choose which records",
    Step.MATCHING: "See how they are matched",
    Step.CONFLICTS: "Choose who wins",
    Step.PLAN: "Look at the plan, and try ten",
    Step.LIVE: "Go live",
}
SHORT: Mapping[Step, str] = {
    Step.OBJECTS: "What",
    Step.FILTERS: "Which records",
    Step.MATCHING: "Matching",
    Step.CONFLICTS: "Who wins",
    Step.PLAN: "Plan",
    Step.LIVE: "Go live",
}
LEADS: Mapping[Step, str] = {
    Step.OBJECTS: "Begin with contacts; the rest can be switched on at any time, also once you are live.",
    Step.FILTERS: "Without a rule, all records take part. A record that leaves a filter is never deleted: it is left as"
    " it is, and goes on when it is back.",
    Step.MATCHING: "Records that are there on both sides are linked, not made twice. Where it is not clear which belong"
    " together, nothing is guessed: you decide.",
    Step.CONFLICTS: "Only where somebody has changed the same field on both sides since they last agreed. All other"
    " changes simply arrive on the other side.",
    Step.PLAN: "Both sides are read, and you see what would be done with each record. Nothing is written before you"
    " press a button.",
    Step.LIVE: "From then on, what changes on either side arrives on the other within seconds, by itself.",
}
BEFORE = ("Connect HighLevel", "Connect Invoice Ninja", "Make a bridge between the two")
"""What is done before a bridge has a set-up."""

Settings = Callable[[], SettingsPart | None]


def path_of(bridge_id: int, step: Step | None = None) -> str:
    """None: whatever comes next."""
    return f"/bridges/{bridge_id}/setup/{step}" if step else f"/bridges/{bridge_id}/setup"


def stepper(found: SetUpOut, here: Step) -> None:
    done = len(BEFORE) + sum(found.steps.values())
    whole = len(BEFORE) + len(found.steps)
    with tag("nav", "stepper", aria_label="Steps of the set-up"), tag("ol"):
        with tag("li", "done-step"):
            link("Accounts and bridge", "/start")
        for step, is_done in found.steps.items():
            with tag("li", "done-step" if is_done else ""):
                shown = link(SHORT[step], path_of(found.id, step))
                if step is here:
                    shown.props["aria-current"] = "step"
                if is_done:
                    text("span", "done", "unseen")
    bar = tag("progress", "whole", max=str(whole), value=str(done))
    bar.props["aria-label"] = f"{done} of {whole} steps are done"


def foot(visit: Visit, found: SetUpOut, here: Step, settings: Settings | None = None) -> None:
    """Back, and on. `settings`: what was chosen here, to be kept; None where nothing has changed."""
    steps = list(Step)
    place = steps.index(here)
    back = path_of(found.id, steps[place - 1]) if place else "/start"
    on = path_of(found.id, steps[place + 1]) if place + 1 < len(steps) else f"/bridges/{found.id}"
    with tag("div", "foot"):
        link("Back", back, "button quiet")
        if visit.may(Role.OPERATOR) and here not in (Step.PLAN, Step.LIVE):
            button("Save and go on" if settings else "Go on", partial(_go_on, visit, found.id, here, settings, on))
        else:
            link("Go on" if here is not Step.LIVE else "To the bridge", on, "button quiet")
        text("span", "Everything is kept: you can leave, and go on another day.", "faint")


async def _go_on(visit: Visit, bridge_id: int, here: Step, settings: Settings | None, on: str) -> None:
    async def work(who: Principal) -> str:
        change = settings() if settings else None
        if change is not None:
            await change_settings(visit.desk, who, bridge_id, change)
        await finish_step(visit.desk, who, bridge_id, here)
        return "Saved."

    if await visit.act(Role.OPERATOR, f"set up: {here}", work, f"bridge {bridge_id}"):
        ui.navigate.to(on)
