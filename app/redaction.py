"""The secrets that this process holds, so that nothing which leaves it by accident repeats them.

A belt beside the braces: no log line, no answer and no stored reason is made of a secret. But a vendor may repeat our
token in its error, and an exception or a library may put into words what it was given. What a vendor said in anger,
what an exception says, and every line of the log goes through `redacted`.
"""

import json
from urllib.parse import quote

SHORTEST = 8
"""What is shorter would take common words out of sentences. Ours are longer, and so are the vendors'."""
MOST = 4096
HIDDEN = "[secret]"

# Of the process, like the log. Oldest first; several spellings of one secret are several entries.
_known: dict[str, None] = {}
_longest_first: tuple[str, ...] = ()


def keep_secret(*secrets: str) -> None:
    """From now on these are left out, also as they are written in JSON and in URLs."""
    global _longest_first
    spellings = {
        spelling
        for secret in secrets
        if len(secret) >= SHORTEST
        for spelling in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote(secret))
    }
    if spellings <= _known.keys():
        return
    _known.update(dict.fromkeys(spellings))
    while len(_known) > MOST:
        del _known[next(iter(_known))]
    _longest_first = tuple(sorted(_known, key=len, reverse=True))


def redacted(text: str) -> str:
    """The text without the secrets that are known here."""
    for secret in _longest_first:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return text
