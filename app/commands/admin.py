"""`crossledger admin`: users and API tokens from the shell of the machine, also when nobody can log in."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import asked, stop_with
from app.commands.shell import note, transacted, with_database
from app.people.roles import SHELL, Role
from app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

admin = typer.Typer(name="admin", help="Users, API tokens, and the set-up link.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="The user's e-mail address.")]


@admin.command()
def setup_link() -> None:
    """Print a new link for the first owner; the one before stops working."""
    link = with_database(_new_link)
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

    for id_, role, email in with_database(work):
        typer.echo(f"{id_:>4}  {role:<8}  {email}")


@admin.command()
def add_user(email: Email, role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER) -> None:
    """Add a user. The password is asked for, or read from the standard input."""
    from app.people import users

    async def work(connection: "AsyncConnection", _: Settings) -> int:
        address = users.address_of(email)
        id_ = await users.add(connection, address, await users.hash_of(password, address), role)
        await note(connection, "user.added", f"user {id_}", f"{address}, {role}")
        return id_

    password = asked("Password", twice=True)
    typer.echo(f"{email} is user {with_database(work)}, {role}.")


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
        await note(connection, "user.password_changed", f"user {user_id}", address)

    password = asked("Password", twice=True)
    with_database(work)
    typer.echo(f"{email} has a new password, and is logged out everywhere.")


@admin.command()
def set_role(email: Email, role: Annotated[Role, typer.Argument(help="What they may do from now on.")]) -> None:
    """Change what a user may do. One owner is always left."""
    from app.people import users

    async def work(connection: "AsyncConnection", _: Settings) -> None:
        user_id, address = await _user(connection, email)
        before = await users.set_role(connection, user_id, role)
        await note(connection, "user.role_changed", f"user {user_id}", f"{address}, {before} -> {role}")

    with_database(work)
    typer.echo(f"{email} is {role} now.")


@admin.command()
def remove_user(email: Email) -> None:
    """Remove a user, with their sessions and API tokens. One owner is always left."""
    from app.people import users

    async def work(connection: "AsyncConnection", _: Settings) -> None:
        user_id, address = await _user(connection, email)
        await users.remove(connection, user_id)
        await note(connection, "user.removed", f"user {user_id}", address)

    with_database(work)
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
        await note(connection, "token.made", f"token {id_}", f"“{name}”, {role}")
        return token

    typer.echo(with_database(work))


@admin.command()
def revoke_token(token_id: Annotated[int, typer.Argument(help="Its id, see GET /api/v1/tokens.", min=1)]) -> None:
    """Make an API token useless, at once."""
    from app.people import tokens
    from app.people.users import NotAllowed

    async def work(connection: "AsyncConnection", _: Settings) -> str:
        name = await tokens.revoke(connection, token_id)
        if name is None:
            raise NotAllowed(f"There is no token {token_id}, or it is revoked already.")
        await note(connection, "token.revoked", f"token {token_id}", f"“{name}”")
        return name

    typer.echo(f"Token {token_id} “{with_database(work)}” is revoked.")


async def offer_setup(url: str, settings: Settings) -> None:
    """At the start, while there is no user: print the way to become the first one."""
    link = await transacted(url, settings, _new_link)
    if link:
        typer.echo(f"There is no user yet. Whoever opens this link within 24 hours becomes the owner:\n  {link}")


async def _new_link(connection: "AsyncConnection", settings: Settings) -> str | None:
    from app.people import setup

    link = await setup.renew(connection, settings.public_url)
    if link:
        await note(connection, "setup.link_made")
    return link


async def _user(connection: "AsyncConnection", email: str) -> tuple[int, str]:
    from sqlmodel import col

    from app.models import User
    from app.people import users

    found = await users.find(connection, col(User.email) == users.address_of(email))
    if found is None:
        raise users.NotAllowed(f"There is no user {email}.")
    return found.id, found.email
