"""Conflicts: what waits for a person, what was decided, and what is kept apart."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("links", sa.Column("conflicts", JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("links", sa.Column("decisions", JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("links", sa.Column("apart", sa.Boolean(), server_default="false", nullable=False))
    op.execute(
        "UPDATE links SET conflicts = CASE problem WHEN 'ambiguous' THEN '[\"ambiguous\"]'::jsonb"
        " WHEN 'deletion_met_edit' THEN '[\"deletion\"]'::jsonb ELSE '[\"total\"]'::jsonb END WHERE state = 'conflict'"
    )
    op.create_index("links_conflicts", "links", ["id"], postgresql_where=sa.text("conflicts <> '[]'"))
    op.create_index("links_decided", "links", ["bridge_id"], postgresql_where=sa.text("decisions <> '{}'"))


def downgrade() -> None:
    op.drop_index("links_decided", "links")
    op.drop_index("links_conflicts", "links")
    for column in ("apart", "decisions", "conflicts"):
        op.drop_column("links", column)
