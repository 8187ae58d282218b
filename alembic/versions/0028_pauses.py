"""Who holds a bridge, or an object of it, and until when."""

import sqlalchemy as sa

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# What was paused before goes on when a person says so.
_PAUSED = """
    INSERT INTO pauses (bridge_id, source)
    SELECT id, 'bridge' FROM bridges WHERE NOT enabled AND live_since IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column(
            "bridge_id",
            sa.BigInteger,
            sa.ForeignKey("bridges.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actor", sa.Text, nullable=False, server_default=""),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    )
    op.execute(_PAUSED)


def downgrade() -> None:
    op.drop_table("pauses")
