"""Settings of bridges are counted: an attempt that began under old ones is not stored under new ones."""

import sqlalchemy as sa

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# In the database, for settings are written in several places.
_REVISE = """
    CREATE FUNCTION revise_bridge() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.revision = OLD.revision + 1;
        RETURN NEW;
    END $$
"""
_REVISED = """
    CREATE TRIGGER bridges_revised BEFORE UPDATE OF settings ON bridges FOR EACH ROW
    WHEN (OLD.settings IS DISTINCT FROM NEW.settings) EXECUTE FUNCTION revise_bridge()
"""


def upgrade() -> None:
    op.add_column("bridges", sa.Column("revision", sa.Integer, nullable=False, server_default="0"))
    op.execute(_REVISE)
    op.execute(_REVISED)


def downgrade() -> None:
    op.execute("DROP TRIGGER bridges_revised ON bridges")
    op.execute("DROP FUNCTION revise_bridge()")
    op.drop_column("bridges", "revision")
