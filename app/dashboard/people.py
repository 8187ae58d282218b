"""Who may do what here, their API tokens, and what everybody did. For owners."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import Request
from nicegui import ui
from nicegui.element import Element
from starlette.datastructures import FormData

from app.api.audit import list_audit
from app.api.fields import Word
from app.api.reading import slice_of
from app.api.requests import TokenIn, UserChange, UserIn
from app.api.schemas import AuditOut, TokenOut, UserOut
from app.api.tokens import list_tokens, make_token, revoke_token
from app.api.users import add_user, change_user, list_users, remove_user
from app.dashboard.filters import filters, words
from app.dashboard.forms import asking, field, picked
from app.dashboard.frame import Visit, frame, nothing, page, pages, query
from app.dashboard.parts import cell, link, once, table, tag, text, when
from app.people.passwords import SHORTEST
from app.people.roles import Principal, Role

router = pages()

Refresh = Callable[[], Awaitable[None]]
_ROLES = {
    Role.VIEWER.value: "viewer: looks",
    Role.OPERATOR.value: "operator: connects, decides, repairs",
    Role.OWNER.value: "owner: everything, people too",
}
_MANY = 200


@page(router, "/people", "People", Role.OWNER)
async def people(
    request: Request, actor: Word | None = None, action: Word | None = None, cursor: str | None = None
) -> None:
    with frame(request, "People", lead="Who may do what here, and what everybody did.") as visit:
        text("h2", "Users")
        await _users(visit)
        text("h2", "API tokens")
        await _tokens(visit)
        text("h2", "Audit log")
        given = {"actor": actor, "action": action}
        with filters("/people", given):
            words("actor", "Who")
            words("action", "What")
        found = await list_audit(visit.desk, slice_of(50, cursor), actor=actor, action=action)
        _audit(found.items)
        with tag("p", "pager"):
            if cursor:
                link("Newest", query("/people", given))
            if found.next_cursor:
                link("Older", query("/people", {**given, "cursor": found.next_cursor}))


async def _users(visit: Visit) -> None:
    @ui.refreshable
    async def rows() -> None:
        with table("Users", ("E-mail address", "Role", "Since (UTC)", "")):
            for user in (await list_users(visit.desk, slice_of(_MANY))).items:
                with tag("tr"):
                    text("th", user.email, scope="row")
                    with cell("Role"):
                        text("span", user.role)
                    with cell("Since"):
                        when(user.created_at)
                    with cell("", "acts"):
                        _change(visit, user, rows.refresh)
                        _remove(visit, user, rows.refresh)

    await rows()

    async def add(given: FormData) -> None:
        async def work(_: Principal) -> str:
            await add_user(visit.request, visit.desk, UserIn.model_validate(dict(given)))
            return f"{given['email']} can log in now."

        if await visit.act(Role.OWNER, "add a user", work):
            await rows.refresh()

    with tag("p"), asking("Add a user", "Add a user", add, "Add"):
        text("p", "Tell them the password in a way that others do not see. They can change it on the page Account.")
        field("email", "E-mail address", "email", required="")
        picked("role", "Role", _ROLES)
        field(
            "password", f"Password, at least {SHORTEST} characters", "password",
            required="", minlength=str(SHORTEST), autocomplete="new-password",
        )  # fmt: skip


def _change(visit: Visit, user: UserOut, refresh: Refresh) -> None:
    async def send(given: FormData) -> None:
        async def work(who: Principal) -> str:
            change = UserChange.model_validate({name: value for name, value in given.items() if value})
            await change_user(visit.request, visit.desk, who, user.id, change)
            return f"{user.email} is changed."

        if await visit.act(Role.OWNER, "change a user", work, f"user {user.id}"):
            await refresh()

    with asking("Change", f"Change {user.email}", send, "Change it"):
        picked("role", "Role", _ROLES, user.role)
        field(
            "password", "New password", "password", "Empty: it stays. A new one ends their sessions.",
            minlength=str(SHORTEST), autocomplete="new-password",
        )  # fmt: skip


def _remove(visit: Visit, user: UserOut, refresh: Refresh) -> None:
    async def work(_: Principal) -> str:
        await remove_user(visit.request, visit.desk, user.id)
        return f"{user.email} is removed."

    with asking(
        "Remove", f"Remove {user.email}?", partial(_sent, visit, "remove a user", work, f"user {user.id}", refresh),
        "Remove them", danger=True,
    ):  # fmt: skip
        text("p", "Their sessions and API tokens end at once. What they did stays in the audit log.")


async def _tokens(visit: Visit) -> None:
    @ui.refreshable
    async def rows() -> None:
        found = (await list_tokens(visit.desk, slice_of(_MANY))).items
        if not found:
            nothing("There are none. A script needs one: “Authorization: Bearer …”")
            return
        users = {user.id: user.email for user in (await list_users(visit.desk, slice_of(_MANY))).items}
        with table("API tokens, newest first", ("Name", "Role", "Of", "Expires (UTC)", "Last used (UTC)", "")):
            for token in found:
                with tag("tr"):
                    _token(visit, token, users.get(token.user_id or 0, "nobody"), rows.refresh)

    await rows()
    made = tag("div")

    async def make(given: FormData) -> None:
        await _make(visit, given, made)
        await rows.refresh()

    with tag("p"), asking("Make a token", "Make an API token", make, "Make it"):
        text("p", "It belongs to you, and goes when you do.")
        field("name", "Name", required="", maxlength="200")
        picked("role", "Role", _ROLES)
        field("expires_in_days", "Expires after days", "number", "Empty: never.", min="1", max="3650")


async def _make(visit: Visit, given: FormData, made: Element) -> None:
    async def work(who: Principal) -> str:
        wanted = TokenIn(
            name=str(given["name"]),
            role=Role(str(given["role"])),
            expires_in_days=int(str(given["expires_in_days"])) if given["expires_in_days"] else None,
        )
        new = await make_token(visit.request, visit.desk, who, wanted)
        once(made, f"The new token “{new.name}”", new.token)
        return "The token is made."

    await visit.act(Role.OWNER, "make an API token", work)


def _token(visit: Visit, token: TokenOut, whose: str, refresh: Refresh) -> None:
    text("th", token.name, scope="row")
    with cell("Role"):
        text("span", token.role)
    with cell("Of"):
        text("span", whose)
    with cell("Expires"):
        when(token.expires_at)
    with cell("Last used"):
        when(token.last_used_at)
    with cell("", "acts"):
        if token.revoked_at:
            text("span", "revoked", "faint")
            return

        async def work(_: Principal) -> str:
            await revoke_token(visit.request, visit.desk, token.id)
            return f"“{token.name}” is revoked."

        revoke = partial(_sent, visit, "revoke an API token", work, f"token {token.id}", refresh)
        with asking("Revoke", f"Revoke “{token.name}”?", revoke, "Revoke it", danger=True):
            text("p", "What uses it is turned away at once.")


async def _sent(
    visit: Visit,
    action: str,
    work: Callable[[Principal], Awaitable[str]],
    thing: str,
    refresh: Refresh,
    _: FormData,
) -> None:
    """A dialog that asks for nothing but yes."""
    if await visit.act(Role.OWNER, action, work, thing):
        await refresh()


def _audit(rows: list[AuditOut]) -> None:
    if not rows:
        nothing("Nothing like this was done.")
        return
    with table("Audit log, newest first", ("When (UTC)", "Who", "What", "To what", "Outcome")):
        for row in rows:
            with tag("tr"):
                with cell("When"):
                    when(row.at)
                with cell("Who"):
                    text("span", row.actor)
                    text("div", row.address, "faint")
                with cell("What"):
                    text("span", row.action)
                with cell("To what"):
                    text("span", row.thing or "–")
                    if row.detail:
                        text("div", row.detail, "faint")
                with cell("Outcome"):
                    text("span", row.outcome or "not known", f"state {row.outcome}" if row.outcome else "faint")
