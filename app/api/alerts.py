"""Alerts: what needs somebody, and what did."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import col

from app.api.care import AlertOut
from app.api.desk import AtDesk
from app.api.fields import Id
from app.api.problems import problems
from app.api.reading import Paging, equal, one, page
from app.api.schemas import Page
from app.models import Alert
from app.models.alert import AlertKind, Thing

router = APIRouter(prefix="/alerts", tags=["alerts"])


@router.get("", summary="List alerts")
async def list_alerts(
    desk: AtDesk,
    part: Paging,
    kind: AlertKind | None = None,
    thing: Thing | None = None,
    thing_id: Id | None = None,
    open_: Annotated[bool | None, Query(alias="open", description="Only those that have not ended, or have")] = None,
) -> Page[AlertOut]:
    """Newest first, open and past."""
    only = equal((col(Alert.kind), kind), (col(Alert.thing), thing), (col(Alert.thing_id), thing_id))
    if open_ is not None:
        only.append(col(Alert.ended_at).is_(None) if open_ else col(Alert.ended_at).is_not(None))
    return await page(desk.engine, Alert, AlertOut, part, *only)


@router.get("/{alert_id}", summary="Show an alert", responses=problems(404))
async def show_alert(desk: AtDesk, alert_id: Id) -> AlertOut:
    """What it is about, since when, and what to do."""
    return AlertOut.model_validate(await one(desk.engine, Alert, alert_id))
