"""Plans: the records that were read, and what is to be done with each."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def documents(name: str) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text("'[]'"))


def of_run(*, key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "run_id",
        sa.BigInteger,
        sa.ForeignKey("runs.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=key,
        autoincrement=False,
    )


def upgrade() -> None:
    op.create_table(
        "snapshots",
        of_run(key=True),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("object", "side", "external_id")),
        sa.Column("record", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("keys", ARRAY(sa.Text), nullable=False, server_default="{}"),
    )
    op.create_index("snapshots_keys", "snapshots", ["keys"], postgresql_using="gin")
    op.create_table(
        "plan_items",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        of_run(),
        words("object"),
        words("side"),
        sa.Column("crm_id", sa.Text, nullable=True),
        sa.Column("billing_id", sa.Text, nullable=True),
        words("title"),
        words("action"),
        sa.Column("state", sa.Text, nullable=False, server_default="planned"),
        words("problem"),
        words("detail"),
        documents("changes"),
        documents("effects"),
        documents("candidates"),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("plan_items_run", "plan_items", ["run_id", "state", "id"])
    op.create_index("plan_items_crm", "plan_items", ["run_id", "object", "crm_id"], unique=True)
    op.create_index("plan_items_billing", "plan_items", ["run_id", "object", "billing_id"], unique=True)
    op.create_index(
        "plan_items_parts",
        "plan_items",
        ["run_id", "object", sa.text("split_part(billing_id, '/', 1)")],
        postgresql_where=sa.text("strpos(billing_id, '/') > 0"),
    )
    op.add_column("bridges", sa.Column("live_since", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE bridges SET live_since = created_at WHERE enabled")


def downgrade() -> None:
    op.drop_column("bridges", "live_since")
    op.drop_table("plan_items")
    op.drop_table("snapshots")
