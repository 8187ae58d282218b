"""Sealed secrets: unreadable without the key, and a wrong key says what to do."""

import json

import pytest

from app.errors import ConfigurationError
from app.vault import Vault, digest, new_secret

KEY = "the-first-key-of-this-installation-0001"
OTHER = "another-key-that-someone-typed-in-000002"
SECRET = {"private_token": "pit-1234567890", "note": "grüße"}


def test_what_was_sealed_is_read_with_the_same_key() -> None:
    assert Vault(KEY).unseal(Vault(KEY).seal(SECRET)) == SECRET


def test_sealed_text_holds_no_plaintext() -> None:
    sealed = Vault(KEY).seal(SECRET)
    assert not any(word in sealed for word in ("private_token", "pit-1234567890", "grüße", KEY))


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    assert Vault(KEY).seal(SECRET) != Vault(KEY).seal(SECRET)


def test_a_wrong_key_says_what_to_do() -> None:
    sealed = Vault(KEY).seal(SECRET)
    with pytest.raises(ConfigurationError) as caught:
        Vault(OTHER).unseal(sealed)
    assert "CROSSLEDGER_SECRET_KEY" in str(caught.value)
    assert "Start with that key again" in str(caught.value)
    assert "pit-" not in str(caught.value)


def test_the_newest_key_seals_and_all_of_them_open() -> None:
    both = Vault(OTHER, KEY)
    assert both.unseal(Vault(KEY).seal(SECRET)) == SECRET
    assert Vault(OTHER).unseal(both.seal(SECRET)) == SECRET
    with pytest.raises(ConfigurationError):
        Vault(KEY).unseal(both.seal(SECRET))


def test_what_is_sealed_with_an_older_key_is_told_from_what_is_current() -> None:
    both, old = Vault(OTHER, KEY), Vault(KEY).seal(SECRET)
    anew = both.resealed(old)
    assert anew is not None
    assert (both.is_current(old), both.is_current(anew)) == (False, True)
    assert Vault("a-third-key-that-was-never-here-000003").resealed(old) is None


@pytest.mark.parametrize("place", [0, 20, -5])
def test_a_changed_seal_is_not_opened(place: int) -> None:
    sealed = list(Vault(KEY).seal(SECRET))
    sealed[place] = "A" if sealed[place] != "A" else "B"
    with pytest.raises(ConfigurationError):
        Vault(KEY).unseal("".join(sealed))


@pytest.mark.parametrize("sealed", ["", "no seal at all", "gAAAA", "ü"])
def test_what_is_no_seal_is_not_opened(sealed: str) -> None:
    with pytest.raises(ConfigurationError):
        Vault(KEY).unseal(sealed)


def test_plain_json_is_not_taken_for_a_seal() -> None:
    with pytest.raises(ConfigurationError):
        Vault(KEY).unseal(json.dumps(SECRET))


def test_a_vault_does_not_show_its_key() -> None:
    vault = Vault(KEY)
    assert KEY not in repr(vault)
    assert KEY not in str(vars(vault))


def test_new_secrets_are_long_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert min(len(secret) for secret in secrets) >= 43


def test_a_digest_is_that_of_the_same_secret_only() -> None:
    secret = new_secret()
    assert digest(secret) == digest(secret)
    assert digest(secret) != digest(secret + " ")
    assert secret not in digest(secret)
