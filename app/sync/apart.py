"""Records that look the same on one side and are of two objects: a note that tells of an event, and a person's."""

from dataclasses import replace
from datetime import timedelta

from app.errors import Wait
from app.models.link import LinkState
from app.sync.objects import OBJECTS
from app.sync.settlements import put_aside
from app.sync.store import Settlement
from app.sync.work import Work

LONGEST = timedelta(hours=1)
"""How long a record waits to be claimed by the other object: the answer to its create is late, or was lost."""


async def of_another(work: Work) -> Settlement | None:
    """The record was made for a record of the other object, and is none of this one's. None: it is not known to be.

    Raises Wait while it may turn out so. No vendor is asked.
    """
    name, side = work.type.apart_from, work.target.side
    if not name:
        return None
    other = replace(work.target, object=name)
    coming = await work.store.coming(other)  # asked first: what ends between the two questions is found
    if await work.store.find(other, side, work.target.external_id):
        detail = f"It was written for one of the {OBJECTS[name].plural}."
        # No activity tells of it: the other object's has.
        return replace(put_aside(work.target, work.link, LinkState.EXCLUDED, "apart", detail), activity=None)
    age = work.now() - work.link.created_at
    if coming and age < LONGEST:
        raise Wait(max(1, age.total_seconds() / 10), f"it may be one of the {OBJECTS[name].plural}")
    return None
