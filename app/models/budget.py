"""What a connection may still spend of its vendor's rate limit, shared by all workers on all machines."""

from datetime import date, datetime

from sqlalchemy import Column, Date, DateTime, Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from app.models.columns import moment, number, shared_key


class Budget(SQLModel, table=True):
    """`recent`: times of the calls within the last interval. `line`: when the last job that waits will come back.

    `told_left`: calls that the vendor itself said to be left of its day, at `told_at`.
    """

    __tablename__ = "budgets"

    connection_id: int = shared_key("connections.id")
    recent: list[datetime] = Field(
        default_factory=list, sa_column=Column(ARRAY(DateTime(timezone=True)), nullable=False, server_default="{}")
    )
    line: datetime | None = moment()
    blocked_until: datetime | None = moment()
    day: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    day_calls: int = number(0)
    told_left: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    told_at: datetime | None = moment()
