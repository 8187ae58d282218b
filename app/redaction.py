"""The secrets that this process holds, so that nothing which leaves it by accident repeats them.

A belt beside the braces: no log line, no answer and no stored reason is made of a secret. But a vendor may repeat our
token in its error, and an exception or a library may put into words what it was given. What a vendor said in anger,
what an exception says, and every line of the log goes through `redacted`.

What comes in with a request (a cookie, a password, an API token) is kept for that request only: strangers must not be
able to push out the others, or to take a word out of everybody's sentences.
"""

import json
from contextvars import ContextVar
from urllib.parse import quote, quote_plus

SHORTEST = 8
"""What is shorter would take common words out of sentences. Ours are longer, and so are the vendors'."""
MOST = 4096
HIDDEN = "[secret]"

# A line of the log is searched for all of them, and must not take longer the more there are. What is hidden has at
# least SHORTEST characters: of the pieces of _PIECE characters that begin at every _STEP-th place of a text, one lies
# in the last SHORTEST characters of each secret in it. These few are looked up, and only what has one is searched for.
# The last characters and not the first: tokens often begin alike.
_PIECE = 4
_STEP = SHORTEST - _PIECE + 1

# Of the process, like the log. Oldest first; several spellings of one secret are several entries.
_known: dict[str, None] = {}
_by_piece: dict[str, tuple[str, ...]] = {}

_MOST_HERE = 16
_here: ContextVar[tuple[str, ...]] = ContextVar("secrets of this task", default=())


def keep_secret(*secrets: str) -> None:
    """From now on these are left out, also as they are written in JSON, in URLs and in forms."""
    for secret in secrets:
        for spelling in _spellings(secret) - _known.keys():
            _known[spelling] = None
            for piece in _pieces(spelling[-SHORTEST:], 1):
                _by_piece[piece] = (*_by_piece.get(piece, ()), spelling)
    while len(_known) > MOST:
        _forget(next(iter(_known)))


def keep_secret_here(secret: str) -> None:
    """The same, for what this task still does: the answer to a request, a job."""
    here = _here.get()
    if len(secret) >= SHORTEST and secret not in here:
        _here.set((*here, secret)[-_MOST_HERE:])


def redacted(text: str) -> str:
    """The text without the secrets that are known here."""
    suspects = {secret for piece in _by_piece.keys() & _pieces(text, _STEP) for secret in _by_piece.get(piece, ())}
    for secret in _here.get():
        suspects |= _spellings(secret)
    for secret in sorted(suspects, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def internal_error(bug: Exception) -> str:
    """What is told of an exception that nobody had foreseen."""
    return redacted(f"internal error: {type(bug).__name__}: {bug}")


def _spellings(secret: str) -> set[str]:
    if len(secret) < SHORTEST:
        return set()
    quoted = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    in_urls = {quote(secret, safe="", errors="replace"), quote(secret, errors="replace")}
    return {secret, *quoted, *in_urls, quote_plus(secret, errors="replace")}


def _forget(spelling: str) -> None:
    del _known[spelling]
    for piece in _pieces(spelling[-SHORTEST:], 1):
        left = tuple(each for each in _by_piece.get(piece, ()) if each != spelling)
        if left:
            _by_piece[piece] = left
        else:
            _by_piece.pop(piece, None)


def _pieces(text: str, step: int) -> set[str]:
    return {text[at : at + _PIECE] for at in range(0, len(text) - _PIECE + 1, step)}
