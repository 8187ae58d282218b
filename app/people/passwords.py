"""Passwords: hashed with Argon2id, checked in the same time whether or not there is such a user."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.redaction import keep_secret_here

SHORTEST, LONGEST = 12, 200

# OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# What is compared where there is no such user; made with the same costs, or the difference could be timed.
_DECOY = "$argon2id$v=19$m=19456,t=2,p=1$LCp5a+J8MTOZ4NaM0o6hxQ$W7d8DgPHNTVYOctiyuA17mQJBw3EqHbrpqU5oF++RQE"
# Two at a time: many log-ins at once use neither all cores nor all memory.
_POOL = ThreadPoolExecutor(2, thread_name_prefix="password")


def complaint(password: str, email: str) -> str:
    """What is wrong with a new password, as a sentence; "" where it will do."""
    if len(password) < SHORTEST:
        return f"The password must have at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"The password must have at most {LONGEST} characters."
    if len(set(password)) < 5:
        return "The password repeats the same few characters."
    if password.casefold() == email.casefold():
        return "The password must not be the e-mail address."
    return ""


async def hashed(password: str) -> str:
    keep_secret_here(password)
    return await asyncio.get_running_loop().run_in_executor(_POOL, _HASHER.hash, _plain(password))


async def matches(password: str, stored: str | None) -> bool:
    """`stored` is None where there is no such user: that takes as long, and is never true."""
    keep_secret_here(password)
    known = await asyncio.get_running_loop().run_in_executor(_POOL, _verify, _plain(password), stored or _DECOY)
    return known and stored is not None


def _verify(password: bytes, stored: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _plain(password: str) -> bytes:
    """The same password typed on another keyboard has the same bytes. A longer one than allowed cannot be right."""
    return unicodedata.normalize("NFKC", password[: LONGEST + 1]).encode(errors="replace")
