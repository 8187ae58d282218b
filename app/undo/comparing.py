"""What is there now, against what we had left there: only what nobody has changed since goes back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.models.undo import UndoOutcome
from app.sync.records import FieldSpec, Kind, Presence, Record, Writable
from app.sync.values import fit, same, tag_text, tags_of
from app.undo.folding import Wish

LATER = "it was changed since, and is left as it is"
GONE = "the record is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is to become of a wish. `write`: the value to write, None where nothing is to be written.

    `outcome` is `restoring` where there is something to write or to do, else how it ends.
    """

    wish: Wish
    now: str
    outcome: UndoOutcome
    reason: str = ""
    write: str | None = None

    @property
    def back(self) -> str:
        """What it is to be again; of tags, all that there will be."""
        return self.wish.back if self.wish.tags is None or self.write is None else self.write


def compare(wish: Wish, spec: FieldSpec | None, record: Record | None) -> Finding:
    """Of a field. `spec`: as its account has it, None where it has no such field (any more)."""
    if record is None or record.presence is Presence.DELETED:
        return cannot(wish, GONE)
    if spec is None or wish.name not in record.values:
        return cannot(wish, f"the account has no field “{wish.name}” any more")
    now = record.values[wish.name]
    kind = spec.kind if wish.tags is None else Kind.TAGS
    back = wish.back if wish.tags is None else _retagged(wish, now)
    if same(kind, now, back):
        return Finding(wish=wish, now=now, outcome=UndoOutcome.RESTORED, reason="it is so already")
    if wish.tags is None and not any(same(kind, now, left) for left in wish.wrote):
        return Finding(wish=wish, now=now, outcome=UndoOutcome.CHANGED_SINCE, reason=LATER)
    if spec.writable is not Writable.ALWAYS:
        return cannot(wish, f"{spec.label} cannot be changed there through its API", now)
    if locked := record.locked.get(wish.name):
        return cannot(wish, locked, now)
    if refused := _refused(wish, spec, back):
        return cannot(wish, refused, now)
    return Finding(wish=wish, now=now, outcome=UndoOutcome.RESTORING, write=back)


def _refused(wish: Wish, spec: FieldSpec, back: str) -> str:
    """Why the side would not take the value. It is not shaped for it: it was there before, as it is."""
    if wish.tags is None:
        return fit(spec, back, spec).refused
    full = spec.max_length is not None and len(back) > spec.max_length
    return "there is no room for the tags" if full else ""


def cannot(wish: Wish, reason: str, now: str = "") -> Finding:
    return Finding(wish=wish, now=now, outcome=UndoOutcome.CANNOT, reason=reason)


def ended(finding: Finding, spec: FieldSpec, answer: Record) -> Finding:
    """After the write: what the vendor has now decides, not that it answered."""
    kept = answer.values.get(finding.wish.name, "")
    kind = spec.kind if finding.wish.tags is None else Kind.TAGS
    if same(kind, kept, finding.now) and not same(kind, kept, finding.write or ""):
        return cannot(finding.wish, answer.locked.get(finding.wish.name, "accepted by the API, but not kept"), kept)
    return Finding(wish=finding.wish, now=finding.now, outcome=UndoOutcome.RESTORED, reason=finding.reason, write=kept)


def _retagged(wish: Wish, now: str) -> str:
    """The tags there are, without those that we added and with those that we took away, as far as that is still so."""
    words = dict(tags_of(now))
    for key, word in (wish.tags or {}).items():
        if (key in words) is not word.left:
            continue
        if word.before:
            words.setdefault(key, word.text)
        else:
            words.pop(key, None)
    return tag_text(words.values())


def touched(record: Record, written: Mapping[str, tuple[str, ...]], specs: Mapping[str, FieldSpec]) -> str:
    """The first field of a record of ours in which it is not what we last wrote; "" where it is as we left it."""
    return next(
        (
            name
            for name, left in written.items()
            if name in specs
            and name in record.values
            and not any(same(specs[name].kind, record.values[name], each) for each in left)
        ),
        "",
    )
