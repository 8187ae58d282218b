"""Sealing everything anew: nothing is lost, nothing is missed, and the service does not notice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

import app.models  # noqa: F401 -- fills the metadata
from app.db import Database
from app.rotation import SEALED, Rotation, rotate, told
from app.vault import Vault
from tests.command import SECRETS, crossledger, environment

OLD, NEW, LOST = (f"{name}-key-of-an-installation-0123456789" for name in ("old", "new", "lost"))
_ADD = "INSERT INTO connections (provider, name, account_id, sealed) VALUES ('highlevel', 'x', :account, :sealed)"


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    db = Database.at(database)
    yield db.engine
    await db.dispose()


async def store(engine: AsyncEngine, *sealed: str) -> None:
    async with engine.begin() as connection:
        for text_ in sealed:
            counted = await connection.scalar(text("SELECT count(*) FROM connections"))
            await connection.execute(text(_ADD), {"account": f"a{counted}", "sealed": text_})


async def stored(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.scalars(text("SELECT sealed FROM connections ORDER BY id"))).all())


def sealed(vault: Vault, count: int) -> list[str]:
    return [vault.seal({"token": f"t-{n}"}) for n in range(count)]


def opened(vault: Vault, texts: Sequence[str]) -> list[str]:
    return [vault.unseal(each)["token"] for each in texts]


def test_every_sealed_column_is_in_the_list() -> None:
    listed = {(model.__tablename__, column) for model, column in SEALED}
    named = {
        (table.name, column.name)
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if "sealed" in column.name
    }
    assert listed == named
    assert named


async def test_everything_is_sealed_anew_in_batches_and_opens_without_the_old_key(engine: AsyncEngine) -> None:
    await store(engine, *sealed(Vault(OLD), 7))
    assert await rotate(engine, Vault(NEW, OLD), batch=3) == Rotation(resealed=7, left=0, unreadable=0)
    assert opened(Vault(NEW), await stored(engine)) == [f"t-{n}" for n in range(7)]


async def test_a_second_run_changes_nothing(engine: AsyncEngine) -> None:
    await store(engine, *sealed(Vault(OLD), 3))
    vault = Vault(NEW, OLD)
    await rotate(engine, vault)
    before = await stored(engine)
    assert await rotate(engine, vault) == Rotation(resealed=0, left=0, unreadable=0)
    assert await stored(engine) == before


async def test_what_none_of_the_keys_opens_is_left_as_it_is_and_told(engine: AsyncEngine) -> None:
    lost = Vault(LOST).seal({"token": "t"})
    await store(engine, lost, Vault(OLD).seal({"token": "t-1"}), "")
    done = await rotate(engine, Vault(NEW, OLD))
    assert done == Rotation(resealed=1, left=0, unreadable=1)
    assert (await stored(engine))[0] == lost
    assert "Remove no key before." in told(done)


async def test_credentials_that_are_renewed_meanwhile_are_not_overwritten(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(engine, Vault(OLD).seal({"token": "outdated"}))
    vault, renewed = Vault(NEW, OLD), Vault(OLD).seal({"token": "renewed"})
    seal = vault.resealed
    interrupted: list[str] = []

    def slow(envelope: str) -> str | None:
        if not interrupted:  # a person enters new credentials between our read and our write
            interrupted.append(envelope)
            monkeypatch.setattr(vault, "resealed", seal)
            _execute(engine, renewed)
        return seal(envelope)

    monkeypatch.setattr(vault, "resealed", slow)
    done = await rotate(engine, vault)
    assert interrupted
    assert opened(Vault(NEW), await stored(engine)) == ["renewed"]
    assert done == Rotation(resealed=1, left=0, unreadable=0)


def _execute(engine: AsyncEngine, renewed: str) -> None:
    """From outside, at once: the rotation's own loop stands still meanwhile."""
    import psycopg

    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE connections SET sealed = %s", (renewed,))


async def test_two_at_once_do_no_harm(engine: AsyncEngine) -> None:
    await store(engine, *sealed(Vault(OLD), 40))
    done = await asyncio.gather(*(rotate(engine, Vault(NEW, OLD), batch=5) for _ in range(2)))
    assert sum(each.resealed for each in done) == 40
    assert all(each.complete for each in done)
    assert opened(Vault(NEW), await stored(engine)) == [f"t-{n}" for n in range(40)]


def test_what_was_opened_before_a_rotation_is_opened_after_it() -> None:
    vault = Vault(NEW, OLD)
    old = Vault(OLD).seal({"token": "t"})
    assert vault.unseal(old) == {"token": "t"}
    anew = vault.resealed(old)
    assert anew
    assert vault.unseal(anew) == {"token": "t"}
    other = vault.seal({"token": "another"})
    assert vault.unseal(other) == {"token": "another"}


def test_the_operator_hears_when_the_old_key_can_go(database: str, tmp_path: Path) -> None:
    old_key = SECRETS["CROSSLEDGER_SECRET_KEY"]

    async def fill() -> None:
        db = Database.at(database)
        await store(db.engine, *sealed(Vault(old_key), 2))
        await db.dispose()

    asyncio.run(fill())
    env = environment(CROSSLEDGER_DATABASE_URL=database, CROSSLEDGER_SECRET_KEYS=NEW, **SECRETS)
    for count in (2, 0):
        done = crossledger("rotate-keys", env=env, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"newest key: {count}." in done.stdout
        assert "the older keys can be removed" in done.stdout
    without = {**env, "CROSSLEDGER_SECRET_KEY": NEW, "CROSSLEDGER_SECRET_KEYS": ""}
    assert "the older keys can be removed" in crossledger("rotate-keys", env=without, cwd=tmp_path).stdout
    wrong = {**env, "CROSSLEDGER_SECRET_KEY": LOST, "CROSSLEDGER_SECRET_KEYS": ""}
    done = crossledger("rotate-keys", env=wrong, cwd=tmp_path)
    assert (done.returncode, "2 could not be opened" in done.stdout) == (1, True)
