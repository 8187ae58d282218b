"""Copying the settings of one bridge to those that were chosen in the overview: shown first, then done."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request
from nicegui import ui

from app.api.copying import GENERAL, PARTS, CopyIn, CopyNow, CopyOut, CopyTarget, copy_settings, preview_copy
from app.api.fields import Id
from app.dashboard.filters import choice, filters
from app.dashboard.frame import Visit, bridge_names, frame, nothing, page, pages, query
from app.dashboard.parts import button, cell, count_of, link, table, tag, text
from app.errors import CrossledgerError
from app.people.roles import Principal, Role

router = pages()

_LABELS = {GENERAL: "general: whose value wins, where the id is kept, sweeps"}
_SHOWN = 12
"""Changes of one bridge that are shown; the others are counted."""


@page(router, "/copy", "Copy settings", Role.OPERATOR)
async def copy(
    request: Request,
    to: Annotated[str, Query(max_length=10_000, pattern=r"^\d{1,18}(,\d{1,18})*$")] = "0",
    source: Id | None = None,
    part: Annotated[list[str] | None, Query()] = None,
) -> None:
    lead = "Whether a bridge works, its name and its accounts stay as they are. Nothing is changed before you say so."
    with frame(request, "Copy settings", lead=lead) as visit:
        names = await bridge_names(visit)
        chosen = [id_ for id_ in to.split(",") if id_ in names]
        if not chosen or len(names) < 2:
            nothing("Choose the bridges that get the settings first.", ("Overview", "/"))
            return
        parts = [each for each in part or PARTS if each in PARTS]
        text("p", f"To {len(chosen):,}: {', '.join(names[id_] for id_ in chosen)}.")
        with filters(query("/copy", {"to": ",".join(chosen)}), {"source": source}, "Show what would change"):
            tag("input", type="hidden", name="to", value=",".join(chosen))
            choice("source", "From", names)
            _parts(parts)
        if source is not None:
            await _preview(visit, source, CopyIn(to=[int(id_) for id_ in chosen], parts=parts))


def _parts(chosen: Sequence[str]) -> None:
    with tag("fieldset", "picks"):
        text("legend", "What of it")
        for name in PARTS:
            with tag("label", "check"):
                box = tag("input", type="checkbox", name="part", value=name)
                if name in chosen:
                    box.props["checked"] = True
                text("span", _LABELS.get(name, name.replace("_", " ")))


async def _preview(visit: Visit, source: int, wanted: CopyIn) -> None:
    try:
        found = await preview_copy(visit.desk, source, wanted)
    except HTTPException as refusal:
        nothing(str(refusal.detail))
        return
    except CrossledgerError as refusal:
        nothing(str(refusal))
        return
    with table("What would change", ("Bridge", "What would change", "To know")):
        for target in found.targets:
            with tag("tr"):
                _row(target)
    count = sum(each.gets_it for each in found.targets)
    if not count:
        text("p", "There is nothing to copy.", "empty")
        return

    async def do() -> None:
        await _copy(visit, source, wanted, found)

    with tag("p", "acts"):
        button(f"Copy to {count_of(count, 'bridge')}", do)


async def _copy(visit: Visit, source: int, wanted: CopyIn, seen: CopyOut) -> None:
    async def work(who: Principal) -> str:
        done = await copy_settings(visit.desk, who, source, CopyNow(to=wanted.to, parts=wanted.parts, seen=seen.seen))
        return f"Copied to {sum(each.gets_it for each in done.targets):,}."

    things = f"bridges {', '.join(str(each) for each in wanted.to)} from bridge {source}: {', '.join(wanted.parts)}"
    if await visit.act(Role.OPERATOR, "copy settings", work, things):
        ui.navigate.to("/")


def _row(target: CopyTarget) -> None:
    with tag("th", scope="row"):
        link(target.name, f"/bridges/{target.id}")
    with cell("What would change"):
        for each in target.changes[:_SHOWN]:
            with tag("div", "change"):
                text("span", each.setting.replace("_", " "), "name")
                text("del", _said(each.before))
                text("span", "→")
                text("ins", _said(each.after))
        if more := len(target.changes) - _SHOWN:
            text("div", f"and {more:,} more" if more > 0 else "", "faint")
        if not target.changes:
            text("span", "it stays as it is" if target.refused else "nothing: it has these settings", "faint")
    with cell("To know"):
        if target.refused:
            text("div", f"Not copied: {target.refused}", "wrong-words")
        for lack in target.missing:
            text("div", lack, "faint")


def _said(value: Any) -> str:
    """A setting, short."""
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return words if len(words) <= 80 else f"{words[:79]}…"
