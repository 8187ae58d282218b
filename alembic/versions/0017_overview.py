"""The dashboard: records counted by bridge and state, the last day of events and activities, activities by kind."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("links_health", "links", ["bridge_id", "state"])
    op.create_index("activities_action", "activities", ["action", "id"])
    for name, table, column in (
        ("events_received", "events", "received_at"),
        ("activities_at", "activities", "at"),
    ):
        op.create_index(name, table, [column], postgresql_using="brin", postgresql_with={"pages_per_range": 32})


def downgrade() -> None:
    op.drop_index("activities_at", "activities")
    op.drop_index("events_received", "events")
    op.drop_index("activities_action", "activities")
    op.drop_index("links_health", "links")
