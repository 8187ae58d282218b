"""A note of a contact is a note in the activity of its client."""

from enum import StrEnum

from pydantic import Field

from app.sync.fieldmap import Pair
from app.sync.objects.base import CrmDeleted, ObjectSettings, ObjectType
from app.sync.records import Side


class NoteInto(StrEnum):
    """Where a note of the CRM is kept in billing. The texts are fields of the client, by our names."""

    ACTIVITY = "activity"
    PRIVATE_NOTES = "private_notes"
    PUBLIC_NOTES = "public_notes"


class NoteSettings(ObjectSettings):
    default_map = (Pair("body", "body"),)

    into: NoteInto = Field(
        NoteInto.ACTIVITY,
        description="Where a note of the CRM goes: a note in the client's activity, or a block in a text of the client."
        " Notes that are there already stay where they are.",
    )
    crm_deleted: CrmDeleted = Field(
        CrmDeleted.ARCHIVE,
        description="A note deleted in the CRM: say so in billing, with a line of its own or in the block's head"
        " (archive), or keep the note as it is. Its text stays either way.",
    )


NOTE = ObjectType(
    name="note",
    plural="notes",
    called={Side.CRM: "note", Side.BILLING: "note"},
    becomes={
        Side.BILLING: "activity note of the client, or a block in its private or public notes; an edit is a correction",
        Side.CRM: "note of the contact, once for each new activity note",
    },
    settings=NoteSettings,
    recognised_by="body",
    parent="contact",
    in_turn=True,
    appended=True,
    apart_from="notice",
)
