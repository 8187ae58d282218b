"""The set-up of a bridge: the steps that a person has been through."""

import sqlalchemy as sa

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "set_up_steps",
        sa.Column(
            "bridge_id",
            sa.BigInteger,
            sa.ForeignKey("bridges.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("step", sa.Text, primary_key=True),
        sa.Column("actor", sa.Text, nullable=False, server_default=""),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    )


def downgrade() -> None:
    op.drop_table("set_up_steps")
