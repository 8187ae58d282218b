"""From activities to wishes: for each field of each side, the value from before, and the one that we left. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.sync.records import Side
from app.sync.values import tags_of
from app.undo.scope import RECORD, Scope

MADE, THERE, AWAY, ELSEWHERE = "", "active", "archived", "elsewhere"
"""Of a record as a whole: before it was made, and since; put away; and before it was moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An activity, as far as it wrote. `changes`: as they are stored."""

    id: int
    action: str
    changes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One field of one side. `field`: its name in the activities; `names`: what each side calls it.

    `wrote`: what our last write left, first as it was sent. `tags`: of sets of words, the words that we added or took
    away, by their compared form.
    """

    field: str
    side: Side
    names: Mapping[Side, str]
    back: str
    wrote: tuple[str, ...]
    tags: Mapping[str, "Word"] | None = None

    @property
    def name(self) -> str:
        return self.names[self.side]

    @property
    def record(self) -> bool:
        return self.field == RECORD


@dataclass(frozen=True, slots=True)
class Word:
    """One tag, whether it was there `before`, and whether it was when we `left`."""

    text: str
    before: bool
    left: bool


@dataclass(slots=True)
class _Fold:
    wishes: dict[tuple[Side, str], Wish] = field(default_factory=dict)

    def add(self, wish: Wish) -> None:
        """Of an older activity than those before: its value from before goes further back."""
        key = (wish.side, wish.name)
        newer = self.wishes.get(key)
        if newer is None:
            self.wishes[key] = wish
        else:
            self.wishes[key] = replace(newer, back=wish.back, tags=_further(newer.tags, wish.tags))


def _further(newer: Mapping[str, Word] | None, older: Mapping[str, Word] | None) -> Mapping[str, Word] | None:
    if newer is None or older is None:
        return newer
    both = {key: replace(word, before=older[key].before) for key, word in newer.items() if key in older}
    return {**older, **newer, **both}


def fold(done: Sequence[Done], scope: Scope, names: Mapping[str, Mapping[Side, str]]) -> list[Wish]:
    """The wishes of one link, whose activities come newest first. `names`: of the fields, for activities that do not

    tell them. A record that we made goes as a whole: its own fields are none by themselves then.
    """
    folded = _Fold()
    for each in done:
        for change in each.changes:
            wish = _wish(change, names)
            if wish and scope.covers(wish.side, wish.field, wish.name):
                folded.add(wish)
        if (made := _made(each)) and scope.covers(made.side, RECORD):
            folded.add(made)
    gone = {wish.side for wish in folded.wishes.values() if wish.record and wish.back == MADE}
    return [wish for wish in folded.wishes.values() if wish.record or wish.side not in gone]


def _wish(change: Mapping[str, Any], names: Mapping[str, Mapping[Side, str]]) -> Wish | None:
    """None for what was held back or refused: nothing was written."""
    before, after = change.get("before"), change.get("after")
    if before is None or after is None or not change.get("side"):
        return None
    known = {side: change.get(side.value, "") for side in Side}
    if not all(known.values()):
        known = dict(names.get(change["field"], dict.fromkeys(Side, change["field"])))
    kept = change.get("kept")
    wish = Wish(
        field=change["field"],
        side=Side(change["side"]),
        names=known,
        back=before,
        wrote=(after,) if kept is None else (after, kept),
    )
    return _of_words(wish, before, after if kept is None else kept) if ":" in wish.field else wish


def _of_words(wish: Wish, before: str, after: str) -> Wish:
    """Only the words that we added or took away."""
    old, new = tags_of(before), tags_of(after)
    gone = {key: Word(text, before=True, left=False) for key, text in old.items() if key not in new}
    come = {key: Word(text, before=False, left=True) for key, text in new.items() if key not in old}
    return replace(wish, tags=gone | come)


def _made(done: Done) -> Wish | None:
    """That a record was made; all that was written then is on its side."""
    sides = {str(change["side"]) for change in done.changes if change.get("after") is not None}
    if done.action != "created" or len(sides) != 1:
        return None
    return whole(Side(sides.pop()), back=MADE, wrote=THERE)


def whole(side: Side, *, back: str, wrote: str) -> Wish:
    """A wish about the record as a whole."""
    return Wish(field=RECORD, side=side, names=dict.fromkeys(Side, RECORD), back=back, wrote=(wrote,))
