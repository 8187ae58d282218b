"""Conflicts as people see them: what is told of each, and what can be decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, literal_column, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col

from app.connections import Connections
from app.directory import BridgeView
from app.errors import Gone
from app.models import Link
from app.models.link import LinkState
from app.sync.choosing import APART
from app.sync.decisions import ConflictKind
from app.sync.fieldmap import Rule
from app.sync.objects import OBJECTS
from app.sync.options import Option, decidable, of_field, of_record
from app.sync.records import Side
from app.sync.resolving import resolved

OPEN: ColumnElement[bool] = literal_column("links.conflicts <> '[]'", Boolean)
"""As the partial index says it."""


@dataclass(frozen=True, slots=True)
class FieldCase:
    """One field: what is told of it, the rule that it goes by, and what can be done.

    `rule`: None where it is not in the field map any more.
    """

    name: str
    told: Mapping[str, Any]
    rule: Rule | None
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Case:
    link: Link
    fields: tuple[FieldCase, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Some conflicts; None: any."""

    bridge_id: int | None = None
    object: str | None = None
    kind: ConflictKind | None = None
    field: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        given = ((col(Link.bridge_id), self.bridge_id), (col(Link.object), self.object))
        only: list[ColumnElement[bool]] = [OPEN, *(column == value for column, value in given if value is not None)]
        if self.kind:
            only.append(col(Link.conflicts).contains([self.kind.value]))
        if self.field:
            only.append(col(Link.held).op("?", return_type=Boolean())(self.field))
        return only

    def fits(self, name: str, told: Mapping[str, Any]) -> bool:
        return self.field in (None, name) and self.kind in (None, told["kind"])


async def listed(engine: AsyncEngine, which: Which, most: int) -> Sequence[Link]:
    """The newest first."""
    newest = select(Link).where(*which.conditions()).order_by(col(Link.id).desc()).limit(most)
    async with AsyncSession(engine) as session:
        return (await session.scalars(newest)).all()


async def case_of(connections: Connections, link_id: int) -> Case:
    """Raises Gone."""
    async with AsyncSession(connections.engine) as session:
        link = known(await session.get(Link, link_id), link_id)
        taken = await taken_candidates(session, link)
    bridge = await connections.directory.one(link.bridge_id)
    rules = rules_of(connections, bridge, link)
    fields = tuple(
        FieldCase(name, told, rules.get(name), tuple(of_field(rules[name], told)) if name in rules else ())
        for name, told in decidable(link.held).items()
        if link.conflicts
    )
    return Case(link, fields, tuple(record_options(bridge, link, taken)) if is_open(link) else ())


def known(link: Link | None, link_id: int) -> Link:
    if link is None:
        raise Gone(f"There is no conflict {link_id}.")
    return link


def is_open(link: Link) -> bool:
    """What is kept apart can be decided anew."""
    return bool(link.conflicts) or link.problem == APART


def rules_of(connections: Connections, bridge: BridgeView, link: Link) -> dict[str, Rule]:
    """Those that the pair is synced by, by name."""
    settings = bridge.settings.of(link.object)
    rules, _ = resolved(
        settings, {side: connections.open(bridge, side).records(link.object, settings) for side in Side}
    )
    return {rule.name: rule for rule in rules}


async def taken_candidates(session: AsyncSession, link: Link) -> Mapping[str, str]:
    """Those of a record's candidates that belong to another one of the bridge by now, and to which."""
    theirs, others = (
        (col(Link.billing_id), col(Link.crm_id)) if link.crm_id else (col(Link.crm_id), col(Link.billing_id))
    )
    found = select(theirs, others).where(
        col(Link.bridge_id) == link.bridge_id,
        col(Link.object) == link.object,
        theirs.in_([each["id"] for each in link.candidates]),
        others.is_not(None),
        col(Link.state) != LinkState.UNLINKED.value,
        col(Link.id) != link.id,
    )
    return {candidate or "": other or "" for candidate, other in (await session.execute(found)).all()}


def record_options(bridge: BridgeView, link: Link, taken: Mapping[str, str]) -> Sequence[Option]:
    """A pair that was cut, because a person keeps it apart, can be one again. `taken`: see `taken_candidates`."""
    paired, apart = bool(link.crm_id and link.billing_id), link.problem == APART
    partners = [each["id"] for each in link.candidates]
    if paired:
        partners = [link.billing_id or ""] if apart else []
    type_, on = OBJECTS[link.object], bridge.settings.of(link.object)
    return tuple(of_record(link.problem, partners, taken, paired=paired, apart=apart, type_=type_, on=on))
