"""Tables for what is no plain field: tags of contacts, statuses of appointments, tasks and opportunities."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from app.dashboard.mapping.draft import Draft
from app.dashboard.mapping.parts import Told, area, bare, chosen, proposed, typed
from app.dashboard.mapping.steps import Look
from app.dashboard.parts import tag, text
from app.mapping.wording import STANDINGS, WAYS
from app.sync.objects import AppointmentSettings, ContactSettings, OpportunitySettings, TaskSettings
from app.sync.objects.appointment import AppointmentStatus
from app.sync.objects.tags import Into
from app.sync.records import Side

_INTO = {
    Into.OFF: "nowhere",
    **{each: f"Client custom value {each.value[-1]}" for each in Into if each.value.startswith("custom_value")},
    Into.GROUP: "the client group, by a table",
}
_STATUSES = {"": "as it is", "open": "open", "won": "won", "lost": "lost", "abandoned": "abandoned"}


def values(draft: Draft, looked: Look) -> None:
    """Nothing for an object that has none. `looked`: after every change."""
    drawn = _OF.get(draft.board.object)
    if drawn is None:
        return
    title, lead, draw = drawn
    with tag("section", "card"):
        text("h2", title)
        text("p", lead, "faint")
        with tag("div", "set"):
            draw(draft, looked)


def _tags(draft: Draft, looked: Look) -> None:
    on = cast(ContactSettings, draft.board.settings).tags.model_dump(mode="json")

    def put(name: str, read: Callable[[str], Any]) -> Told:
        async def given(value: str) -> None:
            tags = {**on, **draft.other.get("tags", {})}
            tags[name] = read(value)
            draft.other["tags"] = tags
            await looked()

        return given

    chosen("Tags go to", {each.value: words for each, words in _INTO.items()}, on["into"], put("into", str))
    chosen("Which way", WAYS, on["direction"], put("direction", str))
    typed(
        "Only these tags", ", ".join(on["only"]), put("only", _list), "With commas; empty: all. Others are left alone"
    )
    lines = "\n".join(f"{row['tag']} = {row['group']}" for row in on["groups"])
    area("Client groups", lines, put("groups", _groups), "For the client group: a line “tag = group” for each")


def _list(value: str) -> list[str]:
    return [each.strip() for each in value.split(",") if each.strip()]


def _groups(value: str) -> list[dict[str, str]]:
    parted = [line.partition("=") for line in value.splitlines() if line.strip()]
    return [{"tag": tag_.strip(), "group": group.strip()} for tag_, _, group in parted]


def _appointments(draft: Draft, looked: Look) -> None:
    on = cast(AppointmentSettings, draft.board.settings).statuses
    statuses = {status.value: words for status, words in on.items()}

    def put(status: str) -> Told:
        async def given(value: str) -> None:
            changed = {**statuses, **draft.other.get("statuses", {}), status: value.strip()}
            draft.other["statuses"] = {each: words for each, words in changed.items() if words}
            await looked()

        return given

    rows = {each.value: statuses.get(each.value, "") for each in AppointmentStatus}
    options = proposed(draft.spec(Side.BILLING, "status"))
    _grid("Appointment in HighLevel", "Task status in Invoice Ninja", rows, put, options)


def _tasks(draft: Draft, looked: Look) -> None:
    on = cast(TaskSettings, draft.board.settings)

    async def done(value: str) -> None:
        draft.other["done"] = _list(value)
        await looked()

    async def opened(value: str) -> None:
        draft.other["open"] = value.strip()
        await looked()

    told = "With commas; a task completed in HighLevel gets the first of them"
    typed("Statuses in Invoice Ninja that mean completed", ", ".join(on.done), done, told)
    options = proposed(draft.spec(Side.BILLING, "status"))
    typed("Status of a task that is opened again", on.open, opened, "Empty: the first that is not done", **options)


def _opportunities(draft: Draft, looked: Look) -> None:
    on = cast(OpportunitySettings, draft.board.settings)
    outcomes = {each.when.value: each.model_dump(mode="json") for each in on.outcomes}

    def put(when: str, name: str) -> Told:
        async def given(value: str) -> None:
            row = {"when": when, "status": "", "stage": "", **outcomes.get(when, {}), name: value.strip()}
            outcomes[when] = row
            draft.other["outcomes"] = [each for each in outcomes.values() if each["status"] or each["stage"]]
            await looked()

        return given

    with tag("table", "values"):
        text("caption", "What an opportunity becomes", "unseen")
        with tag("thead"), tag("tr"):
            for head in ("When", "Its status", "Its stage"):
                text("th", head, scope="col")
        with tag("tbody"):
            for when, words in STANDINGS.items():
                row = outcomes.get(when, {})
                with tag("tr"):
                    text("th", words, scope="row")
                    with tag("td"):
                        given = put(when, "status")
                        chosen(f"Status when {words}", _STATUSES, row.get("status", ""), given, seen=False)
                    with tag("td"):
                        bare(f"Stage when {words}", row.get("stage", ""), put(when, "stage"))


def _grid(
    left: str, right: str, rows: Mapping[str, str], put: Callable[[str], Told], attributes: Mapping[str, str]
) -> None:
    with tag("table", "values"):
        text("caption", f"{left}, {right}", "unseen")
        with tag("thead"), tag("tr"):
            text("th", left, scope="col")
            text("th", right, scope="col")
        with tag("tbody"):
            for name, value in rows.items():
                with tag("tr"):
                    text("th", name, scope="row")
                    with tag("td"):
                        bare(f"{right} for {name}", value, put(name), **attributes)


_OF: Mapping[str, tuple[str, str, Callable[[Draft, Look], None]]] = {
    "contact": ("Tags", "Each tag is added and removed by itself; no list is ever replaced.", _tags),
    "appointment": ("Statuses", "Where nothing is entered the task is open.", _appointments),
    "task": ("Statuses", "What is completed in HighLevel, and by which status in Invoice Ninja.", _tasks),
    "opportunity": ("Statuses", "What becomes of the opportunity when its paper has come so far.", _opportunities),
}
