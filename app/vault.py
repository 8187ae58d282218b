"""Sealed secrets: what the database holds of credentials cannot be read without CROSSLEDGER_SECRET_KEY."""

import functools
import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import ConfigurationError


class Vault:
    def __init__(self, secret_key: str) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"crossledger vault 1").derive(secret_key.encode())
        self._fernet = Fernet(urlsafe_b64encode(derived))
        # Each job opens the same few envelopes.
        self._open = functools.lru_cache(1024)(lambda sealed: self._fernet.decrypt(sealed.encode()))

    def seal(self, secret: Mapping[str, str]) -> str:
        return self._fernet.encrypt(json.dumps(dict(secret)).encode()).decode()

    def unseal(self, sealed: str) -> dict[str, str]:
        try:
            opened = json.loads(self._open(sealed))
        except InvalidToken:
            raise ConfigurationError(
                "The stored credentials were sealed with another CROSSLEDGER_SECRET_KEY. Start with that key again,"
                " or delete the connections and connect them anew."
            ) from None
        return {str(name): str(value) for name, value in opened.items()}


def digest(secret: str) -> str:
    """What is stored of a secret we only ever compare: SHA-256, hex. Good enough for random 32-byte secrets."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """256 bits, safe in URLs and headers."""
    return secrets.token_urlsafe(32)
