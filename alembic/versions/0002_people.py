"""People who administer: users, sessions, API tokens, and the audit log."""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users",
        _id(),
        _text("email"),
        _text("password_hash"),
        _text("role", "viewer"),
        _born("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email", name="users_email"),
    )
    op.create_table(
        "sessions",
        _id(),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        _text("digest"),
        _born("created_at"),
        _born("seen_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest", name="sessions_digest"),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "api_tokens",
        _id(),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        _text("name"),
        _text("digest"),
        _text("role", "viewer"),
        _born("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest", name="api_tokens_digest"),
    )
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "setup_links",
        _id(),
        _text("digest"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest", name="setup_links_digest"),
    )
    op.create_table(
        "login_failures",
        _id(),
        _text("account"),
        _text("address"),
        _born("at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("login_failures_account", "login_failures", ["account", "at"], unique=False)
    op.create_index("login_failures_address", "login_failures", ["address", "at"], unique=False)
    op.create_index("login_failures_at", "login_failures", ["at"], unique=False)
    op.create_table(
        "audit",
        _id(),
        _born("at"),
        _text("actor"),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        _text("address"),
        _text("action"),
        _text("thing"),
        _text("detail"),
        _text("outcome"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_actor", "audit", ["actor", "id"], unique=False)
    op.create_index("audit_action", "audit", ["action", "id"], unique=False)


def downgrade() -> None:
    for table in ("audit", "login_failures", "setup_links", "api_tokens", "sessions", "users"):
        op.drop_table(table)


def _id() -> "sa.Column[int]":
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _text(name: str, default: str = "") -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _born(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
