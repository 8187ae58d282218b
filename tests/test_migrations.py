"""A database of an older version, with what people had in it, is brought up to date."""

import psycopg
from alembic.config import Config
from sqlalchemy import create_engine, make_url

from alembic import command
from app.migrations import scripts, upgrade

_BEFORE_NAMES = "0017"
_ROWS = """
    INSERT INTO connections (id, provider, base_url, sealed) VALUES
        (1, 'highlevel', 'https://crm.example', ''), (2, 'invoice_ninja', 'https://billing.example', '');
    INSERT INTO bridges (id, name, crm_connection_id, billing_connection_id, settings)
        VALUES (1, 'Old', 1, 2, '{"prefer": "billing"}');
    INSERT INTO links (bridge_id, object, crm_id, billing_id, state, base_crm, base_billing) VALUES
        (1, 'contact', 'c1', 'b1', 'ok', '{"first_name": "Ada", "last_name": "Lovelace", "email": "ada@x.example"}',
            '{"first_name": "Ada", "last_name": "Byron", "email": "ada@x.example"}'),
        (1, 'contact', 'c2', 'b2', 'ok', '{"name": "Rossi S.r.l.", "email": "info@rossi.example"}', NULL),
        (1, 'contact', 'c3', NULL, 'pending', NULL, NULL),
        (1, 'invoice', 'c4', 'b4', 'unlinked', '{"number": "2026-7"}', '{}');
"""


def downgrade(url: str, revision: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()


def test_records_are_called_what_both_sides_had_agreed_on_and_settings_become_version_one(database: str) -> None:
    downgrade(database, _BEFORE_NAMES)
    with psycopg.connect(database) as connection:
        connection.execute(_ROWS)
    upgrade(database)
    with psycopg.connect(database) as connection:
        links = connection.execute("SELECT crm_id, name, words FROM links ORDER BY crm_id").fetchall()
        versions = connection.execute("SELECT bridge_id, number, settings ->> 'prefer' FROM bridge_versions").fetchall()
    assert links == [
        ("c1", "Ada Byron", "ada byron ada x example"),
        ("c2", "Rossi S.r.l.", "rossi s r l info rossi example"),
        ("c3", "", ""),
        ("c4", "2026-7", "2026 7"),
    ]
    assert versions == [(1, 1, "billing")]


def test_down_to_the_first_tables_and_up_again(database: str) -> None:
    downgrade(database, "0001")
    upgrade(database)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM links WHERE name = ''").fetchone() == (0,)
