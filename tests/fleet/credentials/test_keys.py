"""What becomes of a private key before it is stored."""

from __future__ import annotations

import asyncssh
import pytest

from quarterdeck.fleet.credentials.keys import key_pair, new_pair
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret
from real.sshd import new_key

pytestmark = pytest.mark.sshd


@pytest.mark.parametrize(
    "options",
    [
        ("-t", "ed25519"),
        ("-t", "rsa", "-b", "2048"),
        ("-t", "rsa", "-b", "2048", "-m", "PEM"),
        ("-t", "ecdsa", "-b", "256", "-m", "PKCS8"),
        ("-t", "ecdsa", "-b", "521"),
    ],
)
def test_every_usual_key_is_taken_and_its_public_half_derived(tmp_path, options):
    public = new_key(tmp_path / "key", *options)
    text = (tmp_path / "key").read_text()
    pair = key_pair(Secret(text), public)
    assert pair.public.split() == public.split()[:2]
    assert (
        asyncssh.import_private_key(pair.private.reveal()).export_public_key().decode().split()[:2]
        == public.split()[:2]
    )
    # Line ends of another system and a lost last one do no harm.
    assert key_pair(Secret(text.replace("\n", "\r\n").strip())).public == pair.public


def test_a_new_key_is_one_that_is_taken_and_never_the_same_twice() -> None:
    made = new_pair()
    assert key_pair(made.private, made.public).public == made.public
    assert made.public.startswith("ssh-ed25519 ")
    assert new_pair().public != made.public


@pytest.mark.parametrize(
    ("options", "words", "hint"),
    [
        (("-t", "rsa", "-b", "1024"), "1024 bits is too weak", "ed25519"),
        (("-t", "ed25519", "-N", "a passphrase"), "encrypted with a passphrase", "ssh-keygen -p"),
        (
            ("-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "a passphrase"),
            "encrypted with a passphrase",
            "ssh-keygen -p",
        ),
    ],
)
def test_a_key_that_is_weak_or_encrypted_is_refused_with_what_to_do(tmp_path, options, words, hint):
    new_key(tmp_path / "key", *options)
    with pytest.raises(Invalid, match=words) as refused:
        key_pair(Secret((tmp_path / "key").read_text()))
    assert hint in (refused.value.hint or "")
    assert refused.value.details["field"] == "privateKey"


def test_what_is_no_private_key_is_named_as_what_it_is(tmp_path):
    public = new_key(tmp_path / "key")
    text = (tmp_path / "key").read_text()
    with pytest.raises(Invalid, match="public key"):
        key_pair(Secret(public))
    with pytest.raises(Invalid, match="PuTTY"):
        key_pair(Secret("PuTTY-User-Key-File-3: ssh-ed25519\n"))
    for wrong in ("", "nonsense", text[:100], text.replace("b3BlbnNzaC1rZXk", "AAAA"), "-----BEGIN PRIVATE KEY-----\n"):
        with pytest.raises(Invalid) as refused:
            key_pair(Secret(wrong))
        assert "ssh-keygen" in (refused.value.hint or "")
        assert not wrong or wrong[30:60] not in str(refused.value) or len(wrong) < 60


def test_a_public_key_of_another_pair_is_refused(tmp_path):
    new_key(tmp_path / "key")
    other = new_key(tmp_path / "other")
    with pytest.raises(Invalid, match="does not belong") as refused:
        key_pair(Secret((tmp_path / "key").read_text()), other)
    assert refused.value.details["field"] == "publicKey"
