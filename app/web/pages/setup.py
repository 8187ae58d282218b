"""The first owner, by the link that the start prints."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from app.api.body import Bounded
from app.people import audit, sessions, setup, users
from app.people.roles import Principal, Role
from app.people.setup import USED
from app.people.users import NotAllowed
from app.web.access import PageRefused, address_of, gate_of
from app.web.pages.layout import check_form, page
from app.web.pages.login import enter

router = APIRouter(prefix="/setup", route_class=Bounded)
_NEW_ONE = f"{USED} The command “crossledger admin setup-link” prints a new one, as long as there is no user."


@router.get("")
async def ask(request: Request, token: str = "") -> Response:
    async with gate_of(request).engine.connect() as connection:
        if not await setup.is_good(connection, token):
            raise PageRefused(403, _NEW_ONE)
    return page(request, "setup.html", token=token, email="", error="")


@router.post("", dependencies=[Depends(check_form)])
async def set_up(
    request: Request,
    token: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    engine = gate_of(request).engine
    async with engine.connect() as connection:
        if not await setup.is_good(connection, token):
            raise PageRefused(403, _NEW_ONE)
    try:
        address = users.address_of(email)
        if password != again:
            raise NotAllowed("The two passwords are not the same.")
        hashed = await users.hash_of(password, address)
    except NotAllowed as wrong:
        return page(request, "setup.html", status=422, token=token, email=email, error=str(wrong))
    try:
        async with engine.begin() as connection:
            id_ = await setup.use(connection, token, address, hashed)
            owner = Principal(id_, address, Role.OWNER)
            await audit.record(connection, owner, address_of(request), "setup.used", thing=f"user {id_}")
            secret = await sessions.start(connection, id_)
    except NotAllowed as late:
        raise PageRefused(403, str(late)) from None
    return enter(request, secret, "/")
