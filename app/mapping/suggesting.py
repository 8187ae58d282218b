"""Pairs that somebody may want: fields of the same name, or of names that mean the same. Pure.

Nothing is switched on by this: a person looks at each, and takes it or not.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from app.mapping.board import Board
from app.sync.fieldmap import Direction, Pair
from app.sync.records import FieldSpec, Kind, Writable

SAME_NAME, SAME_LABEL, SYNONYM, ALIKE = 95, 90, 75, 50
MOST = 8
_SAME = ("the same name", "the same label")

# What people call one thing, in the languages that accounts were seen in. Each group is one meaning.
_MEANINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split(", "))
    for group in (
        "vat number, vat, vat id, tax id, tax number, partita iva, p iva, piva, ust id, siret, nif, gst, gst number",
        "id number, fiscal code, codice fiscale, company number, registration number, business id, cif",
        "private notes, notes, client notes, internal notes, note, remarks",
        "public notes, description, comment, comments",
        "website, url, site, web, homepage",
        "state, province, provincia, region, county",
        "postal code, zip, zip code, postcode, cap, plz",
        "phone, mobile, telephone, telefono, cell",
        "client phone, company phone, office phone",
        "name, company, company name, client name, business name, ragione sociale",
        "address1, street, address, street address, indirizzo",
        "address2, apt suite, apartment, suite, floor",
        "city, town, citta",
        "email, e mail, mail",
    )
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`confidence`: percent."""

    crm: FieldSpec
    billing: FieldSpec
    direction: Direction
    confidence: int
    why: str


def suggestions(board: Board, pairs: Sequence[Pair]) -> tuple[Suggestion, ...]:
    """For fields that none of `pairs` has, the surest first; each field once."""
    return tuple(islice(_chosen(board, pairs), MOST))


def same_named(board: Board, pairs: Sequence[Pair]) -> tuple[Suggestion, ...]:
    """All of those whose fields have the same name or label."""
    return tuple(each for each in _chosen(board, pairs) if each.why in _SAME)


def _chosen(board: Board, pairs: Sequence[Pair]) -> Iterator[Suggestion]:
    left, right = {each.crm for each in pairs}, {each.billing for each in pairs}
    found = sorted(_all(board, left, right), key=lambda each: (-each.confidence, each.crm.name, each.billing.name))
    for each in found:
        if each.crm.name not in left and each.billing.name not in right:
            left.add(each.crm.name)
            right.add(each.billing.name)
            yield each


def _all(board: Board, left: set[str], right: set[str]) -> Iterator[Suggestion]:
    for crm in board.crm.values():
        for billing in board.billing.values():
            if crm.name in left or billing.name in right or crm.kind in (Kind.TAGS, Kind.DOCUMENT):
                continue
            confidence, why = _alike(crm, billing)
            if crm.writable is Writable.NEVER and confidence <= ALIKE:
                continue  # what is made for one purpose has its own pair
            if confidence and not board.impossible(crm.name, billing.name):
                yield Suggestion(crm, billing, _way(board, crm, billing), confidence, why)


def _alike(crm: FieldSpec, billing: FieldSpec) -> tuple[int, str]:
    mine = {plain(crm.name.removeprefix("custom.")), plain(crm.label)}
    theirs = {plain(billing.name), plain(billing.label)}
    sure = 0 if crm.kind is billing.kind or Kind.TEXT in (crm.kind, billing.kind) else 20
    if plain(crm.name.removeprefix("custom.")) == plain(billing.name):
        return SAME_NAME - sure, _SAME[0]
    if mine & theirs:
        return SAME_LABEL - sure, _SAME[1]
    if any(meaning & mine and meaning & theirs for meaning in _MEANINGS):
        return SYNONYM - sure, "names that mean the same"
    words = [{word for name in names for word in name.split() if len(word) > 3} for names in (mine, theirs)]
    shared = sorted(words[0] & words[1] - {"custom", "value", "client", "contact", "number"})
    return (ALIKE - sure, f"both are about “{shared[0]}”") if shared else (0, "")


def _way(board: Board, crm: FieldSpec, billing: FieldSpec) -> Direction:
    """As far as both fields can be written and the object goes."""
    if board.settings.direction is not Direction.BOTH:
        return board.settings.direction
    if crm.writable is not Writable.ALWAYS:
        return Direction.TO_BILLING
    return Direction.BOTH if billing.writable is Writable.ALWAYS else Direction.TO_CRM


def plain(name: str) -> str:
    """“P. IVA”, “p_iva” and “p iva” are one."""
    letters = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", letters))
