"""What is said of one problem."""

from dataclasses import dataclass

READ_THE_REASON = "Read the reason beside the record"


@dataclass(frozen=True, slots=True)
class Explanation:
    """`cure`: what a person does. `retry_helps`: trying again may work without anything being changed before."""

    title: str
    cause: str
    cure: str
    retry_helps: bool
