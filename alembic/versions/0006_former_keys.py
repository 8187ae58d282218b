"""The webhook keys that connections had: webhooks with one of them are ours to take away, and no others."""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("former_keys", sa.Column("digest", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("digest"))


def downgrade() -> None:
    op.drop_table("former_keys")
