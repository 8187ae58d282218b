"""The location endpoints a connection needs: its own facts and its custom fields (apps/locations.json)."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel import shapes
from app.sandbox.highlevel.dto import Dto, array, filled, flag, number, one_of, text, texts
from app.sandbox.highlevel.errors import bad_request, unprocessable
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import COMPANY_ID
from app.sandbox.highlevel.tokens import Owner

MODELS = ("contact", "opportunity", "all")
CUSTOM_FIELD = Dto(
    fields={
        "name": filled,
        "dataType": filled,
        "placeholder": text,
        "acceptedFormat": texts,
        "isMultipleFile": flag,
        "maxNumberOfFiles": number,
        "textBoxListOptions": array,
        "position": number,
        "model": one_of("contact", "opportunity"),
    },
    required=("name", "dataType"),
)


def routes(sandbox: Sandbox) -> list[Route]:
    of = partial(endpoint, sandbox)
    return [
        Route("/locations/{location_id}", of("locations.readonly", _get), methods=["GET"]),
        Route(
            "/locations/{location_id}/customFields",
            of("locations/customFields.readonly", _custom_fields),
            methods=["GET"],
        ),
        Route(
            "/locations/{location_id}/customFields",
            of("locations/customFields.write", _add_custom_field),
            methods=["POST"],
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


async def _add_custom_field(sandbox: Sandbox, request: Request, owner: Owner) -> tuple[int, dict[str, Any]]:
    location = sandbox.location(owner, request.path_params["location_id"])
    values = CUSTOM_FIELD.parse(await json_body(request))
    model = values.get("model", "contact")
    if any((each["name"], each["model"]) == (values["name"], model) for each in location.custom_fields):
        raise bad_request("A custom field with this name already exists.")
    made = location.add_custom_field(values["name"], values["dataType"], model)
    made |= {name: values[name] for name in ("placeholder", "position") if name in values}
    return 201, {"customField": made}
