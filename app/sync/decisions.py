"""Conflicts that a person decides, and what they can decide. Stored with the link, as JSON. Pure."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from app.sync.carrying import typed
from app.sync.fieldmap import Rule
from app.sync.records import Side


class ConflictKind(StrEnum):
    FIELD = "field"  # both sides changed it, or it differed when they were first linked
    AMBIGUOUS = "ambiguous"  # several records could be the partner, or the only one is taken
    CURRENCY = "currency"
    TOTAL = "total"
    DELETION = "deletion"  # one side was deleted, the other one edited
    REQUIRED = "required"  # any other field that must not differ


class Take(StrEnum):
    """Whose value counts, or one that a person typed."""

    CRM = "crm"
    BILLING = "billing"
    VALUE = "value"


class Deed(StrEnum):
    """After a deletion that met an edit: delete the edited record as well, keep it alone, or bring the other back."""

    DELETE = "delete"
    KEEP = "keep"
    RESTORE = "restore"


class Decided(BaseModel):
    """`by`: who decided, as the audit log calls them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: str = ""


class Decision(Decided):
    """Of a field, by somebody who has seen these two values of it; it says nothing of others."""

    take: Take
    crm: str
    billing: str
    value: str = ""


class Partner(Decided):
    """Which record is the partner."""

    id: str
    part: str = ""


class Apart(Decided):
    """The record is none of these. `create`: it gets a partner of its own."""

    candidates: tuple[str, ...] = ()
    create: bool = False


class Parting(Decided):
    """What becomes of the edited record, whose edits were these values, by rule name."""

    deed: Deed
    edits: dict[str, str]


class Decisions(BaseModel):
    """All that was decided of one link and not carried out yet. `fields`: by rule name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: dict[str, Decision] = Field(default_factory=dict)
    partner: Partner | None = None
    apart: Apart | None = None
    parting: Parting | None = None

    @property
    def by(self) -> str:
        """Everybody who has decided something of it."""
        single = (each for each in (self.partner, self.apart, self.parting) if each)
        return ", ".join(dict.fromkeys(each.by for each in (*self.fields.values(), *single)))


def standing(decision: Decision, rule: Rule, crm: str, billing: str) -> Decision | None:
    """The decision, if it is about these two values. Of a typed one a side may be written already, and the other not.

    None: somebody has changed one of them since.
    """
    seen = {Side.CRM: (decision.crm, crm), Side.BILLING: (decision.billing, billing)}
    typing = decision.take is Take.VALUE
    for side, (before, now) in seen.items():
        if now != before and not (typing and now == typed(rule, side, decision.value).value):
            return None
    return decision.model_copy(update={"crm": crm, "billing": billing})
