"""Types of single fields, checked where they come in."""

import re
from datetime import UTC, datetime
from typing import Annotated

import httpx
from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, StringConstraints

from app.people.passwords import LONGEST, SHORTEST
from app.people.users import NotAllowed, address_of

MAX_ID = 2**63 - 1
_TOKEN = re.compile(r"[!-~]{1,4096}")
_PRINTABLE = re.compile(r"[ -~]*")


def _whole(secret: SecretStr) -> SecretStr:
    """Vendors' tokens are printable ASCII; anything else would end in an error that shows them."""
    token = secret.get_secret_value().strip()
    if not _TOKEN.fullmatch(token):
        raise ValueError("was not pasted whole: it has no spaces, line breaks or special letters")
    return SecretStr(token)


def _in_header(secret: SecretStr) -> SecretStr:
    if not _PRINTABLE.fullmatch(secret.get_secret_value()):
        raise ValueError("goes into a header, which takes plain ASCII letters, digits and signs only")
    return secret


def _root(address: str) -> str:
    """One spelling for each address, so that an account is not connected twice."""
    try:
        url = httpx.URL(address.strip())
    except httpx.InvalidURL as error:
        raise ValueError("is not a URL") from error
    if url.scheme not in {"http", "https"} or not url.host or not 0 < (url.port or 80) <= 65_535:
        raise ValueError("must begin with https:// and the name of the server")
    if url.userinfo or url.query or url.fragment:
        raise ValueError("must have no user name, query or fragment")
    return str(url).rstrip("/")


def _email(typed: str) -> str:
    try:
        return address_of(typed)
    except NotAllowed as error:
        raise ValueError("is not an e-mail address") from error


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("is no moment of any calendar in UTC") from error


# PostgreSQL stores every character but NUL.
_STORABLE = r"^[^\x00]*$"

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]  # of a version: PostgreSQL's integer
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_STORABLE)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_STORABLE)]
Text = Annotated[str, StringConstraints(max_length=100_000, pattern=_STORABLE)]
Token = Annotated[SecretStr, AfterValidator(_whole)]
# What a person types: nothing is known of it but that it is short. It is sent in a JSON body, never in a header.
LoginName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=320, pattern=_STORABLE)]
LoginPassword = Annotated[SecretStr, Field(min_length=1, max_length=1000)]
# One that goes into a header: what else is in it could not be sent.
HeaderPassword = Annotated[SecretStr, Field(max_length=1000), AfterValidator(_in_header)]
Code = Annotated[SecretStr, Field(min_length=1, max_length=64)]
BaseUrl = Annotated[str, StringConstraints(max_length=500), AfterValidator(_root)]
# A token that was pasted here by mistake has other characters or is longer, and is not repeated in an answer.
LocationId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[0-9A-Za-z]{1,30}$"),
    Field(description="Letters and digits only; in HighLevel under Settings, Business Profile"),
]
Email = Annotated[str, StringConstraints(max_length=320), AfterValidator(_email)]
Password = Annotated[SecretStr, Field(min_length=SHORTEST, max_length=LONGEST)]
# As a form sends it: UTC, where it names no zone.
Typed = Annotated[datetime, AfterValidator(_utc)]


def _coming(moment: datetime) -> datetime:
    if moment <= datetime.now(UTC):
        raise ValueError("must be in the future")
    return moment.astimezone(UTC)


Coming = Annotated[AwareDatetime, AfterValidator(_coming)]
Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
