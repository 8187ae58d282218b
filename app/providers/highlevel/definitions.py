"""Which custom fields a location has, and making those that are missing. contracts/ghl, section 4."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from app.errors import AnswerLost, CrossledgerError, Rejected
from app.providers.highlevel.replies import CustomField, CustomFieldsReply, reply
from app.providers.http import Wire

PREFIX = "contact."


class _Made(BaseModel):
    custom_field: CustomField = Field(validation_alias="customField")


class Definitions:
    """Remembered for the life of the process: each location is asked once, and a field is made by one job.

    Another process may make the same field in the same moment. Both look again afterwards, and where HighLevel let
    both be made, both take the same one of them.
    """

    def __init__(self) -> None:
        self._seen: dict[str, Sequence[CustomField]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def there(
        self, wire: Wire, location_id: str, names: Mapping[str, str], learned: Mapping[str, Any]
    ) -> dict[str, CustomField]:
        """Those of `names` (our name -> what it is called there) that the location has. `learned`: `Profile.data`."""
        if location_id not in self._seen:
            told = [_told(each) for each in learned.get("custom_fields", ())]
            if (found := _named(told, names)).keys() == names.keys():
                return found
            await self._look(wire, location_id)
        return _named(self._seen[location_id], names)

    async def made(
        self, wire: Wire, location_id: str, names: Mapping[str, str], types: Mapping[str, str]
    ) -> dict[str, CustomField]:
        """All of `names`; what is missing is made, with HighLevel's data type of `types`."""
        async with self._locks[location_id]:
            found = _named(await self._look(wire, location_id), names)
            for ours in names.keys() - found.keys():
                await self._make(wire, location_id, names[ours], types[ours])
            if found.keys() != names.keys():
                found = _named(await self._look(wire, location_id), names)
        if missing := sorted(names[ours] for ours in names.keys() - found.keys()):
            raise Rejected(f"HighLevel made no custom field “{missing[0]}”; make it by hand, or take it out")
        return found

    def forget(self, location_id: str) -> None:
        """What is remembered proved wrong: look again next time."""
        self._seen.pop(location_id, None)

    async def _look(self, wire: Wire, location_id: str) -> Sequence[CustomField]:
        body = await wire.get(f"/locations/{location_id}/customFields", {"model": "contact"})
        self._seen[location_id] = reply(CustomFieldsReply, body).custom_fields
        return self._seen[location_id]

    async def _make(self, wire: Wire, location_id: str, name: str, data_type: str) -> None:
        """A refusal may mean that another process was quicker, and a lost answer that it is there: whoever looks sees.

        A missing scope is said as it is.
        """
        body = {"name": name, "dataType": data_type, "model": "contact"}
        try:
            reply(_Made, await wire.write("POST", f"/locations/{location_id}/customFields", body), failure=AnswerLost)
        except (Rejected, AnswerLost) as failure:
            if name not in _named(await self._look(wire, location_id), {name: name}):
                raise _said(name, failure) from failure


def _said(name: str, failure: CrossledgerError) -> CrossledgerError:
    if isinstance(failure, Rejected):
        failure.reason = f"the custom field “{name}” cannot be made: {failure.reason}"
    return failure


def _told(each: Mapping[str, Any]) -> CustomField:
    return CustomField.model_validate(
        {"id": each["id"], "name": each["label"], "fieldKey": each["key"], "dataType": each["type"]}
    )


def _named(fields: Sequence[CustomField], names: Mapping[str, str]) -> dict[str, CustomField]:
    """By our names. Of several with one name it is the first by id, for every process the same."""
    found: dict[str, CustomField] = {}
    for ours, called in names.items():
        wanted = called.casefold()
        hits = [
            each
            for each in fields
            if wanted
            in (each.name.casefold(), each.field_key.casefold(), each.field_key.removeprefix(PREFIX).casefold())
        ]
        if hits:
            found[ours] = min(hits, key=lambda each: each.id)
    return found
