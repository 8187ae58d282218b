import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadSignature, ConfigurationError
from app.providers.highlevel import webhook
from tests.providers.highlevel.recorded import raw

BODY = raw("webhook_contact_create")
OURS = Ed25519PrivateKey.generate()
NEXT = Ed25519PrivateKey.generate()
STRANGER = Ed25519PrivateKey.generate()
OLD = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OLD_STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS = [OURS.public_key()]
LEGACY = [OLD.public_key()]


def new(key: Ed25519PrivateKey, body: bytes = BODY) -> dict[str, str]:
    return {"x-ghl-signature": base64.b64encode(key.sign(body)).decode()}


def old(key: rsa.RSAPrivateKey, body: bytes = BODY) -> dict[str, str]:
    signature = key.sign(body, padding.PKCS1v15(), hashes.SHA256())
    return {"x-wh-signature": base64.b64encode(signature).decode()}


def test_a_signed_body_passes() -> None:
    webhook.verify(BODY, new(OURS), KEYS)


@given(bit=st.integers(0, len(BODY) * 8 - 1))
def test_one_flipped_bit_of_the_body_is_noticed(bit: int) -> None:
    flipped = bytearray(BODY)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadSignature):
        webhook.verify(bytes(flipped), new(OURS), KEYS)


@given(bit=st.integers(0, 64 * 8 - 1))
def test_one_flipped_bit_of_the_signature_is_noticed(bit: int) -> None:
    signature = bytearray(OURS.sign(BODY))
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadSignature):
        webhook.verify(BODY, {"x-ghl-signature": base64.b64encode(signature).decode()}, KEYS)


def test_the_same_json_written_differently_is_another_body() -> None:
    with pytest.raises(BadSignature):
        webhook.verify(BODY.replace(b": ", b":"), new(OURS), KEYS)


def test_another_senders_key_does_not_pass() -> None:
    with pytest.raises(BadSignature):
        webhook.verify(BODY, new(STRANGER), KEYS)


@pytest.mark.parametrize("key", [OURS, NEXT], ids=["outgoing", "incoming"])
def test_while_a_key_is_rotated_either_passes(key: Ed25519PrivateKey) -> None:
    webhook.verify(BODY, new(key), [OURS.public_key(), NEXT.public_key()])


def test_without_a_key_nothing_passes() -> None:
    with pytest.raises(BadSignature):
        webhook.verify(BODY, new(OURS), [])


@pytest.mark.parametrize("value", ["N/A", "", " ", "%%%", "é", "QUJD", "A"])
@pytest.mark.parametrize("header", ["x-ghl-signature", "x-wh-signature"])
def test_what_is_no_signature_does_not_pass(header: str, value: str) -> None:
    with pytest.raises(BadSignature):
        webhook.verify(BODY, {header: value}, KEYS, LEGACY)


def test_an_unsigned_delivery_does_not_pass() -> None:
    with pytest.raises(BadSignature):
        webhook.verify(BODY, {"content-type": "application/json"}, KEYS, LEGACY)


def test_the_old_signature_passes_only_where_it_is_switched_on() -> None:
    webhook.verify(BODY, old(OLD), KEYS, LEGACY)
    with pytest.raises(BadSignature):
        webhook.verify(BODY, old(OLD), KEYS)


def test_an_old_signature_of_another_key_or_body_does_not_pass() -> None:
    with pytest.raises(BadSignature):
        webhook.verify(BODY, old(OLD_STRANGER), KEYS, LEGACY)
    with pytest.raises(BadSignature):
        webhook.verify(BODY + b" ", old(OLD), KEYS, LEGACY)


@pytest.mark.parametrize("bad", [new(STRANGER), {"x-ghl-signature": "N/A"}, {"x-ghl-signature": ""}])
def test_a_good_old_signature_does_not_save_a_bad_new_one(bad: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        webhook.verify(BODY, bad | old(OLD), KEYS, LEGACY)


def test_a_good_new_signature_makes_the_old_one_irrelevant() -> None:
    webhook.verify(BODY, new(OURS) | {"x-wh-signature": "N/A"}, KEYS, LEGACY)


def test_the_published_keys_are_the_ones_the_contract_fingerprints() -> None:
    assert _fingerprint(webhook.load_ed25519(webhook.HIGHLEVEL_PUBLIC_KEY)).startswith("5a2c1b2749d3efcc")
    assert _fingerprint(webhook.load_rsa(webhook.HIGHLEVEL_LEGACY_PUBLIC_KEY)).startswith("2f62045d413b1b77")


def test_a_key_may_be_given_without_its_pem_lines() -> None:
    bare = "".join(webhook.HIGHLEVEL_PUBLIC_KEY.splitlines()[1:-1])
    assert webhook.load_ed25519(bare) == webhook.load_ed25519(webhook.HIGHLEVEL_PUBLIC_KEY)


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN PUBLIC KEY-----", "ÄÖ", webhook.HIGHLEVEL_LEGACY_PUBLIC_KEY])
def test_what_is_no_ed25519_key_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match="HighLevel"):
        webhook.load_ed25519(text)


def test_an_ed25519_key_is_no_legacy_key() -> None:
    with pytest.raises(ConfigurationError, match="RSA"):
        webhook.load_rsa(webhook.HIGHLEVEL_PUBLIC_KEY)


def _fingerprint(key: PublicKeyTypes) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
