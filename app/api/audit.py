"""The audit log, to read."""

from fastapi import APIRouter
from sqlmodel import col

from app.api.desk import AtDesk
from app.api.fields import Word
from app.api.reading import Paging, equal, page
from app.api.schemas import AuditOut, Page
from app.models import AuditEntry

router = APIRouter(prefix="/audit", tags=["people"])


@router.get("", summary="List the audit log")
async def list_audit(
    desk: AtDesk, part: Paging, actor: Word | None = None, action: Word | None = None, thing: Word | None = None
) -> Page[AuditOut]:
    """Newest first: who did what, from where, to which thing."""
    only = equal((col(AuditEntry.actor), actor), (col(AuditEntry.action), action), (col(AuditEntry.thing), thing))
    return await page(desk.engine, AuditEntry, AuditOut, part, *only)
