"""HighLevel's deliveries: proven, then reduced to a hint. PURE: bytes, headers and keys in, an Event or a failure out.

A valid signature does not say that a delivery is for us: the key is the same for every app (contracts/ghl, section
2.2). `read` compares the app, and the caller the location.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256

from app.errors import BadPayload, BadSignature, ConfigurationError
from app.providers.base import APP, Event, Verdict
from app.providers.highlevel.events import HANDLED, IGNORED, MISNAMED, NAMED, NAMELESS, telling
from app.providers.highlevel.wire import ID, task_id

SIGNATURE = "x-ghl-signature"
LEGACY_SIGNATURE = "x-wh-signature"
WORKFLOW = "Workflow"
"""The kind of what a workflow's action sends."""

# Both keys are published (contracts/ghl, section 2.2).
HIGHLEVEL_PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=
-----END PUBLIC KEY-----
"""
HIGHLEVEL_LEGACY_PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAokvo/r9tVgcfZ5DysOSC
Frm602qYV0MaAiNnX9O8KxMbiyRKWeL9JpCpVpt4XHIcBOK4u3cLSqJGOLaPuXw6
dO0t6Q/ZVdAV5Phz+ZtzPL16iCGeK9po6D6JHBpbi989mmzMryUnQJezlYJ3DVfB
csedpinheNnyYeFXolrJvcsjDtfAeRx5ByHQmTnSdFUzuAnC9/GepgLT9SM4nCpv
uxmZMxrJt5Rw+VUaQ9B8JSvbMPpez4peKaJPZHBbU3OdeCVx5klVXXZQGNHOs8gF
3kvoV5rTnXV0IknLBXlcKKAQLZcY/Q9rG6Ifi9c+5vqlvHPCUJFT5XUGG5RKgOKU
J062fRtN+rLYZUV+BjafxQauvC8wSWeYja63VSUruvmNj8xkx2zE/Juc+yjLjTXp
IocmaiFeAO6fUtNjDeFVkhf5LNb59vECyrHD2SQIrhgXpO4Q3dVNA5rw576PwTzN
h/AMfHKIjE4xQA1SZuYJmNnmVZLIZBlQAF9Ntd03rfadZ+yDiOXCCs9FkHibELhC
HULgCsnuDJHcrGNd5/Ddm5hxGQ0ASitgHeMZ0kcIOwKDOzOU53lDza6/Y09T7sYJ
PQe7z0cvj7aE4B+Ax1ZoZGPzpJlZtGXCsu9aTEGEnKzmsFqwcSsnw3JB31IGKAyk
T1hhTiaCeIY/OwwwNUY2yvcCAwEAAQ==
-----END PUBLIC KEY-----
"""

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def load_ed25519(text: str) -> Ed25519PublicKey:
    key = _public_key(text)
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError("a HighLevel webhook key is not an Ed25519 key")
    return key


def load_rsa(text: str) -> RSAPublicKey:
    key = _public_key(text)
    if not isinstance(key, RSAPublicKey):
        raise ConfigurationError("a HighLevel legacy webhook key is not an RSA key")
    return key


def verify(
    raw: bytes,
    headers: Mapping[str, str],
    keys: Sequence[Ed25519PublicKey],
    legacy: Sequence[RSAPublicKey] = (),
) -> None:
    """Raises BadSignature unless HighLevel signed exactly these bytes. Header names are lower-case.

    Several keys: while one is being rotated. The old header counts only where the new one is absent and `legacy` has
    keys: a delivery with a bad new signature is never given a second chance.
    """
    if (signature := headers.get(SIGNATURE)) is not None:
        proven = any(_signed_ed25519(key, _decoded(signature), raw) for key in keys)
    elif legacy and (signature := headers.get(LEGACY_SIGNATURE)) is not None:
        proven = any(_signed_rsa(key, _decoded(signature), raw) for key in legacy)
    else:
        raise BadSignature("the delivery has no X-GHL-Signature")
    if not proven:
        raise BadSignature("the signature does not belong to this body")


def read(raw: bytes, *, event: str = "", app_id: str = "") -> Event:
    """`event` is the name in the URL's path: some events do not name themselves, so each has its own URL."""
    body = _flat(_object(raw))
    kind = _kind(body, event)
    webhook_id = _name(body.get("webhookId"), "webhookId")
    verdict, reason = _judge(kind)
    if app_id and body.get("appId", app_id) != app_id:
        verdict, reason = Verdict.IGNORED, "for another app"
    handled = verdict is Verdict.HANDLED
    location = _name(body.get("locationId") or body.get("altId"), "locationId")
    external_id = _subject(kind, body, location) if handled else ""
    return Event(
        delivery_id=webhook_id or _fingerprint(kind, raw),
        kind=kind,
        verdict=verdict,
        object=HANDLED[kind] if handled else "",
        external_id=external_id,
        also=_also(kind, body, external_id) if handled else (),
        account=location,
        by_content=not webhook_id,
        reason=reason,
    )


def addresses(root: str, objects: Iterable[str]) -> Mapping[str, str]:
    """What to enter in the Marketplace app, by event. `root`: the address of this installation's webhooks.

    What does not name itself gets an address of its own.
    """
    own = NAMELESS | MISNAMED
    return {each: f"{root}/highlevel/{each}" if each in own else f"{root}/highlevel" for each in telling(objects)}


def _subject(kind: str, body: Mapping[str, Any], location: str) -> str:
    """The id of the record; of the account where the event is about the app: an agency's names no location."""
    if HANDLED[kind] == APP:
        return _id(location or body.get("companyId"), "locationId")
    if HANDLED[kind] == "appointment":
        inner = body.get("appointment")
        return _id(inner.get("id") if isinstance(inner, dict) else None, "appointment.id")
    if HANDLED[kind] in ("product", "invoice"):
        name = "product" if kind.startswith("Price") else "_id"
        return _id(body.get(name), name)
    own = _id(body.get("id"), "id")
    if HANDLED[kind] == "note":
        return task_id(_id(body.get("contactId"), "contactId"), own)
    if HANDLED[kind] != "task":
        return own
    contact_id = body.get("contactId")  # may be missing (highlevel-api-docs#332)
    return task_id(_id(contact_id, "contactId") if contact_id else "", own)


def _also(kind: str, body: Mapping[str, Any], own: str) -> tuple[tuple[str, str], ...]:
    """No event tells of a payment: an invoice with something paid is news of all of its payments."""
    return (("payment", f"{own}/"),) if HANDLED[kind] == "invoice" and body.get("amountPaid") else ()


def read_workflow(raw: bytes) -> Event:
    """The "Webhook" action of a workflow: another body, without a signature or an id (contracts/ghl, section 6)."""
    body = _object(raw)
    location = body.get("location")
    return Event(
        delivery_id=_fingerprint(WORKFLOW, raw),
        kind=WORKFLOW,
        verdict=Verdict.HANDLED,
        object="contact",
        external_id=_id(body.get("contact_id"), "contact_id"),
        account=_name(location.get("id"), "location.id") if isinstance(location, dict) else "",
        by_content=True,
    )


def _public_key(text: str) -> PublicKeyTypes:
    """PEM, or the same without its first and last line."""
    try:
        if "BEGIN" in text:
            return serialization.load_pem_public_key(text.encode())
        return serialization.load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError("a HighLevel webhook key is neither PEM nor base64 of a public key") from error


def _decoded(signature: str) -> bytes:
    """A delivery that was not signed says "N/A", which is no base64 either."""
    try:
        return base64.b64decode(signature.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature("the signature is not base64") from error


def _signed_ed25519(key: Ed25519PublicKey, signature: bytes, raw: bytes) -> bool:
    try:
        key.verify(signature, raw)
    except InvalidSignature:
        return False
    return True


def _signed_rsa(key: RSAPublicKey, signature: bytes, raw: bytes) -> bool:
    try:
        key.verify(signature, raw, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadPayload("the body is not JSON") from error
    if not isinstance(body, dict):
        raise BadPayload("the body is not a JSON object")
    return body


def _flat(body: dict[str, Any]) -> dict[str, Any]:
    """Deliveries are flat. One sample of the vendor's wraps the record in `data` (contracts/ghl, section 2.1)."""
    inner = body.get("data")
    return {**inner, **body} if isinstance(inner, dict) else body


def _kind(body: Mapping[str, Any], event: str) -> str:
    """The body names the event; the path does where the body cannot."""
    path, said = _if_name(event), _if_name(body.get("type"))
    if path in NAMELESS and said not in NAMED:
        return path
    if path in MISNAMED and said in MISNAMED:
        return path
    return said or path


def _judge(kind: str) -> tuple[Verdict, str]:
    if kind in HANDLED:
        return Verdict.HANDLED, ""
    if kind in IGNORED:
        return Verdict.IGNORED, IGNORED[kind]
    return Verdict.UNKNOWN, "" if kind else "it does not name its event; give each event its own URL"


def _if_name(value: Any) -> str:
    """Text that is safe to store and to show, else ""."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


def _name(value: Any, where: str) -> str:
    """The same, where only a missing value may be ""."""
    if value and not _if_name(value):
        raise BadPayload(f"“{where}” is not a name of at most 100 letters and digits")
    return value or ""


def _id(value: Any, where: str) -> str:
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise BadPayload(f"“{where}” is not an id")
    return value


def _fingerprint(kind: str, raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(kind.encode() + b"\n" + raw).hexdigest()
