"""What a provider can do, and why not."""

from dataclasses import dataclass
from enum import StrEnum


class Support(StrEnum):
    NATIVE = "native"
    IMPORT = "import"
    LOCAL = "local"
    NONE = "none"


class Lists(StrEnum):
    """What `Records.each` goes through."""

    ALL = "all"  # every live record: one that is missing may be gone
    SOME = "some"  # those that may have news
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Capability:
    """`unlisted`: why the records cannot be gone through, so that no sweep finds what webhooks missed of them."""

    support: Support
    reason: str = ""
    lists: Lists = Lists.ALL
    unlisted: str = ""
