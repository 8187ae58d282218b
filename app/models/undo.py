"""What became of each value that an undo was to bring back, also of those that it left as they are.

An activity tells only what was done; a value that somebody has changed since is left, and has to be listed all the
same. A row is there before the vendor is asked to write: an undo that was killed knows by it what was its own write.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from app.models.columns import big_id, born, reference, reference_unchecked, words


class UndoOutcome(StrEnum):
    RESTORING = "restoring"  # about to be written, or written a moment ago
    RESTORED = "restored"
    CHANGED_SINCE = "changed_since"  # by a person or a later sync: left as it is
    CANNOT = "cannot"  # the vendor has no way back, with the reason


class UndoItem(SQLModel, table=True):
    """`field`: as in the activities; `name`: what the side calls it. `record` stands for the record as a whole.

    `now`: what was found, `wrote`: what our last write had left, `back`: what it is to be again.
    """

    __tablename__ = "undo_items"
    __table_args__ = (
        UniqueConstraint("run_id", "link_id", "side", "name", name="undo_items_once"),
        Index("undo_items_run", "run_id", "id"),
    )

    id: int | None = big_id()
    run_id: int = reference("runs.id")
    link_id: int | None = reference_unchecked()
    object: str = words()
    crm_id: str = words()
    billing_id: str = words()
    side: str = words()
    field: str = words()
    name: str = words()
    now: str = words()
    wrote: str = words()
    back: str = words()
    outcome: str = words(UndoOutcome.RESTORING)
    reason: str = words()
    at: datetime | None = born()
