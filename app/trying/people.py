"""Who is in the sandbox, on both sides; and what a person there does with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.sync.fieldmap import Direction
from app.sync.records import Side
from app.trying.host import Standing
from app.trying.stage import LOCATION, Stage

_CRM: Mapping[str, str] = MappingProxyType(
    {
        "first_name": "firstName", "last_name": "lastName", "company": "companyName", "email": "email",
        "phone": "phone", "city": "city",
    }
)  # fmt: skip
FIELDS = tuple(_CRM)
"""What is shown, and can be edited."""
_OF_CONTACT = ("first_name", "last_name", "email", "phone")
_LINKS = text("""
    SELECT id, crm_id, billing_id, state, base_crm, base_billing
      FROM links WHERE bridge_id = ANY(:bridges) AND object = 'contact'
     ORDER BY id
""")


@dataclass(frozen=True, slots=True)
class Person:
    """As one system has them: `values` by the names in FIELDS."""

    id: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """One person on both sides, or on the one that has them. `state`: of the link; "" where nobody has seen them yet.

    `apart`: the fields of which one side was changed, and the other one does not follow yet.
    """

    link_id: int | None
    state: str
    crm: Person | None
    billing: Person | None
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """How a field goes between the two sides. `name`: that of its rule, under which the agreed values are kept."""

    name: str
    direction: Direction


async def pairs(engine: AsyncEngine, stage: Stage, standing: Standing, ways: Mapping[str, Way]) -> list[Pair]:
    """Newest last. Read past all faults: this is what is there, not what a vendor in trouble would answer.

    `ways`: of FIELDS those that are mapped.
    """
    crm = {each.id: each for each in await _contacts(stage)}
    billing = {each.id: each for each in await _clients(stage)}
    async with engine.connect() as connection:
        links = (await connection.execute(_LINKS, {"bridges": list(standing.bridges)})).all()
    found: list[Pair] = []
    for link_id, crm_id, billing_id, state, *agreed in links:
        left, right = crm.pop(crm_id, None), billing.pop(str(billing_id or "").partition("/")[0], None)
        if left or right:
            found.append(Pair(link_id, state, left, right, _apart(left, right, agreed, ways)))
    alone = [Pair(None, "", each, None) for each in crm.values()]
    return found + alone + [Pair(None, "", None, each) for each in billing.values()]


def _apart(
    crm: Person | None, billing: Person | None, agreed: Sequence[Mapping[str, str] | None], ways: Mapping[str, Way]
) -> tuple[str, ...]:
    """Not what differs because the mapping makes something else of it, goes the other way only, or not at all."""
    if crm is None or billing is None:
        return ()
    sides = dict(zip(Side, ((crm.values, agreed[0] or {}), (billing.values, agreed[1] or {})), strict=True))
    return tuple(
        name
        for name, way in ways.items()
        if crm.values[name] != billing.values[name]
        and any(
            way.direction.reaches(side.other) and now[name] != had.get(way.name) for side, (now, had) in sides.items()
        )
    )


async def add(stage: Stage, side: Side, values: Mapping[str, str]) -> str:
    """The new record's id. Raises Rejected in the vendor's words."""
    if side is Side.CRM:
        made = await stage.ask(side, "POST", "/contacts/", {"locationId": LOCATION, **_for_crm(values, empty=False)})
        return str(made["contact"]["id"])
    made = await stage.ask(side, "POST", "/api/v1/clients", _for_billing({"contacts": [{}]}, values))
    return str(made["data"]["id"])


async def edit(stage: Stage, side: Side, id_: str, values: Mapping[str, str]) -> None:
    """What is left out stays. Raises Rejected."""
    if side is Side.CRM:
        await stage.ask(side, "PATCH", f"/_control/contacts/{id_}", _for_crm(values, empty=True))
        return
    whole = (await stage.ask(side, "GET", f"/api/v1/clients/{id_}"))["data"]
    await stage.ask(side, "PUT", f"/api/v1/clients/{id_}", {**whole, **_for_billing(whole, values)})


def is_told(side: Side, fields: Iterable[str]) -> bool:
    """Whether the vendor tells of such a change: Invoice Ninja is silent about a client's person alone."""
    return side is Side.CRM or not set(fields) <= set(_OF_CONTACT)


async def remove(stage: Stage, side: Side, id_: str) -> None:
    """As a person deletes one there. Raises Rejected."""
    path = f"/contacts/{id_}" if side is Side.CRM else f"/api/v1/clients/{id_}"
    await stage.ask(side, "DELETE", path)


async def _contacts(stage: Stage) -> Sequence[Person]:
    found = (await stage.ask(Side.CRM, "GET", "/_control/state"))["contacts"]
    return [
        Person(each["id"], {name: str(each.get(theirs) or "") for name, theirs in _CRM.items()})
        for each in found
        if each["locationId"] == LOCATION
    ]


async def _clients(stage: Stage) -> Sequence[Person]:
    found = (await stage.ask(Side.BILLING, "GET", "/_control/state")).get("clients", [])
    return [
        Person(each["id"], _of_client(each)) for each in found if not each["is_deleted"] and not each["archived_at"]
    ]


def _of_client(row: Mapping[str, Any]) -> dict[str, str]:
    first = row["contacts"][0] if row["contacts"] else {}
    person = {name: str(first.get(name) or "") for name in _OF_CONTACT}
    named = {**person, "company": str(row["name"] or ""), "city": str(row["city"] or "")}
    return {name: named[name] for name in FIELDS}


def _for_crm(values: Mapping[str, str], *, empty: bool) -> dict[str, str]:
    """`empty`: also what is to be emptied."""
    return {_CRM[name]: value for name, value in values.items() if value or empty}


def _for_billing(whole: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    first = {**(whole["contacts"] or [{}])[0], **{name: values[name] for name in _OF_CONTACT if name in values}}
    changed: dict[str, Any] = {"contacts": [first, *whole["contacts"][1:]]}
    for name, theirs in (("company", "name"), ("city", "city")):
        if name in values:
            changed[theirs] = values[name]
    return changed
