"""Notes inside a text of a client, each a block that people can read, and all else left to the letter. Pure.

[Note of 2026-11-21 #3fa29c1b]
He wants an offer.
[End of note #3fa29c1b]
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

_BLOCK = re.compile(
    r"\[Note of (?P<day>\d{4}-\d\d-\d\d) #(?P<id>[0-9a-f]{8})(?P<deleted>, deleted in the CRM)?\]\n"
    r"(?P<text>.*?)\n?\[End of note #(?P=id)\]",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    id: str
    day: date
    text: str
    deleted: bool = False

    def __str__(self) -> str:
        gone = ", deleted in the CRM" if self.deleted else ""
        return f"[Note of {self.day.isoformat()} #{self.id}{gone}]\n{self.text}\n[End of note #{self.id}]"


def block_id(crm_id: str) -> str:
    """The same for the same note always, so that a block whose answer was lost is found again."""
    return sha256(crm_id.encode()).hexdigest()[:8]


def blocks(text: str) -> Sequence[Block]:
    found = _BLOCK.finditer(text.replace("\r\n", "\n"))
    return [Block(each["id"], date.fromisoformat(each["day"]), each["text"], bool(each["deleted"])) for each in found]


def with_block(text: str, block: Block) -> str:
    """`text` with the block in the place that it had, or else at its end."""
    text = text.replace("\r\n", "\n")
    for found in _BLOCK.finditer(text):
        if found["id"] == block.id:
            return text[: found.start()] + str(block) + text[found.end() :]
    return f"{text}\n\n{block}" if text.strip() else str(block)
