"""Deliveries are found by bridge and by kind, what was done by cause and by the side that was written."""

import sqlalchemy as sa

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_WRITTEN = """changes @? '$[*] ? (@.side == "{side}" && @.after != null)'"""


def upgrade() -> None:
    op.create_index("events_bridge", "events", ["bridge_id", "id"])
    op.create_index("events_kind", "events", ["kind", "id"])
    op.create_index("activities_cause", "activities", ["cause", "id"])
    for side in ("crm", "billing"):
        where = sa.text(_WRITTEN.format(side=side))
        op.create_index(f"activities_to_{side}", "activities", ["id"], postgresql_where=where)


def downgrade() -> None:
    for name in ("activities_to_billing", "activities_to_crm", "activities_cause"):
        op.drop_index(name, "activities")
    op.drop_index("events_kind", "events")
    op.drop_index("events_bridge", "events")
