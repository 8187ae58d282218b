"""Webhooks that the service installs by itself, and what a probe warns of."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS: tuple[sa.Column[Any], ...] = (
    sa.Column("webhook_sealed", sa.Text(), server_default="", nullable=False),
    sa.Column("webhooks_managed", sa.Boolean(), server_default="false", nullable=False),
    sa.Column("webhooks_checked_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("webhooks_problem", sa.Text(), server_default="", nullable=False),
    sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
)


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("connections", column)


def downgrade() -> None:
    for column in reversed(_COLUMNS):
        op.drop_column("connections", column.name)
