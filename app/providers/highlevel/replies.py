"""What HighLevel answers, by its documented shapes.

Of a contact only the id is held to a type: the published types of its other fields contradict what is answered
(contracts/ghl, section 8.5). `mapping.py` reads those.
"""

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from app.errors import CrossledgerError, Rejected
from app.providers.highlevel.wire import ID, LABEL


def _identified(contact: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(contact.get("id"), str) or not ID.fullmatch(contact["id"]):
        raise ValueError("a record without an id")
    return contact


Contact = Annotated[dict[str, Any], AfterValidator(_identified)]


class ContactReply(BaseModel):
    contact: Contact


class DuplicateReply(BaseModel):
    contact: Contact | None = None


class UpdateReply(BaseModel):
    """`succeded` is HighLevel's spelling; v3 corrects it."""

    contact: Contact | None = None
    succeeded: bool = Field(True, validation_alias=AliasChoices("succeded", "succeeded"))


class Task(BaseModel):
    """Nothing says when it was added or changed."""

    id: str
    contact_id: str = Field("", validation_alias="contactId")
    title: str | None = None
    body: str | None = None
    due_date: str | None = Field(None, validation_alias="dueDate")
    completed: bool = False
    assigned_to: str | None = Field(None, validation_alias="assignedTo")


class TaskReply(BaseModel):
    task: Task


class TasksReply(BaseModel):
    tasks: list[Task]


class Note(BaseModel):
    id: str
    body: str | None = None
    date_added: str | None = Field(None, validation_alias="dateAdded")


class NoteReply(BaseModel):
    note: Note


class NotesReply(BaseModel):
    notes: list[Note]


class Appointment(BaseModel):
    """HighLevel spells the status both ways (contracts/ghl, section 4)."""

    id: str
    contact_id: str = Field("", validation_alias="contactId")
    title: str | None = None
    status: str = Field("", validation_alias=AliasChoices("appointmentStatus", "appoinmentStatus"))
    start_time: str | None = Field(None, validation_alias="startTime")
    end_time: str | None = Field(None, validation_alias="endTime")
    address: str | None = None
    text: str | None = Field(None, validation_alias=AliasChoices("notes", "description"))
    assigned_to: str | None = Field(None, validation_alias="assignedUserId")
    date_added: str | None = Field(None, validation_alias="dateAdded")
    date_updated: str | None = Field(None, validation_alias="dateUpdated")


class AppointmentReply(BaseModel):
    event: Appointment


class OpportunityReply(BaseModel):
    opportunity: Contact


class Place(BaseModel):
    """Where the next page begins."""

    total: int | None = None
    start_after: int | None = Field(None, validation_alias="startAfter")
    start_after_id: str | None = Field(None, validation_alias="startAfterId")


class OpportunitiesReply(BaseModel):
    opportunities: list[Contact]
    meta: Place = Place()


class Stage(BaseModel):
    id: str
    name: str = ""


class Pipeline(BaseModel):
    id: str
    name: str = ""
    stages: list[Stage] = []


class PipelinesReply(BaseModel):
    pipelines: list[Pipeline]


class Product(BaseModel):
    id: str = Field(validation_alias="_id")
    name: str = ""
    description: str | None = None
    product_type: str = Field("", validation_alias="productType")
    created_at: str | None = Field(None, validation_alias="createdAt")
    updated_at: str | None = Field(None, validation_alias="updatedAt")


class ProductsReply(BaseModel):
    products: list[Product]


class Price(BaseModel):
    """Kept whole: an update sends back what it has of it."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(validation_alias="_id")
    name: str = ""
    type: str = ""
    currency: str = ""
    amount: Decimal
    created_at: str = Field("", validation_alias="createdAt")


class PricesReply(BaseModel):
    prices: list[Price]


class BusinessReply(BaseModel):
    """`buiseness` is HighLevel's spelling where it answers a write."""

    business: Contact = Field(validation_alias=AliasChoices("business", "buiseness"))


class BusinessesReply(BaseModel):
    businesses: list[Contact]


class User(BaseModel):
    id: str
    email: str = ""


class UsersReply(BaseModel):
    users: list[User]


class SearchReply(BaseModel):
    contacts: list[Contact]
    total: int | None = None


class Location(BaseModel):
    name: str | None = None
    timezone: str | None = None
    country: str | None = None
    company_id: str | None = Field(None, validation_alias="companyId")


class LocationReply(BaseModel):
    location: Location


class CustomField(BaseModel):
    id: str
    name: str = ""
    field_key: str = Field(validation_alias="fieldKey")
    data_type: str = Field("", validation_alias="dataType")


class CustomFieldsReply(BaseModel):
    custom_fields: list[CustomField] = Field(validation_alias="customFields")


R = TypeVar("R", bound=BaseModel)


def reply(model: type[R], body: Any, *, failure: type[CrossledgerError] = Rejected) -> R:
    """`body` as `model`. `failure` is AnswerLost for a write: it was accepted, and we cannot read how it ended."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        where = ", ".join(".".join(str(part) for part in each["loc"]) or "body" for each in error.errors()[:3])
        raise failure(f"{LABEL}'s answer is not of the documented shape: {where}") from error
