"""Who is asking."""

from fastapi import APIRouter, Request

from app.api.guard import Caller
from app.api.schemas import MeOut
from app.people.sessions import form_token
from app.web.access import gate_of

router = APIRouter(prefix="/me", tags=["people"])


@router.get("", summary="Who am I")
async def show_me(request: Request, who: Caller) -> MeOut:
    """Name and role of the caller, and what a browser needs for its writes."""
    cookie = request.cookies.get(gate_of(request).cookie, "")
    return MeOut(
        name=who.name,
        role=who.role,
        user_id=who.user_id,
        csrf_token=form_token(cookie) if who.session_id is not None else None,
    )
