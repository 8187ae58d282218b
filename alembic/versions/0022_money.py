"""What records are called, lists of them by object and state, and the money that they are about."""

import sqlalchemy as sa

from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None

_WORDS = sa.text("array_to_tsvector(string_to_array(words, ' '::text))")
# Until a record is read again, it is called what both sides had agreed on.
_CALLED = r"""
    UPDATE links SET name = called.name,
           words = lower(trim(regexp_replace(called.name || ' ' || called.email, '[^[:alnum:]]+', ' ', 'g')))
      FROM (
          SELECT l.id, coalesce(b ->> 'email', '') AS email, left(coalesce(
                     nullif(concat_ws(' ', nullif(b ->> 'first_name', ''), nullif(b ->> 'last_name', '')), ''),
                     nullif(b ->> 'name', ''), nullif(b ->> 'email', ''), nullif(b ->> 'title', ''),
                     nullif(b ->> 'number', ''), nullif(b ->> 'body', ''), nullif(b ->> 'amount', ''), ''), 120) AS name
            FROM links l, LATERAL (SELECT coalesce(l.base_crm, '{}') || coalesce(l.base_billing, '{}') AS b) base
      ) called
     WHERE called.id = links.id AND called.name <> ''
"""
# In the database, for a pair may be cut in many places: from then on nobody reads what it owes.
_FORGET = """
    CREATE FUNCTION forget_amount() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM amounts WHERE link_id = NEW.id;
        RETURN NULL;
    END $$
"""
_CUT = """
    CREATE TRIGGER links_cut AFTER UPDATE OF state ON links FOR EACH ROW
    WHEN (NEW.state = 'unlinked' AND OLD.state <> 'unlinked') EXECUTE FUNCTION forget_amount()
"""


def upgrade() -> None:
    op.add_column("links", sa.Column("name", sa.Text(), nullable=False, server_default=""))
    op.add_column("links", sa.Column("words", sa.Text(), nullable=False, server_default=""))
    op.execute(_CALLED)
    op.create_index("links_words", "links", [_WORDS], postgresql_using="gin")
    op.create_index("links_listed", "links", ["bridge_id", "object", "state", "id"])
    op.create_table(
        "amounts",
        sa.Column("link_id", sa.BigInteger(), sa.ForeignKey("links.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("bridge_id", sa.BigInteger(), nullable=True),
        sa.Column("object", sa.Text(), nullable=False, server_default=""),
        sa.Column("currency", sa.Text(), nullable=False, server_default=""),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("open", sa.Numeric(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    )
    op.create_index(
        "amounts_open", "amounts", ["bridge_id", "object", "currency"],
        postgresql_include=["open", "read_at"], postgresql_where=sa.text("open <> 0"),
    )  # fmt: skip
    op.create_index(
        "amounts_day", "amounts", ["day"],
        postgresql_include=["bridge_id", "object", "currency", "amount"], postgresql_where=sa.text("day IS NOT NULL"),
    )  # fmt: skip
    op.execute(_FORGET)
    op.execute(_CUT)


def downgrade() -> None:
    op.execute("DROP TRIGGER links_cut ON links")
    op.execute("DROP FUNCTION forget_amount")
    op.drop_table("amounts")
    op.drop_index("links_listed", "links")
    op.drop_index("links_words", "links")
    op.drop_column("links", "words")
    op.drop_column("links", "name")
