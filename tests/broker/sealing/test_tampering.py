"""Whatever is altered on the way does not open, and says nothing of why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from quarterdeck.broker.sealing import agreement, envelopes
from quarterdeck.broker.sealing.agreement import Sealed, Unsealable, open_sealed, seal
from quarterdeck.broker.sealing.encoding import decoded, encoded
from quarterdeck.broker.sealing.envelopes import Envelope, open_envelope
from quarterdeck.broker.sealing.local_key import LocalKey
from quarterdeck.kernel.errors import Invalid

keys = some.binary(min_size=32, max_size=32)
values = some.binary(min_size=1, max_size=200)


def flipped(data: bytes, place: int) -> bytes:
    at = place % (len(data) * 8)
    return data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :]


@given(private=keys, value=some.binary(max_size=200))
def test_what_is_sealed_opens_to_the_same_and_shows_nothing_of_it(private, value):
    made = seal(agreement.public_of(private), value)
    assert open_sealed(private, made) == value
    assert len(made.ciphertext) == len(value) + agreement.TAG
    if len(value) > 8:
        assert value not in made.ciphertext


@given(private=keys, value=values, place=some.integers(0, 10_000), part=some.sampled_from(["ciphertext", "nonce"]))
def test_one_bit_that_is_altered_keeps_it_shut(private, value, place, part):
    made = seal(agreement.public_of(private), value)
    with pytest.raises(Unsealable):
        open_sealed(private, replace(made, **{part: flipped(getattr(made, part), place)}))


@given(private=keys, value=values, place=some.integers(0, 254))
def test_another_ephemeral_key_keeps_it_shut(private, value, place):
    # The last bit of a key is not looked at in the agreement, and counts in what is derived of it.
    made = seal(agreement.public_of(private), value)
    with pytest.raises(Unsealable):
        open_sealed(private, replace(made, ephemeral_public_key=flipped(made.ephemeral_public_key, place)))
    with pytest.raises(Unsealable):
        open_sealed(private, replace(made, ephemeral_public_key=flipped(made.ephemeral_public_key, 255)))


@given(private=keys, other=keys, value=values)
def test_another_private_key_opens_nothing(private, other, value):
    made = seal(agreement.public_of(private), value)
    if agreement.public_of(private) != agreement.public_of(other):
        with pytest.raises(Unsealable):
            open_sealed(other, made)


@pytest.mark.parametrize(
    "wrong",
    [
        {"algorithm": "aes-256-gcm"},
        {"algorithm": ""},
        {"nonce": b""},
        {"nonce": bytes(16)},
        {"ephemeral_public_key": b""},
        {"ephemeral_public_key": bytes(32)},
        {"ephemeral_public_key": bytes(31)},
        {"ciphertext": b""},
        {"ciphertext": bytes(15)},
    ],
)
def test_what_is_not_of_the_form_does_not_open(wrong):
    private = bytes(range(1, 33))
    made: Sealed = seal(agreement.public_of(private), b"a value")
    with pytest.raises(Unsealable):
        open_sealed(private, replace(made, **wrong))


@given(key=keys, value=values, place=some.integers(0, 10_000), part=some.sampled_from(["ciphertext", "nonce"]))
def test_an_envelope_that_is_altered_does_not_open(key, value, place, part):
    nonce, ciphertext = envelopes.close(key, value)
    whole = Envelope(ciphertext=ciphertext, nonce=nonce, dek_ciphertext=b"")
    assert open_envelope(key, whole) == value
    with pytest.raises(Unsealable):
        open_envelope(key, replace(whole, **{part: flipped(getattr(whole, part), place)}))
    for wrong in ({"algorithm": "AES"}, {"nonce": nonce + b"\0"}, {"ciphertext": b""}):
        with pytest.raises(Unsealable):
            open_envelope(key, replace(whole, **wrong))
    with pytest.raises(Unsealable):
        open_envelope(key[:16], whole)


@given(master=keys, other=keys, data_key=keys, nonce=some.binary(min_size=12, max_size=12), place=some.integers(0, 479))
def test_a_wrapped_data_key_that_is_altered_or_of_another_key_does_not_open(master, other, data_key, nonce, place):
    mine = LocalKey(master)
    wrapped = mine.wrap(data_key, nonce)
    assert mine.unwrap(wrapped) == mine.unwrap(wrapped, mine.key_id) == data_key
    for wrong in (flipped(wrapped, place), wrapped[:-1], wrapped + b"\0", b""):
        with pytest.raises(Unsealable):
            mine.unwrap(wrong)
    if master != other:
        with pytest.raises(Unsealable):
            LocalKey(other).unwrap(wrapped)
        with pytest.raises(Unsealable):
            mine.unwrap(wrapped, LocalKey(other).key_id)


@given(some.binary(max_size=100))
def test_bytes_travel_as_standard_base64(data):
    assert decoded(encoded(data), "value") == data


@pytest.mark.parametrize("text", ["YQ", "YQ=", "YQ==\n", " YQ==", "Y-_=", "YR==", "ä", "YQ==YQ=="])
def test_what_is_not_standard_base64_is_refused_and_not_repeated(text):
    with pytest.raises(Invalid) as refused:
        decoded(text, "public_key")
    assert (refused.value.code, refused.value.details["field"]) == ("base64_invalid", "public_key")
    assert text not in refused.value.message
