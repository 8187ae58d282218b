"""Conflicts: what waits for a person, what each decision would do, and deciding."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import col

from app import deciding
from app.api.body import Bounded
from app.api.conflict_schemas import FieldConflict, OpenConflict, OptionOut
from app.api.desk import AtDesk
from app.api.fields import Id, Word
from app.api.guard import Caller
from app.api.problems import problems
from app.api.reading import Paging, page
from app.api.requests import DecideIn, DecideManyIn
from app.api.schemas import ConflictOut, LinkOut, Page, Queued
from app.cases import Case, FieldCase, Which, case_of
from app.deciding import Choice
from app.models import Link
from app.sync.decisions import ConflictKind

router = APIRouter(prefix="/conflicts", tags=["conflicts"], route_class=Bounded)


@router.get("", summary="List conflicts")
async def list_conflicts(
    desk: AtDesk,
    part: Paging,
    bridge_id: Id | None = None,
    kind: ConflictKind | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
    field: Word | None = None,
    decided: bool | None = None,
) -> Page[LinkOut]:
    """Records about which a person has to decide, the newest first; all that is not in conflict goes on meanwhile.

    `field`: its name in billing. `decided`: whether a decision waits to be carried out.
    """
    which = Which(bridge_id=bridge_id, object=object_, kind=kind, field=field)
    only = which.conditions()
    if decided is not None:
        only.append((col(Link.decisions) != {}) if decided else (col(Link.decisions) == {}))
    return await page(desk.engine, Link, LinkOut, part, *only)


@router.get("/{link_id}", summary="Show a conflict", responses=problems(404))
async def show_conflict(desk: AtDesk, link_id: Id) -> ConflictOut:
    """Base, left and right of each field, the candidates, and what each decision would do. Its id is its link's."""
    return _shown(await case_of(desk.connections, link_id))


@router.post("/decide", status_code=202, summary="Decide many conflicts alike", responses=problems(400, 413))
async def decide_many(desk: AtDesk, who: Caller, wanted: DecideManyIn) -> Queued:
    """The CRM's or the billing value, for all fields in conflict that fit. They go behind live events.

    Records of bridges that are switched off are left as they are.
    """
    which = Which(**wanted.model_dump(include={"bridge_id", "object", "kind", "field"}))
    return Queued(queued=await deciding.decide_many(desk.connections, which, wanted.take, who.name))


@router.post("/{link_id}/decide", status_code=202, summary="Decide a conflict", responses=problems(400, 404, 409, 413))
async def decide(desk: AtDesk, who: Caller, link_id: Id, wanted: DecideIn) -> Queued:
    """It is carried out by a job, if both sides are still as they were seen; else the conflict is shown anew."""
    if not wanted.fields:
        partner = wanted.partner or ""
        done = await deciding.decide_record(desk.connections, link_id, wanted.option, who.name, partner=partner)
        return Queued(queued=done)
    choices = {
        name: Choice(
            take=each.take,
            value=each.value or "",
            always=each.always,
            seen=None if each.crm is None or each.billing is None else (each.crm, each.billing),
        )
        for name, each in wanted.fields.items()
    }
    return Queued(queued=await deciding.decide_fields(desk.connections, link_id, choices, who.name))


def _shown(case: Case) -> ConflictOut:
    link = LinkOut.model_validate(case.link)
    return ConflictOut(
        **dict(link),
        fields=[_field(each) for each in case.fields],
        options=[OptionOut.model_validate(each) for each in case.options],
    )


def _field(case: FieldCase) -> FieldConflict:
    return FieldConflict(
        field=case.name,
        crm_label=case.rule.crm.label if case.rule else "",
        billing_label=case.rule.billing.label if case.rule else "",
        conflict=OpenConflict.model_validate(case.told),
        options=[OptionOut.model_validate(each) for each in case.options],
    )
