"""Invoice Ninja's public ids: hashids of the row number, with the empty salt that self-hosted installs have.

So the same number gives the same string in every table, and in every install (contracts/invoice_ninja, section 1).
"""

from functools import lru_cache

_LENGTH = 10
_SEPARATORS = "cfhistuCFHISTU"
_ALL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890"
_WITHOUT_SEPARATORS = "".join(letter for letter in _ALL if letter not in _SEPARATORS)
_GUARDS = _WITHOUT_SEPARATORS[:4]
_ALPHABET = _WITHOUT_SEPARATORS[4:]


def _shuffle(letters: str, salt: str) -> str:
    mixed = list(letters)
    at, total = 0, 0
    for last in range(len(mixed) - 1, 0, -1):
        at %= len(salt)
        code = ord(salt[at])
        total += code
        other = (code + at + total) % last
        mixed[last], mixed[other] = mixed[other], mixed[last]
        at += 1
    return "".join(mixed)


def _digits(number: int, alphabet: str) -> str:
    text = ""
    while True:
        number, digit = divmod(number, len(alphabet))
        text = alphabet[digit] + text
        if not number:
            return text


@lru_cache(maxsize=65536)
def encode(number: int) -> str:
    check = number % 100
    lottery = _ALPHABET[check % len(_ALPHABET)]
    alphabet = _shuffle(_ALPHABET, (lottery + _ALPHABET)[: len(_ALPHABET)])
    text = lottery + _digits(number, alphabet)
    if len(text) < _LENGTH:
        text = _GUARDS[(check + ord(text[0])) % len(_GUARDS)] + text
    if len(text) < _LENGTH:
        text += _GUARDS[(check + ord(text[2])) % len(_GUARDS)]
    half = len(alphabet) // 2
    while len(text) < _LENGTH:
        alphabet = _shuffle(alphabet, alphabet)
        text = alphabet[half:] + text + alphabet[:half]
        excess = len(text) - _LENGTH
        if excess > 0:
            text = text[excess // 2 : excess // 2 + _LENGTH]
    return text
