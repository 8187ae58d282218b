"""An appointment of a contact is a task of its client, or a note in its activity. It is never written to the CRM."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from app.sync.fieldmap import Direction, Pair
from app.sync.objects.base import ObjectSettings, ObjectType
from app.sync.objects.task import TaskPlaces, TaskSettings
from app.sync.records import Side


class AppointmentInto(StrEnum):
    TASK = "task"
    NOTE = "note"


class AppointmentStatus(StrEnum):
    NEW = "new"
    CONFIRMED = "confirmed"
    SHOWED = "showed"
    NOSHOW = "noshow"
    CANCELLED = "cancelled"
    INVALID = "invalid"


_OVER = (AppointmentStatus.SHOWED, AppointmentStatus.NOSHOW, AppointmentStatus.CANCELLED, AppointmentStatus.INVALID)
_MAPS = {
    AppointmentInto.TASK: tuple(Pair(name, name) for name in ("title", "body", "due", "status", "assignee")),
    AppointmentInto.NOTE: (Pair("summary", "body"),),
}


class AppointmentSettings(TaskPlaces, ObjectSettings):
    direction: Literal[Direction.TO_BILLING] = Field(
        Direction.TO_BILLING, description="Appointments go to billing only"
    )
    into: AppointmentInto = Field(
        AppointmentInto.TASK,
        description="What an appointment becomes: a task of the client, or a note in its activity. Pairs made before a"
        " change of this are cut.",
    )
    statuses: dict[AppointmentStatus, str] = Field(
        default_factory=lambda: dict.fromkeys(_OVER, "Done"),
        description="The task status in billing for each status of an appointment; for one that is not named the task"
        " is open. The text says the appointment's status in any case.",
    )
    put_away: list[AppointmentStatus] = Field(
        default_factory=list,
        max_length=6,
        description="Statuses with which the task is archived, until the appointment has another one",
    )

    def pairs(self) -> tuple[Pair, ...]:
        return _MAPS[self.into] if self.fields is None else super().pairs()

    def as_tasks(self) -> TaskSettings:
        """The same choices, as tasks know them."""
        done = list(dict.fromkeys(self.statuses.values()))
        places = {"open": self.open, "slot": self.slot, "due_field": self.due_field}
        return TaskSettings.model_validate({**places, **({"done": done} if done else {})})


APPOINTMENT = ObjectType(
    name="appointment",
    plural="appointments",
    called={Side.CRM: "appointment", Side.BILLING: "task or note"},
    becomes={
        Side.BILLING: "task of the client with its time, status by table; or a note; cancelled and no-show follow"
    },
    settings=AppointmentSettings,
    recognised_by="summary",
    parent="contact",
    in_turn=True,
)
