"""What is answered of failures, alerts and the channels they are told through."""

from typing import Any

from pydantic import BaseModel, Field, computed_field

from app.api.explained import ExplanationOut, explained
from app.api.fields import Moment
from app.api.schemas import Out, Queued
from app.models.alert import AlertKind, ChannelKind, Thing
from app.notify.messages import Change, words
from app.notify.watch import condition_of


class GroupOut(Out):
    """Records of one bridge that are not in step for the same reason."""

    key: str = Field(description="To try them again: POST /failures/retry")
    bridge_id: int
    bridge: str = Field(description="Its name")
    problem: str
    reason: str = Field(description="With … for ids, numbers and quoted values")
    count: int
    example: int = Field(description="The id of one of their links")
    example_name: str = Field("", description="What people call its record")
    first_at: Moment = Field(description="When the first of them fell out of step")
    last_at: Moment

    @computed_field  # type: ignore[prop-decorator]
    @property
    def explanation(self) -> ExplanationOut | None:
        return explained(self.problem)


class FailuresOut(BaseModel):
    groups: list[GroupOut]
    records: int = Field(description="All records that are not in step")
    kinds: int = Field(description="All groups; more than are shown where there are more than `limit`")


class GroupRetried(Queued):
    records: int = Field(description="Records in the group")


class ChannelOut(Out):
    id: int
    name: str
    kind: ChannelKind
    enabled: bool
    settings: dict[str, Any] = Field(description="Where it leads, without what is secret of it")
    kinds: list[AlertKind] = Field(description="Empty: all")
    bridges: list[int] = Field(description="Empty: all")
    summary_hour: int | None = Field(description="Of the day (UTC) at which a daily summary comes; null: none does")
    created_at: Moment
    sent_at: Moment | None = Field(description="When a message last arrived")
    problem: str = Field(description="Why the last one did not; empty: it did, or there was none yet")
    problem_since: Moment | None
    given_up: int = Field(description="Messages that were tried for about a day, and never arrived")


class SigningSecret(BaseModel):
    secret: str = Field(repr=False, description="whsec_…; shown this once")


class NewChannelOut(ChannelOut):
    secret: str | None = Field(
        repr=False, description="Of a webhook: what its messages are signed with; shown this once"
    )


class TrialOut(BaseModel):
    sent: bool
    problem: str = Field(description="What went wrong; of an e-mail that was sent: the recipients who were refused")


class SaidOut(BaseModel):
    title: str
    text: str
    cure: str = Field(description="Empty where there is nothing to do any more")


class AlertOut(Out):
    id: int
    kind: AlertKind
    thing: Thing = Field(description="What it is about")
    thing_id: int
    name: str
    bridges: list[int] = Field(description="The bridges that it concerns")
    level: int = Field(description="Of a budget: 50, 70, 90 or 100 per cent")
    count: int = Field(description="Records, hours of silence, or calls of the day")
    cure: str = Field(exclude=True)
    since: Moment
    told_at: Moment = Field(description="When its last change was told")
    ended_at: Moment | None

    @computed_field(description="In words for people, as it was told")  # type: ignore[prop-decorator]
    @property
    def said(self) -> SaidOut:
        over = Change.ENDED if self.ended_at else Change.BEGAN
        return SaidOut(**dict(zip(("title", "text", "cure"), words(condition_of(self), over), strict=True)))
