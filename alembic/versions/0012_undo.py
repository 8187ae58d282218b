"""Undo: what became of each value, and which event led to an activity."""

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def words(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def upgrade() -> None:
    op.add_column("activities", sa.Column("event_id", sa.BigInteger, nullable=True))
    op.create_table(
        "undo_items",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("link_id", sa.BigInteger, nullable=True),
        *(words(name) for name in ("object", "crm_id", "billing_id", "side", "field", "name", "now", "wrote", "back")),
        words("outcome", "restoring"),
        words("reason"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.UniqueConstraint("run_id", "link_id", "side", "name", name="undo_items_once"),
    )
    op.create_index("undo_items_run", "undo_items", ["run_id", "id"])


def downgrade() -> None:
    op.drop_table("undo_items")
    op.drop_column("activities", "event_id")
