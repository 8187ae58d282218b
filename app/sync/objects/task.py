"""A task of a contact is a task of its client."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from app.sync.fieldmap import Direction, Pair
from app.sync.objects.base import ObjectSettings, ObjectType
from app.sync.records import Side


class TaskPlaces(BaseModel):
    """Where billing keeps what its tasks have no field for, and which status is an open one."""

    open: str = Field(
        "", max_length=200, description="The status of a task that is opened again; empty: the first that is not done"
    )
    slot: str = Field(
        "custom_value4", pattern=r"^custom_value[1-4]$", description="Billing field of the task that holds the CRM id"
    )
    due_field: str = Field(
        "custom_value3", pattern=r"^custom_value[1-4]$", description="Billing field of the task that keeps its due date"
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.slot == self.due_field:
            raise ValueError("the CRM id and the due date of a task need two different fields")
        return self


class TaskSettings(TaskPlaces, ObjectSettings):
    crm_may_be_deleted = True
    default_map = tuple(Pair(name, name) for name in ("title", "body", "due", "completed", "assignee"))

    done: list[str] = Field(
        ["Done"],
        min_length=1,
        max_length=20,
        description="Task statuses in billing that mean “completed”; one completed in the CRM gets the first of them",
    )
    tags: bool = Field(
        False,
        description="The tags of the contact are kept on its tasks, from the CRM to billing, where the version of"
        " Invoice Ninja has task tags",
    )

    def pairs(self) -> tuple[Pair, ...]:
        return (*self.chosen(), *super().pairs())

    def chosen(self) -> tuple[Pair, ...]:
        return (Pair("tags", "tags", Direction.TO_BILLING),) if self.tags else ()


TASK = ObjectType(
    name="task",
    plural="tasks",
    called={Side.CRM: "task", Side.BILLING: "task"},
    becomes={
        Side.BILLING: "task of the client: title and text, due date (a custom value), status by table, assignee",
        Side.CRM: "task of the contact, with the same fields; edits in HighLevel are found by polling",
    },
    settings=TaskSettings,
    recognised_by="title",
    parent="contact",
)
