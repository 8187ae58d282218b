"""Failures, named by what the caller does next.

    CrossledgerError
    ├── Retry                 try again later: the vendor or the network is in trouble; burns a try
    │   ├── AnswerLost        as Retry, but a write went out and nobody knows whether it took effect
    │   └── InternalError     as Retry, and the trouble is a bug of ours
    ├── Wait                  try again at a known time: a budget is used up, a record is busy; burns no try
    │   └── Inactive          ... the account itself sleeps at the vendor; its credentials stay good
    ├── Reconnect             the credentials are refused: the connection waits for a person
    ├── Rejected              the vendor understood and refuses: a person must change something
    │   ├── Forbidden         ... namely a permission or scope of the credentials
    │   ├── Conflict          ... or it might take it, and we must not send it: a person decides
    │   ├── Duplicate         ... because it has such a record already, and says which
    │   └── OutOfDate         ... or we do, because it no longer fits with what is there: look again
    ├── Choice                one of several must be named by a person: these
    ├── Gone                  the record does not exist on that side any more
    ├── Several               the id stands for several records, which are looked at one by one
    ├── Unsupported           the provider cannot do this at all, with its reason
    ├── BadSignature          a delivery that is not proven to come from the provider
    ├── BadPayload            a delivery that is proven, and unreadable
    └── ConfigurationError    the service cannot start like this; the text says what to set

`app.jobs` turns Retry, Wait, Reconnect and Rejected into the next state of a record; `app.web` and `app.api`
turn the others into answers.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.providers.exchange import Exchange

# eq=False below: an exception must stay hashable.


class CrossledgerError(Exception):
    """Root of every failure we name. `exchange`: what was asked and answered, where it came of a call to a vendor."""

    exchange: "Exchange | None" = None


@dataclass(eq=False)
class Retry(CrossledgerError):
    """`after`: seconds the vendor asked us to wait, None where it did not say."""

    reason: str
    after: float | None = None

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class AnswerLost(Retry):
    """A write left us and no answer came back: read before writing again."""


@dataclass(eq=False)
class InternalError(Retry):
    """An exception that nobody had foreseen; its traceback is in the log."""


@dataclass(eq=False)
class Wait(CrossledgerError):
    """`seconds` from now. `why` is a word for logs and metrics: budget, busy."""

    seconds: float
    why: str

    def __str__(self) -> str:
        return f"waits {self.seconds:.1f} s: {self.why}"


INACTIVE = 900.0


class Inactive(Wait):
    """The vendor says that the account is not active at the moment: keep its credentials, look again later."""

    def __init__(self, reason: str) -> None:
        super().__init__(INACTIVE, reason)

    def __str__(self) -> str:
        return self.why


@dataclass(eq=False)
class Reconnect(CrossledgerError):
    """`connection`: our id of the one that was refused, 0 while it is not stored yet."""

    reason: str
    connection: int = 0

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class Rejected(CrossledgerError):
    """`fields` maps the vendor's field names to its complaints, where it named them."""

    reason: str
    status: int = 0
    fields: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class Forbidden(Rejected):
    """A scope or permission is missing; `reason` has the vendor's words."""


@dataclass(eq=False)
class Conflict(Rejected):
    """Money that would not be the same on both sides; `reason` says what stands where.

    `kind`: a `sync.decisions.ConflictKind`.
    """

    kind: str = "total"


@dataclass(eq=False)
class Duplicate(Rejected):
    """`existing`: the vendor's id of the record that it has already."""

    existing: str = ""


@dataclass(eq=False)
class OutOfDate(Rejected):
    """Somebody decides about what is not, or no longer, as they think."""


@dataclass(eq=False)
class Choice(CrossledgerError):
    """`choices`: what to send for each, and what it is called."""

    reason: str
    choices: dict[str, str]

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class Gone(CrossledgerError):
    reason: str = "the record does not exist any more"

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class Several(CrossledgerError):
    """`ids`: the vendor's, of records of the same object; none where there are none."""

    ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.ids)} records"


@dataclass(eq=False)
class Unsupported(CrossledgerError):
    capability: str
    reason: str

    def __str__(self) -> str:
        return f"{self.capability}: {self.reason}"


class BadSignature(CrossledgerError):
    """Nothing of such a delivery is stored."""


class BadPayload(CrossledgerError):
    """The text says what is wrong with the delivery."""


class ConfigurationError(CrossledgerError):
    """The text is shown to the operator as it is."""
