"""The tags of Invoice Ninja's tasks, by name. Its versions of 2026 have them: contracts/invoice_ninja, section 9.

Read in the product's code, not recorded: a task shows and takes the ids of its tags, and a PUT without `tags` leaves
them alone. A list of tags wants to know of which entity. Only administrators make tags, and a name can be taken once,
also by a tag that was put away, which the list does not show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.errors import AnswerLost, Rejected
from app.providers.http import Wire
from app.providers.invoice_ninja.resources.resource import Lifecycle, Resource
from app.providers.invoice_ninja.resources.table import TAGS
from app.providers.invoice_ninja.resources.work import Tag
from app.sync.records import FieldSpec, Kind, Record, Values
from app.sync.values import clean_text, tag_text, tags_of

OF_TASKS = {"entity_type": "App\\Models\\Task"}
_OF_PROJECTS = "App\\Models\\Project"
LONGEST = 191
_LISTED: tuple[Lifecycle, ...] = ("active",)

_NONE_THERE = "Invoice Ninja had no task tags when the connection was last checked; its versions of 2026 brought them"
_NOT_ALLOWED = "only an administrator's API token can make tags in Invoice Ninja"


@dataclass(frozen=True, slots=True)
class TaskTags:
    """`data`: what the probe learned (`task_tags`, `is_admin`). `wanted`: the owner's choice.

    `seen`: names by id, as they were looked up; remembered for one job.
    """

    wire: Wire
    data: Mapping[str, Any] = field(repr=False)
    wanted: bool
    seen: dict[str, str] = field(repr=False)

    def fields(self) -> Sequence[FieldSpec]:
        if not self.wanted:
            return ()
        return (FieldSpec(name="tags", label="Tags", kind=Kind.TAGS, longest_tag=LONGEST, lacking=self._lacking),)

    async def shown(self, record: Record) -> Record:
        """The record with the names of its tags. A task without any costs no call."""
        if not self.wanted or self._lacking:
            return record
        ids = _ids(record.raw)
        if ids and not self.seen:
            await self._look()
        names = tag_text(self.seen[each] for each in ids if each in self.seen)
        return replace(record, values={**record.values, "tags": names})

    async def body(self, values: Values, current: Mapping[str, Any]) -> dict[str, Any]:
        """For a write with `tags` among its values: all that the task is to have. Those that no list shows stay."""
        if "tags" not in values:
            return {}
        if not self.seen:
            await self._look()
        wanted = tags_of(values["tags"])
        stay = [each for each in _ids(current) if each not in self.seen or self.seen[each].casefold() in wanted]
        there = {self.seen[each].casefold() for each in stay if each in self.seen}
        return {"tags": [*stay, *[await self._id(word) for key, word in wanted.items() if key not in there]]}

    @property
    def _lacking(self) -> str:
        if not self.data.get("task_tags"):
            return _NONE_THERE
        return "" if self.data.get("is_admin", True) else _NOT_ALLOWED

    async def _id(self, word: str) -> str:
        """It is made where it is missing.

        A refusal may mean that another job was quicker, and a lost answer that it is there: whoever looks sees.
        """
        if known := self._known(word):
            return known
        try:
            made = await self._tags.create({**OF_TASKS, "name": word})
        except (Rejected, AnswerLost) as failure:
            await self._look()
            if known := self._known(word):
                return known
            if isinstance(failure, Rejected):
                failure.reason = f"the task tag “{word}” cannot be made: {failure.reason}"
            raise
        self.seen[made.id] = word
        return made.id

    def _known(self, word: str) -> str:
        """Of several with one name it is the first by id, for every job the same."""
        return min((id_ for id_, name in self.seen.items() if name.casefold() == word.casefold()), default="")

    async def _look(self) -> None:
        """A tag with a comma in it cannot be told from two, so it takes no part. The filter may be ignored."""
        async for tag in self._tags.each(narrowed=OF_TASKS, lifecycle=_LISTED):
            name = clean_text(tag.name)
            if name and "," not in name and tag.entity_type != _OF_PROJECTS:
                self.seen[tag.id] = name

    @property
    def _tags(self) -> Resource[Tag]:
        return Resource(self.wire, TAGS)


def _ids(task: Mapping[str, Any]) -> list[str]:
    """Some versions show the tags themselves."""
    return [str(each["id"]) if isinstance(each, Mapping) else str(each) for each in task.get("tags") or ()]
