"""How a problem is explained in answers."""

from pydantic import BaseModel, ConfigDict, Field

from app.explanations import explain


class ExplanationOut(BaseModel):
    """A problem in words for people."""

    model_config = ConfigDict(from_attributes=True)

    title: str
    cause: str
    cure: str
    retry_helps: bool = Field(description="Trying again may work without anything being changed before")


def explained(problem: str) -> ExplanationOut | None:
    words = explain(problem)
    return ExplanationOut.model_validate(words) if words else None
