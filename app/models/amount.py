"""Amounts: the money that a linked record is about, as billing last showed it."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Column, Date, Index, Numeric, text
from sqlmodel import Field, SQLModel

from app.models.columns import born, reference_unchecked, shared_key, words


class Amount(SQLModel, table=True):
    """`amount`: what an invoice charges, or what was paid, less refunds; `day`: on which day. `open`: what is unpaid,
    of an invoice or of a client's balance. Nothing of a draft, of what is void, and of a pair that was cut.

    `read_at`: when these amounts were first read as they are.
    """

    __tablename__ = "amounts"
    __table_args__ = (
        Index("amounts_open", "bridge_id", "object", "currency", postgresql_include=["open", "read_at"],
              postgresql_where=text("open <> 0")),
        Index("amounts_day", "day", postgresql_include=["bridge_id", "object", "currency", "amount"],
              postgresql_where=text("day IS NOT NULL")),
    )  # fmt: skip

    link_id: int = shared_key("links.id")
    bridge_id: int | None = reference_unchecked()
    object: str = words()
    currency: str = words()
    amount: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    open: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    day: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    read_at: datetime | None = born()
