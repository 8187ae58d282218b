"""The location endpoints a connection needs: its own facts and its custom fields (apps/locations.json)."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel import shapes
from app.sandbox.highlevel.errors import unprocessable
from app.sandbox.highlevel.sandbox import Sandbox, endpoint
from app.sandbox.highlevel.store import COMPANY_ID
from app.sandbox.highlevel.tokens import Owner

MODELS = ("contact", "opportunity", "all")


def routes(sandbox: Sandbox) -> list[Route]:
    of = partial(endpoint, sandbox)
    return [
        Route("/locations/{location_id}", of("locations.readonly", _get), methods=["GET"]),
        Route(
            "/locations/{location_id}/customFields",
            of("locations/customFields.readonly", _custom_fields),
            methods=["GET"],
        ),
    ]


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> tuple[int, dict[str, Any]]:
    location = sandbox.location(owner, request.path_params["location_id"])
    return 200, {"location": shapes.location_details(location, COMPANY_ID)}


async def _custom_fields(sandbox: Sandbox, request: Request, owner: Owner) -> tuple[int, dict[str, Any]]:
    location = sandbox.location(owner, request.path_params["location_id"])
    model = request.query_params.get("model", "all")
    if model not in MODELS:
        raise unprocessable([f"model must be one of the following values: {', '.join(MODELS)}"])
    return 200, {"customFields": [each for each in location.custom_fields if model in ("all", each["model"])]}
