"""Alerts, the channels they are told through, and the indexes that conditions are found by."""

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        _id(),
        _text("kind"),
        _text("thing"),
        sa.Column("thing_id", sa.BigInteger(), nullable=False),
        _text("name"),
        _list("bridges"),
        sa.Column("level", sa.Integer(), server_default="1", nullable=False),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        _text("cure"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        _moment("ended_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    still = sa.text("ended_at IS NULL")
    op.create_index("alerts_open", "alerts", ["kind", "thing", "thing_id"], unique=True, postgresql_where=still)
    op.create_index("alerts_ended", "alerts", ["ended_at"])
    op.create_table(
        "channels",
        _id(),
        _text("name"),
        _text("kind"),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("settings", sa.dialects.postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _text("sealed"),
        _list("kinds"),
        _list("bridges"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _moment("sent_at"),
        _text("problem"),
        _moment("problem_since"),
        sa.Column("given_up", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    troubled = sa.text("state IN ('failed', 'conflict')")
    op.create_index("links_troubled", "links", ["bridge_id", "state"], postgresql_where=troubled)
    op.create_index(
        "events_heard", "events", ["connection_id", "id"], postgresql_where=sa.text("kind NOT IN ('poll', 'sweep')")
    )


def downgrade() -> None:
    op.drop_index("events_heard", "events")
    op.drop_index("links_troubled", "links")
    op.drop_table("channels")
    op.drop_table("alerts")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _list(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.dialects.postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)
