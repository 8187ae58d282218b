"""The opportunities of one HighLevel location. contracts/ghl, section 5.

Of pipelines and stages the vendor gives ids; people know them by their names, which the probe has learned.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.errors import AnswerLost, Gone, Unsupported
from app.providers.base import MatchKey, Plain
from app.providers.highlevel.mapping import id_of, moment
from app.providers.highlevel.replies import OpportunitiesReply, OpportunityReply, Pipeline, PipelinesReply, reply
from app.providers.highlevel.wire import ID
from app.providers.http import Wire
from app.providers.paging import Page, each_row, since_or_later
from app.sync.money import number, plain
from app.sync.objects import OpportunitySettings
from app.sync.objects.opportunity import LOST
from app.sync.records import FieldSpec, Record, Values, Writable

PAGE = 100
STATUSES = frozenset({"open", "won", "lost", "abandoned"})
_NEVER = {
    "number": "Number, by the settings",
    "name": "Name",
    "item": "Text of the line, by the settings",
    "amount": "Value",
    "currency": "Currency, by the settings",
    "pipeline": "Pipeline",
    "source": "Source",
    "live": "Open or won, not lost or abandoned",
}


@dataclass(frozen=True, slots=True)
class Opportunities(Plain):
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: OpportunitySettings = field(default_factory=OpportunitySettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        specs = (
            *(FieldSpec(name=name, label=label, writable=Writable.NEVER) for name, label in _NEVER.items()),
            # Where no rule fits any more, what was made stays.
            FieldSpec(name="paper", label="What the rules make of it", writable=Writable.NEVER, sparse=True),
            FieldSpec(name="status", label="Status", options=STATUSES),
            FieldSpec(name="stage", label="Stage"),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        return await self._read(await self._exact.get(_path(external_id)))

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """All are listed, newest first: the search cannot be asked for what changed."""
        params = {"location_id": self.location_id, "limit": str(PAGE)}

        async def ask(_: int) -> Page[dict[str, Any]]:
            found = reply(OpportunitiesReply, await self._exact.get("/opportunities/search", params))
            if found.meta.start_after_id:
                params["startAfter"] = str(found.meta.start_after or "")
                params["startAfterId"] = found.meta.start_after_id
            return Page(found.opportunities)

        async for each in each_row(ask, id_of, size=PAGE, what="HighLevel's opportunities"):
            record = await self._read({"opportunity": each})
            if since_or_later(record, since):
                yield record

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """By the number that its quote or invoice has: the opportunity's id is in it."""
        try:
            return [await self.fetch(key.value.removeprefix(self.settings.number_prefix))]
        except Gone:
            return []

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        raise Unsupported("create", "opportunities are made by people, in HighLevel")

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """One call for both. A stage that the opportunity's pipeline has not is left out, and told."""
        body: dict[str, Any] = {"status": values["status"]} if values.get("status") else {}
        locked: dict[str, str] = {}
        if stage := values.get("stage"):
            pipeline = await self._pipeline(current.raw.get("pipelineId", ""))
            ids = {each.name.casefold(): each.id for each in pipeline.stages}
            if stage.casefold() in ids:
                body["pipelineStageId"] = ids[stage.casefold()]
            else:
                locked["stage"] = f"the pipeline “{pipeline.name}” has no stage “{stage}”"
        if not body:
            return replace(current, locked=locked)
        answer = await self._exact.write("PUT", _path(current.id), body)
        return replace(await self._read(answer, failure=AnswerLost), locked=locked)

    @property
    def _exact(self) -> Wire:
        return replace(self.wire, parse_float=Decimal)

    async def _read(self, body: Any, failure: type[AnswerLost] | None = None) -> Record:
        raw = reply(OpportunityReply, body, **({"failure": failure} if failure else {})).opportunity
        pipeline = await self._pipeline(raw.get("pipelineId") or "", raw.get("pipelineStageId") or "")
        stage = next((each.name for each in pipeline.stages if each.id == raw.get("pipelineStageId")), "")
        status, name, amount = raw.get("status") or "", raw.get("name") or "", number(raw.get("monetaryValue") or 0)
        paper = self.settings.paper(status, pipeline.name, stage)
        where = f"status {status}, stage {stage} of {pipeline.name}"
        aside = "" if paper else f"No rule makes a quote or an invoice of it as it is now ({where})."
        return Record(
            id=raw["id"],
            parent=raw.get("contactId") or "",
            values={
                "number": f"{self.settings.number_prefix}{raw['id']}",
                "name": name,
                "item": self.settings.item.replace("{name}", name),
                "amount": plain(amount),
                "currency": self.settings.currency,
                "status": status,
                "pipeline": pipeline.name,
                "stage": stage,
                "source": raw.get("source") or "",
                "paper": paper,
                "live": "no" if status in LOST else "yes",
            },
            created_at=moment(raw.get("createdAt")),
            updated_at=moment(raw.get("updatedAt")),
            aside=aside or ("" if amount > 0 else "It has no value to charge."),
            raw=raw,
        )

    async def _pipeline(self, pipeline_id: str, stage_id: str = "") -> Pipeline:
        """As the probe learned it; asked for anew where it does not know this stage yet."""
        known = [Pipeline.model_validate(each) for each in self.data.get("pipelines") or ()]
        found = _named(known, pipeline_id)
        if found is None or (stage_id and stage_id not in {each.id for each in found.stages}):
            found = _named(await pipelines(self.wire, self.location_id), pipeline_id)
        return found or Pipeline(id=pipeline_id)


async def pipelines(wire: Wire, location_id: str) -> list[Pipeline]:
    return reply(PipelinesReply, await wire.get("/opportunities/pipelines", {"locationId": location_id})).pipelines


def _named(known: Sequence[Pipeline], pipeline_id: str) -> Pipeline | None:
    return next((each for each in known if each.id == pipeline_id), None)


def _path(external_id: str) -> str:
    if not ID.fullmatch(external_id):
        raise Gone(f"“{external_id[:80]}” is not the id of a HighLevel opportunity")
    return f"/opportunities/{external_id}"
