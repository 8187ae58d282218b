"""Sealed secrets: what the database holds of credentials cannot be read without one of the secret keys."""

import functools
import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import ConfigurationError
from app.redaction import keep_secret, keep_secret_here


class Vault:
    """Seals with the newest key, opens what any of its keys has sealed."""

    def __init__(self, newest: str, *older: str) -> None:
        self._newest = _fernet(newest)
        self._all = MultiFernet([self._newest, *map(_fernet, older)])
        # Each job opens the same few envelopes. What is opened depends on the envelope alone: a key that is added or
        # retired is a new vault, and what is sealed anew is another envelope.
        self._open = functools.lru_cache(1024)(self._decrypted)

    def seal(self, secret: Mapping[str, str]) -> str:
        keep_secret(*secret.values())
        return self._newest.encrypt(json.dumps(dict(secret)).encode()).decode()

    def unseal(self, sealed: str) -> dict[str, str]:
        """Raises ConfigurationError where none of our keys has sealed this."""
        try:
            opened: dict[str, str] = json.loads(self._open(sealed))
        except InvalidToken:
            raise ConfigurationError(
                "The stored credentials were sealed with another CROSSLEDGER_SECRET_KEY. Start with that key again,"
                " or delete the connections and connect them anew."
            ) from None
        return {str(name): str(value) for name, value in opened.items()}

    def _decrypted(self, sealed: str) -> bytes:
        opened = self._all.decrypt(sealed.encode())
        keep_secret(*map(str, json.loads(opened).values()))
        return opened

    def is_current(self, sealed: str) -> bool:
        """Whether the newest key has sealed this."""
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def resealed(self, sealed: str) -> str | None:
        """The same secret, sealed with the newest key. None where none of our keys opens it."""
        try:
            return self._all.rotate(sealed.encode()).decode()
        except InvalidToken:
            return None


def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=b"crossledger vault 1").derive(secret_key.encode())
    return Fernet(urlsafe_b64encode(derived))


def digest(secret: str) -> str:
    """What is stored of a secret we only ever compare: SHA-256, hex. Good enough for random 32-byte secrets."""
    keep_secret_here(secret)
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """256 bits, safe in URLs and headers."""
    made = secrets.token_urlsafe(32)
    keep_secret(made)
    return made


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """Shown once, when they are made: the path key and the value of the secret header."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> "WebhookSecrets":
        return cls(new_secret(), new_secret())
