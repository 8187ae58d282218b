"""What a vendor was asked and what it answered, of attempts that failed."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failed_exchanges",
        sa.Column("activity_id", sa.BigInteger(), sa.ForeignKey("activities.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("exchange", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("failed_exchanges")
