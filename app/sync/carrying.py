"""A value of one side as the other side is given it: through the pair's steps, and shaped for its field. Pure."""

from app.sync.fieldmap import Rule
from app.sync.records import Kind, Side, Values
from app.sync.steps import Unreadable
from app.sync.tagging import taking_part
from app.sync.values import Fitted, fit, same


def carried(rule: Rule, target: Side, values: Values) -> Fitted:
    """What the record of the other side, with these values, has for `target`, or why that cannot be written there."""
    raw = values.get(rule.spec(target.other).name, "")
    try:
        value = rule.carry(target, values)
    except Unreadable as why:
        return Fitted(raw, refused=str(why))
    fitted = fit(rule.spec(target), value, rule.spec(target.other))
    if fitted.refused:
        return Fitted(raw, refused=fitted.refused)
    if not rule.steps or rule.woven or same(Kind.TEXT, raw, fitted.value):
        return fitted
    made = f"made of “{raw[:60]}”" if raw else "for there was nothing"
    return Fitted(fitted.value, note="; ".join(filter(None, (made, fitted.note))))


def typed(rule: Rule, side: Side, value: str) -> Fitted:
    """What `side` is given of a value that a person typed, as the side has it that values come from."""
    if rule.steps and side is not rule.origin:
        return carried(rule, side, {rule.spec(side.other).name: value})
    return fit(rule.spec(side), value)


def agree(rule: Rule, values: dict[Side, Values]) -> bool:
    """Equal, or as equal as the shorter side can be. With steps: one side has what is made of the other one's."""
    a, b = (values[side].get(rule.spec(side).name, "") for side in Side)
    if rule.steps:
        return any(_has_it(rule, target, values) for target in Side if rule.carries(target))
    if same(rule.crm.kind, a, b):
        return True
    if not a or not b:
        return False
    return fit(rule.billing, a, rule.crm).value == b or fit(rule.crm, b, rule.billing).value == a


def _has_it(rule: Rule, target: Side, values: dict[Side, Values]) -> bool:
    wanted, spec = carried(rule, target, values[target.other]), rule.spec(target)
    return not wanted.refused and same(spec.kind, wanted.value, values[target].get(spec.name, ""))


def weighed(rule: Rule, side: Side, values: Values) -> str:
    """What of a side's record tells whether it has changed: its value; of tags those that take part; of a text that is
    woven of several fields what is made of them."""
    value = values.get(rule.spec(side).name, "")
    if rule.tags:
        return taking_part(rule, value)
    if rule.woven and side is rule.origin:
        try:
            return rule.carry(side.other, values)
        except Unreadable:
            return value
    return value


def filled(rule: Rule, side: Side, values: Values) -> bool:
    return any(values.get(name) for name in rule.inputs(side))


def is_ours(rule: Rule, agreed: str, pair: dict[Side, Values]) -> bool:
    """Whether billing still has what came of the CRM's value that was agreed on."""
    if rule.woven:
        return same(Kind.TEXT, fit(rule.billing, agreed).value, pair[Side.BILLING].get(rule.billing.name, ""))
    return agree(rule, {**pair, Side.CRM: {rule.crm.name: agreed}})


def spared(rule: Rule, target: Side, pair: dict[Side, Values]) -> bool:
    """Whether the other side's value would empty this one's, and the rule does not want that."""
    if not (rule.keeps and pair[target].get(rule.spec(target).name, "")):
        return False
    wanted = carried(rule, target, pair[target.other])
    return not (wanted.value or wanted.refused)
