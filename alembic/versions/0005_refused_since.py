"""Since when a vendor refuses a connection's credentials."""

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connections", sa.Column("refused_since", sa.DateTime(timezone=True), nullable=True))
    # When it began is not known of those that are refused already.
    op.execute("UPDATE connections SET refused_since = now() WHERE state = 'needs_reconnect'")


def downgrade() -> None:
    op.drop_column("connections", "refused_since")
