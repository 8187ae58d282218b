"""`crossledger admin`: users and API tokens from the shell of the machine, also when nobody can log in."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from app.console import guarded, prepared, stop_with
from app.people.roles import SHELL, Role
from app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

admin = typer.Typer(name="admin", help="Users, API tokens, and the set-up link.", no_args_is_help=True)
T = TypeVar("T")
Email = Annotated[str, typer.Argument(help="The user's e-mail address.")]
_ADDRESS = "shell"


@admin.command()
def setup_link() -> None:
    """Print a new link for the first owner; the one before stops working."""

    async def work(connection: "AsyncConnection", settings: Settings) -> str | None:
        return await _new_link(connection, settings)

    link = _transact(work)
    if link is None:
        stop_with("There are users already: add-user makes another one, set-password gives one a new password.")
    typer.echo(link)


@admin.command()
def list_users() -> None:
    """Each with id, role and e-mail address."""
    from sqlalchemy import select
    from sqlmodel import col

    from app.models import User

    async def work(connection: "AsyncConnection", _: Settings) -> Any:
        columns = (col(User.id), col(User.role), col(User.email))
        return (await connection.execute(select(*columns).order_by(col(User.id)))).all()

    for id_, role, email in _transact(work):
        typer.echo(f"{id_:>4}  {role:<8}  {email}")


@admin.command()
def add_user(email: Email, role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER) -> None:
    """Add a user. The password is asked for, or read from the standard input."""
    from app.people import users

    async def work(connection: "AsyncConnection", _: Settings) -> int:
        address = users.address_of(email)
        id_ = await users.add(connection, address, await users.hash_of(password, address), role)
        await _note(connection, "user.added", f"user {id_}", f"{address}, {role}")
        return id_

    password = _asked()
    typer.echo(f"{email} is user {_transact(work)}, {role}.")


@admin.command()
def set_password(email: Email) -> None:
    """Give a user a new password, end their sessions, and let them log in again where failures have closed that.

    The password is asked for, or read from the standard input.
    """
    from app.people import login, users

    async def work(connection: "AsyncConnection", _: Settings) -> None:
        user_id, address = await _user(connection, email)
        await users.set_password(connection, user_id, await users.hash_of(password, address))
        await login.reopen(connection, address)
        await _note(connection, "user.password_changed", f"user {user_id}", address)

    password = _asked()
    _transact(work)
    typer.echo(f"{email} has a new password, and is logged out everywhere.")


@admin.command()
def set_role(email: Email, role: Annotated[Role, typer.Argument(help="What they may do from now on.")]) -> None:
    """Change what a user may do. One owner is always left."""
    from app.people import users

    async def work(connection: "AsyncConnection", _: Settings) -> None:
        user_id, address = await _user(connection, email)
        before = await users.set_role(connection, user_id, role)
        await _note(connection, "user.role_changed", f"user {user_id}", f"{address}, {before} -> {role}")

    _transact(work)
    typer.echo(f"{email} is {role} now.")


@admin.command()
def remove_user(email: Email) -> None:
    """Remove a user, with their sessions and API tokens. One owner is always left."""
    from app.people import users

    async def work(connection: "AsyncConnection", _: Settings) -> None:
        user_id, address = await _user(connection, email)
        await users.remove(connection, user_id)
        await _note(connection, "user.removed", f"user {user_id}", address)

    _transact(work)
    typer.echo(f"{email} is removed.")


@admin.command()
def add_token(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    days: Annotated[int, typer.Option(min=0, max=3650, help="Expires after so many days; 0: never.")] = 0,
) -> None:
    """Make an API token that belongs to nobody, and print it, this once."""
    from app.people import tokens

    async def work(connection: "AsyncConnection", _: Settings) -> str:
        expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
        id_, token = await tokens.make(connection, SHELL, name=name, role=role, expires_at=expires_at)
        await _note(connection, "token.made", f"token {id_}", f"“{name}”, {role}")
        return token

    typer.echo(_transact(work))


@admin.command()
def revoke_token(token_id: Annotated[int, typer.Argument(help="Its id, see GET /api/v1/tokens.", min=1)]) -> None:
    """Make an API token useless, at once."""
    from app.people import tokens
    from app.people.users import NotAllowed

    async def work(connection: "AsyncConnection", _: Settings) -> str:
        name = await tokens.revoke(connection, token_id)
        if name is None:
            raise NotAllowed(f"There is no token {token_id}, or it is revoked already.")
        await _note(connection, "token.revoked", f"token {token_id}", f"“{name}”")
        return name

    typer.echo(f"Token {token_id} “{_transact(work)}” is revoked.")


async def offer_setup(url: str, settings: Settings) -> None:
    """At the start, while there is no user: print the way to become the first one."""
    link = await _at(url, settings, _new_link)
    if link:
        typer.echo(f"There is no user yet. Whoever opens this link within 24 hours becomes the owner:\n  {link}")


def _transact(work: Callable[["AsyncConnection", Settings], Awaitable[T]]) -> T:
    """All or nothing; what is not allowed ends with its sentence."""
    from app.people.users import NotAllowed

    def run() -> T:
        settings, url, _ = prepared(log_level="warning")
        try:
            return asyncio.run(_at(url, settings, work))
        except NotAllowed as refusal:
            stop_with(str(refusal))

    return guarded(run)


async def _at(url: str, settings: Settings, work: Callable[["AsyncConnection", Settings], Awaitable[T]]) -> T:
    from app.db import Database

    database = Database.at(url)
    try:
        async with database.engine.begin() as connection:
            return await work(connection, settings)
    finally:
        await database.dispose()


async def _new_link(connection: "AsyncConnection", settings: Settings) -> str | None:
    from app.people import setup

    link = await setup.renew(connection, settings.public_url)
    if link:
        await _note(connection, "setup.link_made", "", "")
    return link


async def _user(connection: "AsyncConnection", email: str) -> tuple[int, str]:
    from sqlmodel import col

    from app.models import User
    from app.people import users

    found = await users.find(connection, col(User.email) == users.address_of(email))
    if found is None:
        raise users.NotAllowed(f"There is no user {email}.")
    return found.id, found.email


async def _note(connection: "AsyncConnection", action: str, thing: str, detail: str) -> None:
    from app.people import audit

    await audit.record(connection, SHELL, _ADDRESS, action, thing=thing, detail=detail)


def _asked() -> str:
    """Without echo where a person types; else the first line of the standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
