"""Records that wait for the one they belong to."""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("links", sa.Column("waits_for", sa.Text(), server_default="", nullable=False))
    op.create_index("links_waiting", "links", ["bridge_id", "waits_for"], postgresql_where=sa.text("waits_for <> ''"))


def downgrade() -> None:
    op.drop_index("links_waiting", "links")
    op.drop_column("links", "waits_for")
