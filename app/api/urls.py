"""Addresses that messages are sent to. Part of them may be a secret, so they are never shown again."""

from typing import Annotated

import httpx
from pydantic import AfterValidator, Field, SecretStr


def _address(secret: SecretStr) -> SecretStr:
    try:
        url = httpx.URL(secret.get_secret_value().strip())
    except httpx.InvalidURL as error:
        raise ValueError("is not a URL") from error
    if url.scheme not in {"http", "https"} or not url.host or not 0 < (url.port or 80) <= 65_535:
        raise ValueError("must begin with https:// and the name of the server")
    if url.userinfo or url.fragment:
        raise ValueError("must have no user name and no fragment")
    return SecretStr(str(url))


Address = Annotated[SecretStr, Field(max_length=2000), AfterValidator(_address)]
