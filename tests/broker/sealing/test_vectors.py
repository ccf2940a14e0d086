"""The documented bytes (contract: broker §3.7), in both directions."""

from __future__ import annotations

import base64
import hashlib

import pytest

from quarterdeck.broker.agents.keys import fingerprint
from quarterdeck.broker.sealing import agreement, envelopes
from quarterdeck.broker.sealing.agreement import Sealed, Unsealable, open_sealed, seal, sealed_with
from quarterdeck.broker.sealing.envelopes import Envelope, open_envelope
from quarterdeck.broker.sealing.keys import content_hash
from quarterdeck.broker.sealing.local_key import LocalKey
from quarterdeck.fleet.workers.enrolment import digest

PRIVATE = bytes(range(0x01, 0x21))
PUBLIC = base64.b64decode("B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=")
EPHEMERAL = bytes(range(0x41, 0x61))
EPHEMERAL_PUBLIC = base64.b64decode("ZLEBsdC+WocEvQePmJUAH8A+jp+VIvGI3RKNmEbUhGY=")
NONCE = base64.b64decode("oKGio6Slpqeoqaqr")
PLAINTEXT = b"s3cr3t-DB-pass!"
CIPHERTEXT = base64.b64decode("WNSnLJPFTtp3speeuhh0LBy5915GCSl+rLT9iUE66Q==")

MASTER = base64.b64decode("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=")
KEY_ID = "local:ctu3M2x2eAAj-D2kw1Xy7uqFczsT00d2l5F3kMEikIQ"
DATA_KEY = bytes(range(0x80, 0xA0))
WRAPPED = base64.b64decode("EBESExQVFhcYGRoboFx9kcvGlAH70a2vWEUurv0cRsuhnZGFOKPceBBVHHQV12KBQOyazJmH34COgz5X")
DELIVERED = b"postgres://u:p@db/app"
DELIVERED_NONCE = base64.b64decode("wMHCw8TFxsfIycrL")
DELIVERED_CIPHERTEXT = base64.b64decode("FFPz9tvfhrA4ABg6eNFwVEvuazGSb7XLlQxzsK5LFlHSllMMuw==")


def test_what_is_sealed_for_an_agent_has_the_documented_bytes():
    assert agreement.public_of(PRIVATE) == PUBLIC
    made = sealed_with(PUBLIC, PLAINTEXT, EPHEMERAL, NONCE)
    assert made == Sealed(ciphertext=CIPHERTEXT, nonce=NONCE, ephemeral_public_key=EPHEMERAL_PUBLIC)
    assert made.algorithm == "x25519-hkdf-aes-gcm"
    assert content_hash(PLAINTEXT) == "79a7d2bab540165ffb28db222fb6b296c572cfe6262c94061ac6b98f23d43792"


def test_the_documented_bytes_open_with_the_agents_key():
    sealed = Sealed(ciphertext=CIPHERTEXT, nonce=NONCE, ephemeral_public_key=EPHEMERAL_PUBLIC)
    assert open_sealed(PRIVATE, sealed) == PLAINTEXT


def test_a_wrapped_data_key_has_the_documented_bytes():
    key = LocalKey(MASTER)
    assert key.key_id == KEY_ID
    assert key.wrap(DATA_KEY, bytes(range(0x10, 0x1C))) == WRAPPED
    assert len(WRAPPED) == 60


def test_the_documented_envelope_opens():
    assert LocalKey(MASTER).unwrap(WRAPPED, KEY_ID) == DATA_KEY
    envelope = Envelope(
        ciphertext=DELIVERED_CIPHERTEXT, nonce=DELIVERED_NONCE, dek_ciphertext=WRAPPED, dek_kms_key_id=KEY_ID
    )
    assert open_envelope(DATA_KEY, envelope) == DELIVERED
    assert content_hash(DELIVERED) == "6e6ca91b743910b4ebd76a6745f8464ad857f5cf3829deecef2e3a727086ffb4"


def test_an_envelope_has_the_documented_bytes():
    class Fixed:
        def randbytes(self, _size: int) -> bytes:
            return DELIVERED_NONCE

    assert envelopes.close(DATA_KEY, DELIVERED, Fixed()) == (DELIVERED_NONCE, DELIVERED_CIPHERTEXT)  # type: ignore[arg-type]


def test_the_secret_of_an_agent_is_kept_as_the_hash_of_its_text():
    secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert digest(secret) == "ea866a757e4c38babfa8127cbe9a409d3e1f93a00ff1488ff735fcf917afffd0"
    assert digest(secret) == hashlib.sha256(secret.encode("ascii")).hexdigest()


def test_a_public_key_is_named_in_the_audit_trail_as_documented():
    assert fingerprint(PUBLIC) == "qqj_9wO1CyI"


def test_each_sealing_has_a_key_and_a_nonce_of_its_own():
    made = [seal(PUBLIC, PLAINTEXT) for _ in range(20)]
    assert len({one.ephemeral_public_key for one in made}) == 20
    assert len({one.nonce for one in made}) == 20
    assert {open_sealed(PRIVATE, one) for one in made} == {PLAINTEXT}


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f")])
def test_nothing_is_sealed_to_a_point_that_agrees_on_nothing(point):
    with pytest.raises(Unsealable):
        seal(point, PLAINTEXT)
    assert not agreement.agrees(point)
