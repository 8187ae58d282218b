"""Users: who may administer."""

from fastapi import APIRouter, Request

from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id
from app.api.guard import Caller
from app.api.problems import conflict, problems, refused, unknown
from app.api.reading import Paging, one, page
from app.api.requests import UserChange, UserIn
from app.api.schemas import Page, UserOut
from app.models import User
from app.people import users
from app.people.users import LastOwner, NotAllowed, Taken
from app.web.access import remark

router = APIRouter(prefix="/users", tags=["people"], route_class=Bounded)


@router.post("", status_code=201, summary="Add a user", responses=problems(400, 409, 413))
async def add_user(request: Request, desk: AtDesk, wanted: UserIn) -> UserOut:
    """They can log in with this password, and change it."""
    remark(request, f"{wanted.email}, {wanted.role}")
    hashed = await _hash(wanted.password.get_secret_value(), wanted.email)
    try:
        async with desk.engine.begin() as connection:
            id_ = await users.add(connection, wanted.email, hashed, wanted.role)
    except Taken as error:
        raise conflict(str(error)) from None
    return UserOut.model_validate(await one(desk.engine, User, id_))


@router.get("", summary="List users")
async def list_users(desk: AtDesk, part: Paging) -> Page[UserOut]:
    """Newest first."""
    return await page(desk.engine, User, UserOut, part)


@router.get("/{user_id}", summary="Show a user", responses=problems(404))
async def show_user(desk: AtDesk, user_id: Id) -> UserOut:
    """Address and role."""
    return UserOut.model_validate(await one(desk.engine, User, user_id))


@router.patch("/{user_id}", summary="Change a user", responses=problems(400, 404, 409, 413))
async def change_user(request: Request, desk: AtDesk, who: Caller, user_id: Id, change: UserChange) -> UserOut:
    """Role, or a new password, which ends their sessions (of your own: the others). One owner is always left."""
    row = await one(desk.engine, User, user_id)
    hashed = await _hash(change.password.get_secret_value(), row.email) if change.password else ""
    said = [*([f"role {row.role} -> {change.role}"] if change.role else []), *(["new password"] if hashed else [])]
    remark(request, ", ".join([row.email, *said]))
    try:
        async with desk.engine.begin() as connection:
            if change.role:
                await users.set_role(connection, user_id, change.role)
            if hashed:
                await users.set_password(connection, user_id, hashed, keep_session=who.session_id)
    except LastOwner as error:
        raise conflict(str(error)) from None
    return UserOut.model_validate(await one(desk.engine, User, user_id))


@router.delete("/{user_id}", status_code=204, summary="Remove a user", responses=problems(404, 409))
async def remove_user(request: Request, desk: AtDesk, user_id: Id) -> None:
    """Their sessions and API tokens end at once. One owner is always left."""
    try:
        async with desk.engine.begin() as connection:
            email = await users.remove(connection, user_id)
    except LastOwner as error:
        raise conflict(str(error)) from None
    if email is None:
        raise unknown("user", user_id)
    remark(request, email)


async def _hash(password: str, email: str) -> str:
    try:
        return await users.hash_of(password, email)
    except NotAllowed as error:
        raise refused(str(error)) from None
