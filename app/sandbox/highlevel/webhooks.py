"""Signed app webhooks: contracts/ghl, sections 2.1 to 2.3."""

import hashlib
import json
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.sandbox.deliveries import Deliveries
from app.sandbox.highlevel.config import Config
from app.sandbox.highlevel.store import iso, now

ALL = "all"
EVENTS = (
    "ContactCreate",
    "ContactUpdate",
    "ContactDelete",
    "ContactTagUpdate",
    "ContactDndUpdate",
    "TaskCreate",
    "TaskComplete",
    "TaskDelete",
    "NoteCreate",
    "NoteUpdate",
    "NoteDelete",
    "RecordCreate",
    "RecordUpdate",
    "RecordDelete",
    "AppointmentCreate",
    "AppointmentUpdate",
    "AppointmentDelete",
    "OpportunityCreate",
    "OpportunityUpdate",
    "OpportunityDelete",
    "OpportunityStageUpdate",
    "OpportunityStatusUpdate",
    "OpportunityMonetaryValueUpdate",
    "OpportunityAssignedToUpdate",
    "InvoiceCreate",
    "InvoiceUpdate",
    "InvoiceSent",
    "InvoicePaid",
    "InvoicePartiallyPaid",
    "InvoiceVoid",
    "InvoiceDelete",
    "ProductCreate",
    "ProductUpdate",
    "ProductDelete",
    "PriceCreate",
    "PriceUpdate",
    "PriceDelete",
    "INSTALL",
    "UNINSTALL",
)


class Signer:
    """The Ed25519 key follows from the seed. RSA has no seed: its key lasts as long as the process."""

    def __init__(self, seed: str) -> None:
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
        self._rsa: RSAPrivateKey | None = None

    def headers(self, body: bytes, config: Config) -> dict[str, str]:
        headers = {}
        if config.signatures in ("ed25519", "both"):
            headers["X-GHL-Signature"] = b64encode(self._ed25519.sign(body)).decode()
        if config.signatures in ("rsa", "both"):
            headers["X-WH-Signature"] = b64encode(self._rsa_key().sign(body, PKCS1v15(), SHA256())).decode()
        return headers

    def public_key(self, kind: str = "ed25519") -> str:
        key = self._rsa_key().public_key() if kind == "rsa" else self._ed25519.public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def _rsa_key(self) -> RSAPrivateKey:
        if self._rsa is None:
            self._rsa = generate_private_key(public_exponent=65537, key_size=2048)
        return self._rsa


class Webhooks:
    """Sends an event to the URL set for it, or to the one set for all."""

    def __init__(self, deliveries: Deliveries, signer: Signer, config: Callable[[], Config]) -> None:
        self.urls: dict[str, str] = {}
        self.signer = signer
        self._deliveries = deliveries
        self._config = config
        self.reset()

    def reset(self) -> None:
        url = self._config().webhook_url
        self.urls = {ALL: url} if url else {}

    def subscribe(self, url: str, events: Mapping[str, str]) -> None:
        """Raises ValueError for an event that the simulator never sends."""
        if unknown := set(events) - {*EVENTS, ALL}:
            raise ValueError(f"unknown event: {', '.join(sorted(unknown))}")
        self.urls = {ALL: url, **events} if url else dict(events)

    def emit(self, event: str, location_id: str, body: Mapping[str, Any]) -> None:
        self._send(event, {"type": event, **({"locationId": location_id} if location_id else {})}, body)

    def emit_unnamed(self, event: str, body: Mapping[str, Any]) -> None:
        """Of invoices, products, prices and records: `body` alone says where, and only its URL says what happened."""
        self._send(event, {}, body)

    def _send(self, event: str, named: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        url = self.urls.get(event) or self.urls.get(ALL)
        if not url:
            return
        config = self._config()
        payload = {
            **named,
            "versionId": config.app_id,
            "appId": config.app_id,
            **body,
            "timestamp": iso(now()),
            "webhookId": str(uuid.uuid4()),
        }
        raw = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **self.signer.headers(raw, config)}
        self._deliveries.send(url, headers, raw, event, config.retry_waits, delay=config.delivery_delay)

    def post_plain(self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        """A workflow's call: unsigned, once, with the headers its author set (contracts/ghl, section 6)."""
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        self._deliveries.send(url, {"Content-Type": "application/json", **headers}, raw, "workflow")
