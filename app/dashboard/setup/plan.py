"""The plan, as a step of the set-up."""

from functools import partial

from app.api.set_ups import SetUpOut
from app.dashboard.frame import Visit
from app.dashboard.parts import button, tag, text
from app.dashboard.plan import Shown, plan_view
from app.dashboard.plan_acts import remake
from app.dashboard.setup.frame import foot
from app.people.roles import Role
from app.setting_up import Step


async def plan(visit: Visit, found: SetUpOut, shown: Shown) -> None:
    if found.plan_id is None:
        with tag("div", "note next"):
            text("p", "There is no plan yet. Both sides are read completely; how long that takes depends on how many"
                 " records there are: about a minute for ten thousand.")  # fmt: skip
            if visit.may(Role.OPERATOR):
                button("Read both sides and make the plan", partial(remake, visit, found.id))
    else:
        await plan_view(visit, found.plan_id, shown)
    foot(visit, found, Step.PLAN)
