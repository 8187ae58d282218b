"""What a bridge is set to do. Stored as JSON with the bridge, checked here."""

from dataclasses import replace
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.sync.fieldmap import Pair, Prefer, Rule
from app.sync.objects import (
    OBJECTS,
    AppointmentSettings,
    BalanceSettings,
    BusinessSettings,
    ContactSettings,
    InvoiceSettings,
    NoteSettings,
    NoticeSettings,
    ObjectSettings,
    OpportunitySettings,
    PaymentSettings,
    ProductSettings,
    RecurringSettings,
    TaskSettings,
)


class BridgeSettings(BaseModel):
    """One field for each of `OBJECTS`, by its name."""

    model_config = ConfigDict(extra="forbid")

    prefer: Prefer = Field(
        Prefer.CRM,
        description="Whose value wins when both sides changed the same field; `ask`: neither is written until a person"
        " has decided, see the conflicts",
    )
    keep_filled: bool = Field(
        False,
        description="An empty value never overwrites one: what is emptied on one side stays as it is on the other one."
        " Tags still go one by one, and what we work out ourselves, such as a balance, is always as it is",
    )
    slot: str = Field(
        "", max_length=50, description="Billing field that holds the CRM id; empty: the provider's first choice"
    )
    sweep_minutes: int = Field(
        15, ge=1, le=60, description="How often what changed on both sides is read, for what webhooks missed"
    )
    full_compare_hours: int = Field(
        24, ge=1, le=720, description="How often everything is read and compared, also for what was deleted"
    )
    contact: ContactSettings = Field(default_factory=lambda: ContactSettings())
    task: TaskSettings = Field(default_factory=lambda: TaskSettings())
    business: BusinessSettings = Field(default_factory=lambda: BusinessSettings())
    note: NoteSettings = Field(default_factory=lambda: NoteSettings())
    appointment: AppointmentSettings = Field(default_factory=lambda: AppointmentSettings())
    opportunity: OpportunitySettings = Field(default_factory=lambda: OpportunitySettings())
    product: ProductSettings = Field(default_factory=lambda: ProductSettings())
    invoice: InvoiceSettings = Field(default_factory=lambda: InvoiceSettings())
    payment: PaymentSettings = Field(default_factory=lambda: PaymentSettings())
    balance: BalanceSettings = Field(default_factory=lambda: BalanceSettings())
    recurring: RecurringSettings = Field(default_factory=lambda: RecurringSettings())
    notice: NoticeSettings = Field(default_factory=lambda: NoticeSettings())

    @model_validator(mode="after")
    def _one_writer(self) -> Self:
        """A text that notes are kept in and a field of the contact's is mapped to would be overwritten for ever."""
        mapped = {pair.billing for pair in self.contact.pairs()}
        if self.note.enabled and self.note.into in mapped:
            raise ValueError(
                f"notes cannot go into {self.note.into}: the contact's field map has it as well; take that pair out of"
                " “fields” of “contact”, or let notes become activities"
            )
        return self

    @model_validator(mode="after")
    def _payments_have_invoices(self) -> Self:
        if self.payment.enabled and not self.invoice.enabled:
            raise ValueError(
                "payments belong to invoices: switch “invoice” on as well; with its `mode` set to `payments_only`, none"
                " is made"
            )
        return self

    @model_validator(mode="after")
    def _recognised(self) -> Self:
        """What a record is recognised by has to look the same on both sides, or each would be made twice."""
        for name, type_ in OBJECTS.items():
            keys = {"email"} if type_.person else {type_.recognised_by, *type_.alike}
            for pair in self.of(name).pairs():
                if pair.steps and keys & {pair.crm, pair.billing}:
                    raise ValueError(
                        f"{type_.plural} are recognised by their {pair.billing}, which is the same on both sides: take"
                        " the steps of that pair out"
                    )
        return self

    def objects(self) -> tuple[str, ...]:
        """Those that are switched on."""
        return tuple(name for name in OBJECTS if self.of(name).enabled)

    def stamped(self, before: "BridgeSettings | None", now: datetime) -> "BridgeSettings":
        """Objects that are written once begin when they are switched on: the moment is kept with their settings."""
        begun: dict[str, ObjectSettings] = {}
        for name in self.objects():
            old, new = before.of(name) if before else None, self.of(name)
            if OBJECTS[name].once and new.since is None:
                since = old.since if old and old.enabled and old.since else now.replace(microsecond=0)
                begun[name] = new.model_copy(update={"since": since})
        return self.model_copy(update=begun)

    def remapped(self, before: "BridgeSettings") -> dict[str, list[str]]:
        """By object, the billing fields that went with another field of the CRM before, or by other steps, or go with
        none any more: nothing is agreed on them, and the next field to go with them meets them anew.
        """
        maps = {
            name: [{pair.billing: _agreed_by(pair) for pair in each.of(name).pairs()} for each in (before, self)]
            for name in self.objects()
        }
        found = {name: [field for field in old if new.get(field) != old[field]] for name, (old, new) in maps.items()}
        return {name: fields for name, fields in found.items() if fields}

    def as_set(self, rule: Rule, object_: str) -> Rule:
        """A rule of an object with its winner: the field's own, the object's, or none, which leaves it to the bridge.

        What is worked out, such as a balance, says by an empty value that there is nothing any more.
        """
        on = self.of(object_)
        keeps = self.keep_filled and not OBJECTS[object_].facet
        return replace(rule, prefer=on.prefer.get(rule.name, on.wins), keeps=keeps)

    def of(self, object_: str) -> ObjectSettings:
        """Raises ValueError for an object that is not synced."""
        settings = getattr(self, object_, None)
        if not isinstance(settings, ObjectSettings):
            raise ValueError(f"{object_} is not synced")
        return settings


def _agreed_by(pair: Pair) -> tuple[object, ...]:
    return (pair.crm, pair.steps, pair.origin if pair.steps else None)
