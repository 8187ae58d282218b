"""When a token was entered, and what a vendor itself says to be left of its day."""

import sqlalchemy as sa

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connections", sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("budgets", sa.Column("told_left", sa.Integer(), nullable=True))
    op.add_column("budgets", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("budgets", "told_at")
    op.drop_column("budgets", "told_left")
    op.drop_column("connections", "entered_at")
