"""Indexes: the parts of a billing record, and pairs of which one side is being made."""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "links_coming", "links", ["bridge_id", "object", "creating"], postgresql_where=sa.text("creating <> ''")
    )
    op.create_index(
        "links_parts",
        "links",
        ["bridge_id", "object", sa.text("split_part(billing_id, '/', 1)")],
        postgresql_where=sa.text("strpos(billing_id, '/') > 0"),
    )


def downgrade() -> None:
    op.drop_index("links_parts", "links")
    op.drop_index("links_coming", "links")
