"""A contact's tags, one by one: the whole set is never sent, so nobody's tag is lost (monicahq/monica#2119)."""

from collections.abc import Collection

from app.providers.highlevel.mapping import tags
from app.providers.highlevel.replies import ContactReply, reply
from app.providers.http import Wire


async def retag(wire: Wire, contact_id: str, *, add: Collection[str] = (), remove: Collection[str] = ()) -> None:
    """Two calls at the most. A tag that the location does not know is made by adding it."""
    path = f"/contacts/{contact_id}/tags"
    if add:
        await wire.write("POST", path, {"tags": sorted(add)})
    if remove:
        await wire.write("DELETE", path, {"tags": sorted(remove)})


async def tags_of_contact(wire: Wire, contact_id: str) -> str:
    """As "a, b". Raises Gone."""
    contact = reply(ContactReply, await wire.get(f"/contacts/{contact_id}")).contact
    return tags(contact.get("tags") or ())
