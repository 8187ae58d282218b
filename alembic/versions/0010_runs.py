"""Runs: long work on a bridge, and which activities belong to one."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def document(name: str) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text("'{}'"))


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("bridge_id", sa.BigInteger, sa.ForeignKey("bridges.id", ondelete="CASCADE"), nullable=False),
        words("kind"),
        sa.Column("state", sa.Text, nullable=False, server_default="running"),
        document("options"),
        document("position"),
        document("counts"),
        number("total"),
        number("done"),
        words("detail"),
        number("tries"),
        words("actor"),
        words("claim"),
        sa.Column("worked", sa.Float, nullable=False, server_default="0"),
        moment("beat_at"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        moment("ended_at"),
    )
    op.create_index("runs_bridge", "runs", ["bridge_id", "id"])
    op.create_index(
        "runs_active",
        "runs",
        ["bridge_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state IN ('running', 'paused')"),
    )
    op.add_column("activities", sa.Column("run_id", sa.BigInteger, nullable=True))
    op.create_index("activities_run", "activities", ["run_id", "id"], postgresql_where=sa.text("run_id IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("activities_run", "activities")
    op.drop_column("activities", "run_id")
    op.drop_table("runs")
