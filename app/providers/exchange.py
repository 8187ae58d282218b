"""What was said to a vendor and what it answered, as people may read it who look for the cause of a failure.

No header is in it: that is where credentials are. Every secret that this process knows is left out of the rest, and so
is whatever is called like one. It is cut only after that, so that no half of a secret is left at the end.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from app.redaction import HIDDEN, redacted
from app.sync.values import storable

LONGEST = 6_000
"""Characters of each body that are kept."""
_SECRET = re.compile(r"pass(word|wd)|secret|token|authorization|credential|api_?key|private_?key|contact_key", re.I)
# The same in what is no JSON: forms, addresses, and sentences of a vendor's.
_NAMED = re.compile(
    r"((?:pass(?:word|wd)|secret|token|authorization|credential|api_?key)[\"']?\s*[:=]\s*(?:bearer\s+|basic\s+)?[\"']?)"
    r"[^\"'&\s,;}<]+",
    re.I,
)
# The portal of a customer opens with such a link.
_PORTAL = re.compile(r"(key_login/|/client/\w+/)[0-9A-Za-z]{16,}")


@dataclass(frozen=True, slots=True)
class Exchange:
    """`status` is None where no answer came. Bodies are text: JSON is written anew, what is no text is only named."""

    method: str
    url: str
    request: str
    status: int | None
    answer: str

    def dump(self) -> dict[str, Any]:
        return asdict(self)


def exchange_of(request: httpx.Request, answer: httpx.Response | None) -> Exchange:
    return Exchange(
        method=request.method,
        url=_text(str(request.url)),
        request=_body(_sent(request), request.headers.get("content-type", "")),
        status=answer.status_code if answer is not None else None,
        answer=_body(answer.content, answer.headers.get("content-type", "")) if answer is not None else "",
    )


def _sent(request: httpx.Request) -> bytes:
    try:
        return request.content
    except httpx.RequestNotRead:  # a file that was streamed
        return b""


def _body(raw: bytes, kind: str) -> str:
    if kind.startswith("multipart/"):
        return "(a form with files)"
    try:
        return _text(json.dumps(_without_secrets(json.loads(raw)), ensure_ascii=False, indent=1))
    except RecursionError:
        return f"(nested too deeply: {len(raw):,} bytes)"
    except ValueError:
        pass  # no JSON
    try:
        return _text(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return f"(no text: {len(raw):,} bytes)"


def _without_secrets(body: Any) -> Any:
    if isinstance(body, dict):
        return {
            name: HIDDEN if _SECRET.search(name) and value else _without_secrets(value) for name, value in body.items()
        }
    if isinstance(body, list):
        return [_without_secrets(each) for each in body]
    return body


def _text(said: str) -> str:
    clean = storable(_NAMED.sub(rf"\1{HIDDEN}", _PORTAL.sub(rf"\1{HIDDEN}", redacted(said))))
    if len(clean) <= LONGEST:
        return clean
    return f"{clean[:LONGEST]}\n... ({len(clean) - LONGEST:,} characters more)"
