"""Runs migrations on the database that the settings name, or on the connection that `app.migrations` hands over."""

from sqlalchemy import Connection, create_engine, make_url
from sqlmodel import SQLModel

import app.models  # noqa: F401 -- fills the metadata
from alembic import context
from app.db import open_database
from app.settings import Settings


def is_ours(name: str | None, kind: str, parent: object) -> bool:
    """The job engine's tables are made from its own schema."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, include_name=is_ours)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url, _ = open_database(Settings())
    with create_engine(make_url(url).set(drivername="postgresql+psycopg")).connect() as connection:
        run(connection)
        connection.commit()
