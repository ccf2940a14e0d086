"""Judging a private key before it is stored: readable, not encrypted, strong enough; and its public half."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret

LEAST_RSA_BITS = 2048
LONGEST = 20_000
GENERATE = "Make one with: ssh-keygen -t ed25519 -N '' -f quarterdeck-key"
USERNAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}")
CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
Accepted = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class KeyPair:
    """`public` is one line as in `authorized_keys`, without a comment."""

    private: Secret[str]
    public: str


def key_pair(private: Secret[str], public: str | None = None) -> KeyPair:
    """The pair of a private key. Raises `Invalid` with an instruction for one that cannot be used or is too weak, and
    for a `public` that is not its other half.
    """
    text = private.reveal().replace("\r\n", "\n").strip() + "\n"
    check_form(text)
    key = load(text.encode())
    derived = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    if public is not None and public.split()[:2] != derived.split()[:2]:
        raise Invalid(
            "The public key does not belong to the private key.",
            hint="Leave it out: it is derived from the private key.",
            field="publicKey",
        )
    return KeyPair(Secret(text), derived)


def new_pair() -> KeyPair:
    """A new Ed25519 key."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return KeyPair(Secret(private), key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def check_form(text: str) -> None:
    if text.startswith(("ssh-", "ecdsa-", "-----BEGIN PUBLIC", "-----BEGIN SSH2 PUBLIC")):
        raise refused("This is a public key.", "Give the private half: the file without .pub.")
    if text.startswith("PuTTY-User-Key-File"):
        raise refused(
            "This key is in PuTTY's format.",
            "Convert it: puttygen key.ppk -O private-openssh -o key",
        )
    if len(text) > LONGEST or not text.startswith("-----BEGIN ") or "PRIVATE KEY-----" not in text:
        raise refused(
            "This is not a private key.",
            f"Give the whole file, from -----BEGIN to -----END. {GENERATE}",
        )


def load(data: bytes) -> Accepted:
    encrypted = b"ENCRYPTED" in data.split(b"\n\n")[0]
    reader = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in data else load_pem_private_key
    try:
        key = reader(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if encrypted or "password" in str(error).lower() or "encrypted" in str(error).lower():
            raise refused(
                "The private key is encrypted with a passphrase, which nobody can type while a deployment runs.",
                "Remove it from a copy (ssh-keygen -p -N '' -f copy-of-key), or make a key for this purpose alone. "
                + GENERATE,
            ) from None
        raise refused(
            "The private key cannot be read: it is damaged, cut off, or of a kind that is not supported.",
            f"Give the whole file, from -----BEGIN to -----END. {GENERATE}",
        ) from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < LEAST_RSA_BITS:
        raise refused(f"An RSA key of {key.key_size} bits is too weak.", f"Use 3072 bits or ed25519. {GENERATE}")
    if isinstance(key, dsa.DSAPrivateKey):
        raise refused("DSA keys are broken, and servers refuse them.", GENERATE)
    if isinstance(key, ec.EllipticCurvePrivateKey) and not isinstance(key.curve, CURVES):
        raise refused(f"SSH knows no keys on the curve {key.curve.name}.", GENERATE)
    if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise refused("SSH knows no keys of this kind.", GENERATE)
    return key


def refused(message: str, hint: str) -> Invalid:
    return Invalid(message, hint=hint, field="privateKey")


def check_username(name: str | None) -> str | None:
    if name is None:
        return None
    if not USERNAME.fullmatch(name):
        raise Invalid(
            "The user name must be one that the server could have.",
            hint="Letters, digits, and . _ - @ after the first character.",
            field="username",
        )
    return name
