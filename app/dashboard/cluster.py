"""Records that may be one thing, side by side, and what a person can decide of them."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from fastapi import HTTPException, Request
from nicegui import ui
from starlette.datastructures import FormData

from app.api.duplicates import ClusterDetail, MemberDetail, MemberOut, MergeIn, dismiss, merge, reopen, show_duplicates
from app.api.fields import Id
from app.dashboard.forms import asking, checks, field, picked
from app.dashboard.frame import Visit, frame, nothing, page, pages, said
from app.dashboard.parts import SYSTEMS, at, button, cell, link, tag, text, when, wide
from app.errors import CrossledgerError
from app.models.duplicate import ClusterState
from app.people.roles import Principal, Role
from app.sync.records import Side

router = pages()

Refresh = Callable[[str], Awaitable[None]]
"""Shows the page anew, with why the last decision was refused, if it was."""
_ROWS: tuple[tuple[str, Callable[[MemberDetail], str]], ...] = (
    ("Name", lambda each: each.name),
    ("Company", lambda each: each.company),
    ("E-mail", lambda each: each.email),
    ("Phone", lambda each: each.phone),
    ("City", lambda each: each.city),
    ("Fields filled in", lambda each: f"{each.filled:,}"),
    ("Invoices", lambda each: "–" if each.invoices is None else f"{each.invoices:,}"),
    ("Balance", lambda each: f"{each.money.balance} {each.money.currency}" if each.money else ""),
    ("Paid to date", lambda each: f"{each.money.paid_to_date} {each.money.currency}" if each.money else ""),
)


@page(router, "/duplicates/{cluster_id}", "Duplicates")
async def cluster(request: Request, cluster_id: Id) -> None:
    with frame(request, "Are these one?") as visit:

        @ui.refreshable
        async def shown(refusal: str) -> None:
            try:
                found = await show_duplicates(visit.desk, cluster_id)
            except (HTTPException, CrossledgerError) as gone:
                nothing(said(gone), ("All duplicates", "/duplicates"))
                return
            if refusal:
                text("p", refusal, "note wrong", role="alert")
            _about(found)
            _members(found)
            if visit.may(Role.OPERATOR):
                with tag("div", "acts"):
                    _actions(visit, found, shown.refresh)
            with tag("p"):
                link("All duplicates", "/duplicates")

        await shown("")


def _about(found: ClusterDetail) -> None:
    with tag("p"):
        text("span", found.state, f"state {found.state}")
        if found.actor:
            text("span", f", by {found.actor} ")
            at(found.decided_at)
    text("p", f"{len(found.members):,} records in {SYSTEMS[found.side]} share:")
    with tag("ul"):
        for key in found.keys:
            text("li", key.words)
    if found.proposal:
        kept = next(each for each in found.members if each.id == found.proposal.survivor)
        text("p", f"“{named(kept)}” should survive: {found.proposal.reason}.")
    if found.unfinished:
        text("p", "It is not known yet whether the last merge was done: the next one finds out.", "note wrong")
    for sentence in (*found.warnings, found.uncounted):
        if sentence:
            text("p", sentence, "wrong-words")


def _members(found: ClusterDetail) -> None:
    members = found.members
    with wide("The records side by side"), tag("table", "stacked sides"):
        text("caption", "The records side by side", "unseen")
        with tag("thead"), tag("tr"):
            text("th", "", scope="col")
            for each in members:
                proposed = " (proposed)" if found.proposal and found.proposal.survivor == each.id else ""
                text("th", f"{each.id}{proposed}", scope="col")
        with tag("tbody"):
            for head, of in _ROWS:
                _row(head, members, of)
            for head, moment in (("Created (UTC)", "created_at"), ("Changed (UTC)", "updated_at")):
                with tag("tr"):
                    text("th", head, scope="row")
                    for each in members:
                        with cell(each.id):
                            when(getattr(each, moment))
            with tag("tr"):
                text("th", "Linked with", scope="row")
                for each in members:
                    with cell(each.id):
                        for partner in each.partners:
                            with tag("div"):
                                link(f"{partner.object} {partner.id}", f"/records/{partner.link_id}")
                        if not each.partners:
                            text("span", "nothing", "faint")


def _row(head: str, members: Sequence[MemberDetail], of: Callable[[MemberDetail], str]) -> None:
    """What all have alike is faint: the differences decide."""
    values = [of(each) for each in members]
    if not any(values):
        return
    with tag("tr"):
        text("th", head, scope="row")
        for each, value in zip(members, values, strict=True):
            with cell(each.id):
                text("span", value or "empty", "faint" if not value or len(set(values)) == 1 else "")


def _actions(visit: Visit, found: ClusterDetail, refresh: Refresh) -> None:
    thing = f"duplicates {found.id}"

    async def decide(act: Callable[..., Awaitable[ClusterDetail]], action: str, sentence: str) -> None:
        async def work(who: Principal) -> str:
            await act(visit.desk, who, found.id)
            return sentence

        await visit.act(Role.OPERATOR, action, work, thing)
        await refresh("")

    if found.state == ClusterState.DISMISSED:
        sentence = "They may be duplicates after all."
        button("They may be one after all", partial(decide, reopen, "reopen duplicates", sentence), "quiet")
    if found.state != ClusterState.OPEN:
        return
    if found.merges:
        _merging(visit, found, refresh)
    else:
        text("p", f"They cannot be merged from here. {found.how}")
    sentence = "No search asks for these again."
    button("These are not duplicates", partial(decide, dismiss, "dismiss duplicates", sentence), "quiet")


def _merging(visit: Visit, found: ClusterDetail, refresh: Refresh) -> None:
    async def send(given: FormData) -> None:
        refusals: list[str] = []

        async def work(who: Principal) -> str:
            try:
                await merge(visit.desk, who, visit.request, found.id, _wanted(found, given))
            except (HTTPException, CrossledgerError) as refusal:
                refusals.append(said(refusal))
                raise
            return "They are merged."

        await visit.act(Role.OPERATOR, "merge duplicates", work, f"duplicates {found.id}")
        await refresh(refusals[0] if refusals else "")

    labels = {each.id: f"{named(each)} ({each.id})" for each in found.members}
    with asking("Merge", f"Merge them in {SYSTEMS[found.side]}", send, "Merge for good", danger=True):
        text("p", "What is merged becomes a part of the one that survives, and is gone. There is no way back.")
        for sentence in found.warnings:
            text("p", sentence, "wrong-words")
        picked("survivor", "Which survives", labels, found.proposal.survivor if found.proposal else "")
        checks("others", "Merged into it", labels, checked=labels)
        if found.side is Side.BILLING:
            field(
                "password", "Password of Invoice Ninja", "password", "Of the API token's user. It is kept nowhere.",
                autocomplete="new-password",
            )  # fmt: skip


def _wanted(found: ClusterDetail, given: FormData) -> MergeIn:
    survivor = str(given["survivor"])
    return MergeIn.model_validate(
        {
            "survivor": survivor,
            "others": [each for each in given.getlist("others") if each != survivor],
            "version": found.version,
            "password": str(given.get("password", "")),
        }
    )


def named(member: MemberOut) -> str:
    return ", ".join(filter(None, (member.company, member.name))) or member.email or member.id
