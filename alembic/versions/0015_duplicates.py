"""Duplicates: what a search reads, its clusters, and people's decisions."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def id_() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)


def owner(name: str, target: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(target, ondelete="CASCADE"), nullable=False)


def words(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def document(name: str, default: str) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text(f"'{default}'"))


def moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def born() -> sa.Column[object]:
    return sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))


def upgrade() -> None:
    op.create_table(
        "duplicate_records",
        id_(),
        owner("run_id", "runs.id"),
        words("side"),
        words("external_id"),
        sa.Column("label", sa.BigInteger, nullable=True),
        document("card", "{}"),
        moment("made_at"),
        moment("changed_at"),
        sa.UniqueConstraint("run_id", "side", "external_id", name="duplicate_records_once"),
    )
    op.create_table(
        "duplicate_keys",
        sa.Column(
            "record_id", sa.BigInteger, sa.ForeignKey("duplicate_records.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        words("side"),
    )
    op.create_index("duplicate_keys_shared", "duplicate_keys", ["run_id", "side", "kind", "key"])
    op.create_table(
        "duplicate_clusters",
        id_(),
        owner("bridge_id", "bridges.id"),
        words("side"),
        words("state", "open"),
        document("keys", "[]"),
        document("members", "[]"),
        sa.Column("merging", JSONB(none_as_null=True), nullable=True),
        words("actor"),
        born(),
        moment("decided_at"),
    )
    op.create_index("duplicate_clusters_bridge", "duplicate_clusters", ["bridge_id", "side", "state", "id"])
    op.create_table(
        "duplicate_dismissals",
        id_(),
        owner("bridge_id", "bridges.id"),
        words("side"),
        document("ids", "[]"),
        words("actor"),
        born(),
    )
    op.create_index("duplicate_dismissals_ids", "duplicate_dismissals", ["ids"], postgresql_using="gin")
    op.create_table(
        "duplicate_common",
        id_(),
        owner("bridge_id", "bridges.id"),
        words("side"),
        words("kind"),
        words("key"),
        sa.Column("records", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("duplicate_common_bridge", "duplicate_common", ["bridge_id", "id"])


def downgrade() -> None:
    for table in ("common", "dismissals", "clusters", "keys", "records"):
        op.drop_table(f"duplicate_{table}")
