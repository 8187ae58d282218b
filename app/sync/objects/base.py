"""What the engine has to know of an object, and what every object can be set to. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from app.sync.fieldmap import Direction, Pair, Prefer, one_way
from app.sync.filters import Condition
from app.sync.people import twin_key
from app.sync.records import Record, Side
from app.sync.steps import AnyStep
from app.sync.values import clean_text


class CrmDeleted(StrEnum):
    """What happens to the billing record when its partner is deleted in the CRM."""

    ARCHIVE = "archive"
    KEEP = "keep"
    DELETE = "delete"


class BillingDeleted(StrEnum):
    """What happens to the CRM record when its partner is deleted in billing."""

    KEEP = "keep"
    DELETE = "delete"


class BillingArchived(StrEnum):
    """What happens to a pair whose billing record is archived."""

    SYNC = "sync"
    PAUSE = "pause"


LONGEST_KEY = 500
"""Characters: an index cannot hold a whole text, and to wait for one that begins alike does no harm."""

_FIELD = r"^[\w.\-]+$"


class FieldPair(BaseModel):
    model_config = ConfigDict(extra="forbid")

    crm: str = Field(
        pattern=_FIELD, max_length=200, description="Field of the CRM record, for example `custom.vat_number`"
    )
    billing: str = Field(
        pattern=_FIELD, max_length=200, description="Field of the billing record, for example `vat_number`"
    )
    direction: Direction = Direction.BOTH
    steps: tuple[AnyStep, ...] = Field(
        (),
        max_length=10,
        description="What is done to a value on its way, one step after the other, from where values of this pair come"
        " from; where they go both ways, from the CRM, and back in the other direction. A chain with a step that cannot"
        " be turned back (case, default, template, a table in which two values become one, a date of which the time is"
        " left out) goes one way only",
    )

    @property
    def pair(self) -> Pair:
        return Pair(self.crm, self.billing, self.direction, self.steps)


class ObjectSettings(BaseModel):
    """What every object can be set to."""

    model_config = ConfigDict(extra="forbid")
    default_map: ClassVar[tuple[Pair, ...]] = ()
    crm_may_be_deleted: ClassVar[bool] = False
    """Whether `billing_deleted` may be `delete`. Never for what other things hang on: contacts, businesses."""

    enabled: bool = Field(False, description="Whether this object is synced at all")
    direction: Direction = Field(Direction.BOTH, description="Which way records are created and updated")
    crm_deleted: CrmDeleted = Field(
        CrmDeleted.ARCHIVE,
        description="A record deleted in the CRM: archive its partner in billing, keep it, or delete it (it can be"
        " restored there). The pair is unlinked in any case.",
    )
    billing_deleted: BillingDeleted = Field(
        BillingDeleted.KEEP,
        description="A record deleted in billing: keep its partner in the CRM, or delete it, for good; the latter only"
        " for tasks and notes. The pair is unlinked in any case.",
    )
    billing_archived: BillingArchived = Field(
        BillingArchived.SYNC,
        description="A record archived in billing: go on with it, or pause until it is restored",
    )
    only: list[Condition] = Field(
        default_factory=list,
        max_length=50,
        description="The filter: records for which all of these hold take part. What leaves it is not deleted: it is"
        " excluded, and goes on when it is back",
    )
    since: AwareDatetime | None = Field(
        None, description="Records from before this moment that have no partner take no part; empty: all take part"
    )
    fields: list[FieldPair] | None = Field(None, description="The field map; left out: the default map")
    wins: Prefer | None = Field(
        None,
        description="Whose value wins for this object, where both sides changed the same field; null: the bridge's"
        " `prefer`",
    )
    prefer: dict[str, Prefer] = Field(
        default_factory=dict,
        description="Fields, by their names in billing, with a `prefer` of their own; all others have the object's",
    )

    @property
    def creates(self) -> bool:
        """Whether a record without a partner gets one; if not, it is only looked for, on both sides."""
        return True

    @model_validator(mode="after")
    def _deletes_only_what_it_may(self) -> Self:
        if self.billing_deleted is BillingDeleted.DELETE and not self.crm_may_be_deleted:
            raise ValueError("these are never deleted in the CRM: `billing_deleted` can only be `keep`")
        return self

    @model_validator(mode="after")
    def _prefers_what_it_has(self) -> Self:
        if strange := sorted(self.prefer.keys() - {pair.billing for pair in self.pairs()}):
            raise ValueError(f"`prefer` names what is not in the field map: {', '.join(strange)}")
        return self

    @model_validator(mode="after")
    def _goes_where_its_steps_can(self) -> Self:
        for each in self.fields or ():
            if why := one_way(each.pair, self.direction):
                raise ValueError(f"{each.crm} and {each.billing} cannot go both ways: {why}")
        return self

    def chosen(self) -> tuple[Pair, ...]:
        """Pairs of `pairs` that a setting of its own asks for: where one cannot work, the settings are refused."""
        return ()

    def needed_options(self) -> tuple[tuple[str, str], ...]:
        """Billing fields and values that the billing account must know for them."""
        return ()

    def pairs(self) -> tuple[Pair, ...]:
        if self.fields is None:
            return self.default_map
        return tuple(item.pair for item in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """`called`: what people call the record on each side. `plural`: what they call the object.

    `becomes`: what is made of the other side's record on a side; a side that is missing is never written to. The
    README's table "What syncs" is made of it.

    `parent`: the object that a record belongs to; a record waits until its parent's pair is made.
    `person`: it has an e-mail address to be recognised by, may be merged into another, and is one part of the vendor's
    record. Anything else is recognised by its external id, and by the field `recognised_by`, which both sides have,
    below its parent. `unique`: no two records may have the same there, so it is looked for before every create.

    `facet`: it is an aspect of its parent's record on both sides, and has its id: its partner is the same aspect of the
    parent's partner. It is never made and never put away. `of_every_parent`: it is looked at for each of them.
    `once`: it is written once, and never looked at again, whatever becomes of either side. What was there before the
    object was switched on takes no part (`ObjectSettings.since`).
    `apart_from`: the object whose records look the same; one that was made for a record of that one is none of this.
    `in_turn`: the records of one parent are written one after the other, because a vendor may change the text that
    twins are told apart by, or keeps them all in one text.
    `alike`: values in which a record found by that field must agree as well to be the partner. `counted`: two records
    that look the same may be two (payments), so that one that we did not make ourselves is left to a person.
    `appended`: what was written stays in a history, and an edit is another entry: nothing of it can be taken back.
    `made_on`: the sides on which records are made for the other side's.
    `part`: a record with a parent is a part of the parent's record in billing (one contact of a client), and one
    without a parent stands alone. Where the parents are switched off, all stand alone.
    """

    name: str
    plural: str
    called: Mapping[Side, str]
    becomes: Mapping[Side, str]
    settings: type[ObjectSettings]
    recognised_by: str = ""
    parent: str = ""
    person: bool = False
    unique: bool = False
    part: bool = False
    facet: bool = False
    of_every_parent: bool = False
    once: bool = False
    apart_from: str = ""
    in_turn: bool = False
    alike: tuple[str, ...] = ()
    counted: bool = False
    appended: bool = False
    made_on: frozenset[Side] = frozenset(Side)

    def identity(self, record: Record) -> str:
        """What two twins, entered on both sides at once, have in common; "" where nothing identifies the record."""
        if self.person:
            return twin_key(record)
        value = clean_text(record.values.get(self.recognised_by, "")).casefold()
        return f"{self.recognised_by}:{value}" if value else ""

    def reserved(self, record: Record, parent: str) -> str:
        """What only one attempt at a time may have in hand. `parent`: the billing id of the record's parent, or ""."""
        own = "" if self.in_turn else self.identity(record)[:LONGEST_KEY]
        return f"{own} of {parent}" if parent else own
