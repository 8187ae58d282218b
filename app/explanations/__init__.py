"""What each problem of a record means, in words for the owner of a business: what happened, why, and what to do.

Pure: a name in (`links.problem`), sentences out. A test reads every name off the code, and refuses one without a row.
"""

from collections.abc import Mapping

from app.explanations.aside import CUT, LEFT_OUT
from app.explanations.explanation import READ_THE_REASON, Explanation
from app.explanations.trouble import DECISIONS, TROUBLE

__all__ = ["EXPLANATIONS", "Explanation", "explain"]

EXPLANATIONS: Mapping[str, Explanation] = {**TROUBLE, **DECISIONS, **LEFT_OUT, **CUT}

_UNKNOWN = Explanation(
    "It is not in step",
    "This version of Crossledger has no words for the reason; another version wrote it.",
    f"{READ_THE_REASON}. Update Crossledger, and retry.",
    True,
)


def explain(problem: str) -> Explanation | None:
    """None where there is no problem."""
    return EXPLANATIONS.get(problem, _UNKNOWN) if problem else None
