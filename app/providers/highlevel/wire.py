"""HighLevel's own words: headers, ids and refusals, spelled as HighLevel spells them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import CrossledgerError, Duplicate, Forbidden, Gone, Reconnect, Rejected
from app.providers.http import retry_after

LABEL = "HighLevel"
VERSION = "2021-07-28"
CALENDARS_VERSION = "2021-04-15"
BASE_URL = "https://services.leadconnectorhq.com"

ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What may stand for a record's id in a path of ours. Theirs are 20 to 24 letters and digits."""


def task_id(contact_id: str, own: str) -> str:
    """A task's id for us, and a note's: its path needs the contact's as well.

    `contact_id` "": not known, to be looked for.
    """
    return f"{contact_id}/{own}"


def own_path(external_id: str, word: str) -> str:
    """The path of a contact's task or note: `word` is "tasks" or "notes". Raises Gone where it is no such id."""
    contact_id, _, own = external_id.partition("/")
    if not (ID.fullmatch(contact_id) and ID.fullmatch(own)):
        raise Gone(f"“{external_id[:80]}” is not the id of one of HighLevel's {word}")
    return f"/contacts/{contact_id}/{word}/{own}"


DAY_IS_SPENT = 3600.0
INTERVAL = 10.0
BREATH = 0.05

_COMPLAINT = re.compile(r"(?:property )?(\w+) (?:must|should) ")
_NO_SUCH_RECORD = re.compile(
    r"\b(?:contact|task|note|event|appointment|opportunity|product|price|business|invoice|transaction)"
    r"(?: with id:? \S+)? (?:was |is |does )?not (?:found|exist)",
    re.IGNORECASE,
)
_SCOPE = re.compile(r"not authorized for this scope|not allowed to access this scope", re.IGNORECASE)


@dataclass(slots=True)
class HighLevelDialect:
    """`token`: a private integration token; "" where the wire has an OAuth token."""

    token: str = field(repr=False)
    label: str = LABEL
    version: str = VERSION

    def headers(self) -> Mapping[str, str]:
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**bearer, "Version": self.version, "Accept": "application/json"}

    def pause(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Our own budget counts exactly; a pause is for what it cannot know.

        A burst that is spent although we kept our budget means that others spend from it too: a breath, and look
        again. HighLevel documents neither Retry-After nor when a day's calls return (contracts/ghl, section 3).
        """
        if headers.get("x-ratelimit-daily-remaining") == "0":
            return DAY_IS_SPENT
        if status == 429:
            return retry_after(headers) or _interval(headers)
        if headers.get("x-ratelimit-remaining") == "0":
            return _interval(headers) * BREATH
        return None

    def left_today(self, headers: Mapping[str, str]) -> int | None:
        left = headers.get("x-ratelimit-daily-remaining", "")
        return int(left) if left.isdecimal() and len(left) < 10 else None

    def refusal(self, status: int, body: Any) -> CrossledgerError:
        said = _messages(body)
        reason = f"{LABEL} answers {status}: {'; '.join(said)[:500] or 'no explanation'}"
        if status == 401 and not _SCOPE.search(reason):
            return Reconnect(reason)
        # A missing scope is a 401 as well, with other words (contracts/ghl, section 4).
        if status in (401, 403):
            return Forbidden(reason, status)
        if existing := _already_there(body):
            return Duplicate(reason, status, existing=existing)
        if _says_it_is_gone(status, body, "; ".join(said)):
            return Gone(reason)
        return Rejected(reason, status, _complaints(said))


def _interval(headers: Mapping[str, str]) -> float:
    milliseconds = headers.get("x-ratelimit-interval-milliseconds", "")
    return int(milliseconds) / 1000 if milliseconds.isdecimal() else INTERVAL


def _messages(body: Any) -> list[str]:
    """What an error body says. `message` is text or a list of texts; some services say `error` or `detail` only."""
    if not isinstance(body, dict):
        return []
    said: Any = next((body[key] for key in ("message", "detail", "error") if body.get(key)), [])
    return [str(each) for each in (said if isinstance(said, list) else [said])]


def _complaints(said: list[str]) -> dict[str, str]:
    """By field, where a complaint starts with one: "email must be an email", "property gender should not exist"."""
    return {found[1]: text for text in said if (found := _COMPLAINT.match(text))}


def _already_there(body: Any) -> str:
    """`meta.contactId` of a refused duplicate. Not documented; seen in several public integrations."""
    meta = body.get("meta") if isinstance(body, dict) else None
    found = meta.get("contactId") if isinstance(meta, dict) else None
    return found if isinstance(found, str) and ID.fullmatch(found) else ""


def _says_it_is_gone(status: int, body: Any, said: str) -> bool:
    """Only HighLevel's own words count: a 404 of a gateway or of a wrong base URL says nothing about a contact."""
    if status in (400, 404) and _NO_SUCH_RECORD.search(said):
        return True
    return status == 404 and said.casefold() == "not found" and body.get("statusCode") == 404
