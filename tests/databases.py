"""Fresh, migrated databases for tests: a used one is emptied, which takes 10 ms; making one takes up to a second."""

import secrets
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

# Nobody needs the data of a test after a power failure.
_FASTER: tuple[LiteralString, ...] = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "SELECT pg_reload_conf()",
)
_TERMINATE = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()
       AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_TABLES = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
       AND relname <> 'alembic_version'
"""
_RESTART = """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
     WHERE last_value IS NOT NULL
"""
# What a test has done besides rows: to tables, triggers, functions, or to what the planner knows of their size.
_FORM = """
    SELECT (SELECT string_agg(concat(relname, relkind, attname), ',' ORDER BY relname, attnum)
              FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE relnamespace = 'public'::regnamespace),
           (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_constraint),
           (SELECT bool_or(relpages > 500 OR pg_relation_size(oid) > 250000) FROM pg_class
             WHERE relnamespace = 'public'::regnamespace),
           pg_database_size(current_database()) > 25000000
"""


def named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@dataclass(slots=True)
class Databases:
    """`template`: the URL of one that is migrated and that nobody uses."""

    template: str
    _idle: list[str] = field(default_factory=list)
    _form: tuple[object, ...] | None = None

    @staticmethod
    def hurry(url: str) -> None:
        """Of a whole server, which must be one for tests alone."""
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in _FASTER:
                connection.execute(statement)

    def take(self) -> str:
        """The URL of an empty one."""
        if self._idle:
            return self._idle.pop()
        name = f"test_{secrets.token_hex(6)}"
        source = make_url(self.template).database or ""
        with self._admin() as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, source))))
        url = named(self.template, name)
        if self._form is None:
            with psycopg.connect(url) as connection:
                self._form = connection.execute(_FORM).fetchone()
        return url

    def give_back(self, url: str) -> None:
        """It is emptied, or dropped where a test left more than rows behind."""
        if self._is_empty_again(url):
            self._idle.append(url)
            return
        name = sql.Identifier(make_url(url).database or "")
        with self._admin() as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def close(self) -> None:
        with self._admin() as admin:
            for url in self._idle:
                name = sql.Identifier(make_url(url).database or "")
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def _is_empty_again(self, url: str) -> bool:
        try:
            with psycopg.connect(url) as connection:
                connection.execute(_TERMINATE)
                if connection.execute(_FORM).fetchone() != self._form:
                    return False
                connection.execute("SET LOCAL session_replication_role = replica")  # in any order, and no triggers
                for (table,) in connection.execute(_TABLES).fetchall():
                    connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                connection.execute(_RESTART)
        except psycopg.Error:
            return False
        return True

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(named(self.template, "postgres"), autocommit=True)
