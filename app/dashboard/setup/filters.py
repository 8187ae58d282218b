"""Which records take part: sentences, each with how many records it lets in, counted while they are written."""

from collections.abc import Mapping, Sequence

from app.api.choices import ObjectChoiceOut, list_filter_fields, list_objects
from app.api.set_ups import ObjectPart, SettingsPart, SetUpOut
from app.dashboard.frame import Visit, nothing
from app.dashboard.parts import tag
from app.dashboard.setup.frame import foot, path_of
from app.dashboard.setup.reading import reading
from app.dashboard.setup.rules import Rules
from app.people.roles import Role
from app.setting_up import Step


async def filters(visit: Visit, found: SetUpOut) -> None:
    choices = [each for each in await list_objects(visit.desk, found.id) if each.enabled and each.filters]
    cards: list[Rules] = []

    async def count() -> None:
        for each in cards:
            await each.count()

    await reading(visit, found.id, count)
    if not choices:
        nothing("Nothing is switched on yet.", ("Choose what is synced", path_of(found.id, Step.OBJECTS)))
    for choice in choices:
        with tag("article", "card", aria_label=choice.plural):
            cards.append(await _card(visit, found.id, choice))
    foot(visit, found, Step.FILTERS, lambda: _change(choices, cards))


async def _card(visit: Visit, bridge_id: int, choice: ObjectChoiceOut) -> Rules:
    fields = {each.name: each for each in await list_filter_fields(visit.desk, bridge_id, choice.name)}
    rules = Rules(visit, bridge_id, choice, fields, may=visit.may(Role.OPERATOR))
    await rules.draw()
    return rules


def _change(choices: Sequence[ObjectChoiceOut], cards: Sequence[Rules]) -> SettingsPart | None:
    """Raises ValidationError where a rule is not whole."""
    new: Mapping[str, ObjectPart] = {
        choice.name: ObjectPart(only=only)
        for choice, rules in zip(choices, cards, strict=True)
        if (only := rules.conditions()) != choice.only
    }
    return SettingsPart(objects=dict(new)) if new else None
