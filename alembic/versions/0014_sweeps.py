"""Sweeps: how far each object has been read, when a bridge was swept, what webhooks missed, what was heard last."""

import sqlalchemy as sa

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def bridge() -> sa.Column[int]:
    return sa.Column("bridge_id", sa.BigInteger, sa.ForeignKey("bridges.id", ondelete="CASCADE"), primary_key=True)


def key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def upgrade() -> None:
    op.create_table("sweeps", bridge(), moment("silent_at"), moment("changed_at"), moment("full_at"))
    op.create_table(
        "cursors",
        bridge(),
        key("side"),
        key("object"),
        moment("begun_at"),
        moment("read_to"),
        moment("compared_at"),
        sa.Column("problem", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "missed_events",
        bridge(),
        sa.Column("day", sa.Date, primary_key=True),
        key("side"),
        key("object"),
        number("missed"),
        number("repaired"),
        moment("last_at"),
    )
    op.create_index("events_swept", "events", ["connection_id", "id"], postgresql_where=sa.text("kind = 'sweep'"))


def downgrade() -> None:
    op.drop_index("events_swept", "events")
    for table in ("missed_events", "cursors", "sweeps"):
        op.drop_table(table)
