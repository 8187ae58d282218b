"""Status pages of bridges, opened by an address that nobody guesses."""

import sqlalchemy as sa

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "status_pages",
        sa.Column(
            "bridge_id",
            sa.BigInteger,
            sa.ForeignKey("bridges.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("digest", sa.Text, nullable=False, server_default=""),
        sa.Column("heading", sa.Text, nullable=False, server_default=""),
        sa.Column("actor", sa.Text, nullable=False, server_default=""),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("status_pages_digest", "status_pages", ["digest"], unique=True)


def downgrade() -> None:
    op.drop_table("status_pages")
