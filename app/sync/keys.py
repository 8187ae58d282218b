"""What a record is recognised by on the other side, and in which order that is looked for there."""

from app.providers.base import KeyKind, MatchKey
from app.sync.carrying import carried
from app.sync.matching import SLOT_MARGIN
from app.sync.people import email_of, full_name
from app.sync.records import Record, Side, Values
from app.sync.values import e164
from app.sync.work import Work


async def keys_of(work: Work, record: Record, below: str) -> list[MatchKey]:
    """Where to look for a partner. The slot costs a call of its own, so it is asked where it can have an answer:

    not for a contact entered after the bridge was made, whose first attempt this is: nothing can carry its id.
    """
    keys: list[MatchKey] = []
    other, again = work.target.side.other, work.link.creating == work.target.side.other.value
    if other is Side.CRM and record.slot:
        keys.append(MatchKey(KeyKind.SLOT, record.slot))
    entered = record.created_at
    older = entered is None or entered < work.bridge.created_at - SLOT_MARGIN
    if other is Side.BILLING and work.slot and (again or older):
        keys.append(MatchKey(KeyKind.SLOT, record.id, parent=below))
    if not work.type.person:
        if again or older or work.type.unique or not work.settings.creates or await work.store.awaited(work.target):
            named = recognised(work, record, other).get(work.type.recognised_by, "")
            keys.append(MatchKey(KeyKind.IDENTITY, named, lost=again, parent=below))
    elif email := email_of(record):
        keys.append(MatchKey(KeyKind.EMAIL, email, lost=again, parent=below if other is Side.BILLING else ""))
        if again and other is Side.CRM and not recognised(work, record, other)["email"]:
            keys.append(_weak_key(record, ""))
    elif again and (other is Side.CRM or below):
        keys.append(_weak_key(record, below if other is Side.BILLING else ""))
    return keys


def recognised(work: Work, record: Record, side: Side) -> Values:
    """The record's values, with what it is recognised by as `side` keeps it, which may be only the beginning.

    Of a person: without an e-mail or phone that does not get there.
    """
    if side is work.target.side:
        return record.values
    if work.type.person:
        lost = [name for name in ("email", "phone") if not _gets_there(work, record, side, name)]
        return {**record.values, **dict.fromkeys(lost, "")}
    name = work.type.recognised_by
    rule = next((each for each in work.rules if each.spec(side).name == name), None)
    if rule is None:
        return record.values
    return {**record.values, name: carried(rule, side, record.values).value or record.values.get(name, "")}


def _gets_there(work: Work, record: Record, side: Side, name: str) -> bool:
    rules = (each for each in work.rules if each.spec(side).name == name and each.direction.reaches(side))
    return any(fitted.value and not fitted.refused for fitted in (carried(each, side, record.values) for each in rules))


def _weak_key(record: Record, below: str) -> MatchKey:
    """After a create whose answer was lost, for a record without e-mail: it is found by what else it has."""
    if phone := e164(record.values.get("phone", "")):
        return MatchKey(KeyKind.PHONE, phone, lost=True, parent=below)
    return MatchKey(KeyKind.NAME, full_name(record), parent=below)
