"""The set-up of a bridge: what a person has said is right."""

from datetime import datetime

from sqlmodel import SQLModel

from app.models.columns import born, key_words, shared_key, words


class SetUpStep(SQLModel, table=True):
    """One step of a bridge's set-up that somebody has left with “next”. `step` is an `app.setting_up.Step`.

    What can be seen elsewhere (the plan, being live) is not kept here.
    """

    __tablename__ = "set_up_steps"

    bridge_id: int = shared_key("bridges.id")
    step: str = key_words()
    actor: str = words()
    done_at: datetime | None = born()
