"""A HighLevel simulator for a test: every exchange is held against the OpenAPI files, and every webhook is caught."""

from typing import Any

import httpx

from tests.providers.highlevel.openapi import available, check_answer, check_request
from tests.sandbox.test_highlevel import HERE, Receiver, make, until


class Bench:
    def __init__(self, http: httpx.Client, receiver: Receiver) -> None:
        self.http = http
        self.receiver = receiver

    def api(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer to a request that is fit to be granted."""
        answer = self.ask(method, path, body, **query)
        assert answer.status_code in (200, 201), answer.text
        if available():
            shown = {name: str(value) for name, value in query.items()}
            check_request(method, path, shown, dict(answer.request.headers), answer.request.content)
            check_answer(method, path, answer.status_code, answer.json())
        return {name: value for name, value in answer.json().items() if name != "traceId"}

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any) -> Any:
        version = {"Version": "2021-04-15"} if path.startswith("/calendars") else {}
        sent = {} if body is None else {"json": body}
        return self.http.request(method, path, params=query, headers={**version, **(headers or {})}, **sent)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def contact(self, **values: Any) -> str:
        return str(make(self.http, **values)["id"])

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """(event, body) of all webhooks since the last call, by name."""
        until(lambda: self.control("GET", "deliveries")["pending"] == 0)
        sent = self.control("GET", "deliveries")["deliveries"]
        assert {each["status"] for each in sent} <= {200}
        self.control("DELETE", "deliveries")
        return sorted(((each["event"], each["body"]) for each in sent), key=lambda each: each[0])

    def names(self) -> list[str]:
        return [event for event, _ in self.events()]


def documented(body: dict[str, Any]) -> dict[str, Any]:
    """A webhook's body without what every delivery carries."""
    return {name: body[name] for name in body if name not in ("versionId", "appId", "timestamp", "webhookId")}


__all__ = ["HERE", "Bench", "documented"]
