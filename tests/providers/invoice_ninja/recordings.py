"""Our own measurements of Invoice Ninja 5.10.42, trimmed: contracts/invoice_ninja/recordings."""

import json
from pathlib import Path
from typing import Any

import httpx

FIXTURES = Path(__file__).parent / "fixtures"


def recording(case: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / f"{case}.json").read_text())
    return loaded


def answer(case: str) -> httpx.Response:
    """The recorded answer as it came: JSON where it was JSON, else the text of a page."""
    response = recording(case)["response"]
    body, headers = response["body"], response["headers"]
    is_json = headers.get("Content-Type", "").startswith("application/json")
    text = json.dumps(body) if is_json else str(body)
    return httpx.Response(response["status"], headers=headers, text=text)


def body(case: str) -> Any:
    return recording(case)["response"]["body"]


def client(case: str = "clients_create") -> dict[str, Any]:
    """The first client of a recorded answer."""
    data = body(case)["data"]
    first: dict[str, Any] = data[0] if isinstance(data, list) else data
    return first


def page(*clients: dict[str, Any], total_pages: int = 1) -> dict[str, Any]:
    pagination = {"total": len(clients), "count": len(clients), "total_pages": total_pages}
    return {"data": list(clients), "meta": {"pagination": pagination}}
