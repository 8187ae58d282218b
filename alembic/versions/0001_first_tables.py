"""The first tables, and the job engine's own schema."""

import procrastinate.schema
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


PENDING = sa.text("state = 'pending'")
TWINS = sa.text("match_key IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "connections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("provider", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("state_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("base_url", sa.Text(), server_default="", nullable=False),
        sa.Column("account_id", sa.Text(), server_default="", nullable=False),
        sa.Column("sealed", sa.Text(), server_default="", nullable=False),
        sa.Column("webhook_key_digest", sa.Text(), nullable=True),
        sa.Column("webhook_secret_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("provider", "base_url", "account_id", name="connections_account"),
        sa.UniqueConstraint("webhook_key_digest", name="connections_webhook_key"),
    )
    op.create_table(
        "bridges",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("crm_connection_id", sa.BigInteger(), nullable=False),
        sa.Column("billing_connection_id", sa.BigInteger(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["billing_connection_id"], ["connections.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["crm_connection_id"], ["connections.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("crm_connection_id", "billing_connection_id", name="bridges_pair"),
    )
    op.create_index(op.f("ix_bridges_billing_connection_id"), "bridges", ["billing_connection_id"], unique=False)
    op.create_table(
        "budgets",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("recent", postgresql.ARRAY(sa.DateTime(timezone=True)), server_default="{}", nullable=False),
        sa.Column("line", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("day_calls", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery", sa.Text(), server_default="", nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=True),
        sa.Column("bridge_id", sa.BigInteger(), nullable=True),
        sa.Column("provider", sa.Text(), server_default="", nullable=False),
        sa.Column("side", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("object", sa.Text(), server_default="", nullable=False),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("deliveries", sa.Integer(), server_default="1", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("delivery", name="events_delivery"),
    )
    op.create_index(
        "events_pending",
        "events",
        ["bridge_id", "object", "side", "external_id"],
        unique=False,
        postgresql_where=PENDING,
    )
    op.create_index("events_pending_since", "events", ["received_at"], unique=False, postgresql_where=PENDING)
    op.create_index("events_record", "events", ["external_id", "id"], unique=False)
    op.create_index("events_state", "events", ["state", "id"], unique=False)
    op.create_table(
        "links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("bridge_id", sa.BigInteger(), nullable=False),
        sa.Column("object", sa.Text(), server_default="", nullable=False),
        sa.Column("crm_id", sa.Text(), nullable=True),
        sa.Column("billing_id", sa.Text(), nullable=True),
        sa.Column("billing_part", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("base_crm", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("base_billing", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("held", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "candidates", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim", sa.Text(), server_default="", nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("match_key", sa.Text(), nullable=True),
        sa.Column("creating", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["bridge_id"], ["bridges.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("bridge_id", "object", "billing_id", name="links_billing"),
        sa.UniqueConstraint("bridge_id", "object", "crm_id", name="links_crm"),
    )
    op.create_index("links_billing_id", "links", ["billing_id", "id"], unique=False)
    op.create_index("links_bridge", "links", ["bridge_id", "id"], unique=False)
    op.create_index("links_crm_id", "links", ["crm_id", "id"], unique=False)
    op.create_index("links_state", "links", ["state", "id"], unique=False)
    op.create_index("links_twins", "links", ["bridge_id", "object", "match_key"], unique=True, postgresql_where=TWINS)
    op.create_table(
        "activities",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("bridge_id", sa.BigInteger(), nullable=False),
        sa.Column("link_id", sa.BigInteger(), nullable=True),
        sa.Column("object", sa.Text(), server_default="", nullable=False),
        sa.Column("crm_id", sa.Text(), server_default="", nullable=False),
        sa.Column("billing_id", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["bridge_id"], ["bridges.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("activities_bridge", "activities", ["bridge_id", "id"], unique=False)
    op.create_index("activities_link", "activities", ["link_id", "id"], unique=False)
    # Its text has semicolons in function bodies and percent signs: it goes to the driver as it is.
    op.get_bind().exec_driver_sql(procrastinate.schema.SchemaManager.get_schema().replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("the first tables are not taken away again: restore a backup instead")
