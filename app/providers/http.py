"""The one way a call leaves: gate, send, read, name the failure. Vendors add their dialect, not their own client.

status            | becomes
a private address | Rejected (nothing was sent), see app.providers.addresses
no connection     | Retry (nothing was sent)
no answer         | Retry for reads, AnswerLost for writes
closed meanwhile  | a read is sent once more, then as no answer (idle connections end when a vendor likes)
429               | Retry with the vendor's Retry-After, and the gate is told
5xx               | Retry for reads, AnswerLost for writes (an error page does not say that nothing was done)
3xx, HTML         | Rejected: this is not the API (a wrong base URL, a login page)
other 4xx         | the vendor's `Dialect.refusal` names it
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx
import structlog

from app.errors import AnswerLost, CrossledgerError, Reconnect, Rejected, Retry
from app.providers.base import Gate, Keys
from app.providers.exchange import exchange_of
from app.redaction import redacted
from app.sync.values import storable

log = structlog.get_logger()

_CLOSED = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
UploadedFile = tuple[str, bytes, str]
"""Its name, content and media type."""
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89abAB]|[dD][c-fC-F])")
"""Escapes of NUL and of surrogates, the only ways in which JSON carries them."""


class Dialect(Protocol):
    """What differs between vendors on the wire."""

    label: str

    def headers(self) -> Mapping[str, str]:
        """Authentication and version headers."""

    def pause(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Seconds for which no more calls should be made, read off this answer; None: go on."""

    def left_today(self, headers: Mapping[str, str]) -> int | None:
        """Calls that the vendor says are left of its day; None: it does not say."""

    def refusal(self, status: int, body: Any) -> CrossledgerError:
        """Name a 4xx answer other than 429. `body` is parsed JSON, or None."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Calls to one account of one vendor. `keys`: an OAuth token, sent as Bearer; else the dialect has the token.

    `parse_float` reads every number that has a point: Decimal where it may be money.
    """

    client: httpx.AsyncClient
    base_url: str
    dialect: Dialect
    gate: Gate
    keys: Keys | None = None
    parse_float: Callable[[str], Any] = float

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return await self.call("GET", path, params=params, writes=False)

    async def read(self, path: str, body: Any) -> Any:
        """A POST that only reads (a search): it may be repeated freely."""
        return await self.call("POST", path, body=body, writes=False)

    async def write(self, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None) -> Any:
        return await self.call(method, path, params=params, body=body, writes=True)

    async def call(
        self, method: str, path: str, *, writes: bool, params: Mapping[str, str] | None = None, body: Any = None
    ) -> Any:
        """Send one request and return the JSON of a good answer."""
        answer = await self._answer(self._request(method, path, params=params, json=body), writes=writes)
        return self._read(answer, writes=writes)

    async def upload(self, path: str, form: Mapping[str, str], files: Sequence[tuple[str, UploadedFile]]) -> Any:
        """POST a form with files, as a browser does."""
        request = self._request("POST", path, data=form, files=files)
        return self._read(await self._answer(request, writes=True), writes=True)

    async def file(self, path: str, body: Any, kind: str) -> bytes:
        """A POST that only reads, and answers with a file of that media type."""
        answer = await self._answer(self._request("POST", path, json=body), writes=False)
        if answer.is_success and answer.headers.get("content-type", "").startswith(kind):
            return answer.content
        self._read(answer, writes=False)
        raise Rejected(f"{self.dialect.label} answers with something else than {kind}", status=answer.status_code)

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        # What httpx's own `build_request` puts together of the same takes twice as long, and it knows of cookies.
        headers = self.client.headers.copy()
        headers.update(self.dialect.headers())
        timeout = {"timeout": self.client.timeout.as_dict()}
        return httpx.Request(method, self.base_url.rstrip("/") + path, headers=headers, extensions=timeout, **content)

    async def _answer(self, request: httpx.Request, *, writes: bool) -> httpx.Response:
        """With a token that is renewed once, where it is one that can be."""
        if self.keys is None:
            return await self._ask(request, writes=writes)
        token = await self.keys.current()
        request.headers["Authorization"] = f"Bearer {token}"
        answer = await self._ask(request, writes=writes)
        if self._refuses_token(answer):
            request.headers["Authorization"] = f"Bearer {await self.keys.renewed(token)}"
            answer = await self._ask(request, writes=writes)  # a call that was refused did nothing
        return answer

    def _refuses_token(self, answer: httpx.Response) -> bool:
        """A missing scope may be a 401 as well; another token would not help."""
        refused = answer.status_code == httpx.codes.UNAUTHORIZED
        return refused and isinstance(self.dialect.refusal(answer.status_code, _json(answer)), Reconnect)

    async def _ask(self, request: httpx.Request, *, writes: bool) -> httpx.Response:
        """One call, within the budget."""
        answer = await self._send(request, writes=writes)
        pause = self.dialect.pause(answer.status_code, answer.headers)
        if pause is not None:
            await self.gate.close(pause)
        if (left := self.dialect.left_today(answer.headers)) is not None:
            self.gate.heard(left)
        log.debug(
            "vendor.call",
            vendor=self.dialect.label,
            method=request.method,
            path=request.url.path,
            status=answer.status_code,
        )
        return answer

    async def _send(self, request: httpx.Request, *, writes: bool, again: bool = True) -> httpx.Response:
        label = self.dialect.label
        await self.gate.pass_(writes=writes)
        try:
            return await self.client.send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Retry(f"{label} cannot be reached: {error or type(error).__name__}") from error
        except httpx.TransportError as error:
            if again and not writes and isinstance(error, _CLOSED):
                return await self._send(request, writes=writes, again=False)
            kind = AnswerLost if writes else Retry
            failure = kind(f"{label} did not answer: {redacted(str(error)) or type(error).__name__}")
            failure.exchange = exchange_of(request, None)
            raise failure from error

    def _read(self, answer: httpx.Response, *, writes: bool) -> Any:
        """The JSON of a good answer; what any other one means is raised, with what was said."""
        try:
            return self._judged(answer, writes=writes)
        except CrossledgerError as failure:
            failure.exchange = exchange_of(answer.request, answer)
            raise

    def _judged(self, answer: httpx.Response, *, writes: bool) -> Any:
        label, status = self.dialect.label, answer.status_code
        body = _json(answer, self.parse_float)
        if status >= httpx.codes.BAD_REQUEST:
            body = _cleaned(body, redacted)  # what it says is stored and shown, and may repeat our token
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise Retry(f"{label} answers 429: too many requests", after=retry_after(answer.headers))
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            failure = AnswerLost if writes else Retry
            raise failure(f"{label} answers {status}: {_said(body)}", after=retry_after(answer.headers))
        if status >= httpx.codes.BAD_REQUEST:
            refusal = self.dialect.refusal(status, body)
            if isinstance(refusal, Reconnect):
                refusal.connection = self.gate.connection_id
            raise refusal
        if status >= httpx.codes.MULTIPLE_CHOICES or body is None:
            raise Rejected(
                f"{label} at {self.base_url} answers {status} with something that is not its API: check the base URL",
                status=status,
            )
        return body


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header in either of its forms, None where it is missing or unreadable."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _json(answer: httpx.Response, parse_float: Callable[[str], Any] = float) -> Any:
    """The body as JSON; None where it is empty or something else, such as the HTML of a web application.

    Text that neither our database nor UTF-8 can hold is cleaned here, so that no record can wedge on it.
    """
    try:
        body = json.loads(answer.content, parse_float=parse_float)
    except (ValueError, RecursionError):
        return None
    return _cleaned(body, storable) if _SUSPECT.search(answer.content) else body


def _cleaned(body: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(body, str):
        return clean(body)
    if isinstance(body, list):
        return [_cleaned(each, clean) for each in body]
    if isinstance(body, dict):
        return {clean(key): _cleaned(each, clean) for key, each in body.items()}
    return body


def _said(body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return str(message)[:300] if message else "no explanation"
