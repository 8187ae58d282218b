"""OAuth: token pairs, visits to a page of consent, and what kind of connection it is."""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connections", sa.Column("kind", sa.Text(), server_default="account", nullable=False))
    op.add_column("connections", sa.Column("auth", sa.Text(), server_default="entered", nullable=False))
    op.create_table(
        "tokens",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Text(), server_default="", nullable=False),
        sa.Column("scopes", sa.Text(), server_default="", nullable=False),
        sa.Column("company_id", sa.Text(), server_default="", nullable=False),
        sa.Column("agency", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim", sa.Text(), server_default="", nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id"),
    )
    op.create_index("tokens_expiry", "tokens", ["expires_at"], unique=False)
    op.create_table(
        "oauth_states",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("provider", sa.Text(), server_default="", nullable=False),
        sa.Column("principal", sa.Text(), server_default="", nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("oauth_states_digest", "oauth_states", ["digest"], unique=True)


def downgrade() -> None:
    op.drop_table("oauth_states")
    op.drop_table("tokens")
    op.drop_column("connections", "auth")
    op.drop_column("connections", "kind")
