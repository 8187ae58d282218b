"""Find before create: which keys are tried, in which order, and when a match is one. Pure but for the lookups.

1. the link                       our own database; the engine has looked there already
2. the external-id slot           the billing record that carries the CRM id, compared exactly
3. e-mail                         exactly one candidate
4. e-mail and name                of several candidates, exactly one has the same name
otherwise                         Ambiguous: a person decides. No candidate at all: create.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.providers.base import KeyKind, MatchKey, Records
from app.sync.people import email_of, full_name
from app.sync.records import Presence, Record

# Clocks differ, and a contact may be entered while its bridge is being made.
SLOT_MARGIN = timedelta(hours=1)


SLOT_WORDS = "external id"
_WORDS = {
    KeyKind.SLOT: SLOT_WORDS,
    KeyKind.EMAIL: "e-mail",
    KeyKind.PHONE: "phone",
    KeyKind.NAME: "name",
    KeyKind.IDENTITY: "name",
}


@dataclass(frozen=True, slots=True)
class Candidates:
    """What was found. `by` says through which key; more than one record means: not to be guessed.

    `doubt`: why a person has to say whether it is the partner at all.
    """

    records: tuple[Record, ...] = ()
    by: str = ""
    doubt: str = ""


async def look(there: Records, keys: Sequence[MatchKey], record: Record, *, since: datetime) -> Candidates:
    """Try the keys in order; the first that finds anything decides. `record` is the one that needs a partner."""
    for key in keys:
        found = [r for r in await there.find(key) if r.presence is not Presence.DELETED]
        if key.kind in (KeyKind.PHONE, KeyKind.NAME):  # weak: only what can be the answer that was lost
            found = [r for r in found if r.created_at and r.created_at >= since and not email_of(r)]
        if not found:
            continue
        active = [r for r in found if r.presence is Presence.ACTIVE] or found
        if len(active) > 1 and key.kind is KeyKind.EMAIL:
            name = full_name(record).casefold()
            named = [r for r in active if name and full_name(r).casefold() == name]
            if len(named) == 1:
                return Candidates(tuple(named), "e-mail and name")
        return Candidates(tuple(active), _WORDS[key.kind])
    return Candidates()
