"""Who may use the API: whoever has the admin token."""

import hmac

from fastapi import HTTPException
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr


class Guard(HTTPBearer):
    def __init__(self, token: SecretStr) -> None:
        super().__init__(
            scheme_name="AdminToken", description="The value of CROSSLEDGER_ADMIN_TOKEN.", auto_error=False
        )
        self._token = token.get_secret_value().encode()

    async def __call__(self, request: HTTPConnection) -> HTTPAuthorizationCredentials:
        given = await super().__call__(request)
        if given is None or not hmac.compare_digest(given.credentials.encode(), self._token):
            raise HTTPException(
                401, "Send the admin token: “Authorization: Bearer …”.", headers={"WWW-Authenticate": "Bearer"}
            )
        return given
