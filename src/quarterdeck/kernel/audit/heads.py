"""The ends of the chains, signed, to be kept off the box: whoever empties, cuts or remakes the trail cannot also change
what somebody else has kept, nor write another one that this installation would have signed.
"""

from __future__ import annotations

import base64
import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from quarterdeck.kernel.audit.verify import Head
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault import Secret

FORMAT = "quarterdeck.audit-heads/v1"
PURPOSE = b"audit-heads"
LARGEST = 1 << 20
_HEADS = text(
    "SELECT organization_id, position, hash FROM audit_seals s WHERE position = "
    "(SELECT MAX(position) FROM audit_seals o WHERE o.organization_id = s.organization_id) ORDER BY organization_id"
)


class Signed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Heads of all chains by organization (0: what belongs to none), when they were read and where. `public_key` and
    `signature` (Ed25519, base64) prove it: the signature is over the JSON of the other fields, keys sorted, no spaces.
    """

    format: str
    installation: str
    read_at: str
    heads: dict[int, Head]
    public_key: str
    signature: str = ""


def read(tx: Tx) -> dict[int, Head]:
    """The newest seal of each chain. Nothing is proved here: that is what `verify` is for."""
    return {int(row[0]): Head(int(row[1]), str(row[2])) for row in tx.execute(_HEADS)}


def sign(tx: Tx, installation: str, key: Secret[bytes]) -> Signed:
    """Read and sign with a key that is derived from the installation's own, which the vault seals."""
    own = _key(key)
    draft = Signed(
        format=FORMAT,
        installation=installation,
        read_at=wire_time(tx.now),
        heads=read(tx),
        public_key=_public(own),
    )
    return msgspec.structs.replace(draft, signature=_text(own.sign(_bytes(draft))))


def opened(data: bytes, installation: str, key: Secret[bytes], *, file: str) -> Signed:
    """What `sign` made, proved to be whole and of this installation. Raises `Invalid` (`audit_heads_unreadable`,
    `audit_heads_foreign`, `audit_heads_altered`).
    """
    try:
        found = msgspec.json.decode(data, type=Signed)
    except UNREADABLE:
        raise Invalid(
            f"{file} holds no signed chain ends.",
            code="audit_heads_unreadable",
            hint="Give what qd audit heads wrote. Heads of qd audit verify -o json go with --anchors.",
        ) from None
    own = _public(_key(key))
    if (found.format, found.installation, found.public_key) != (FORMAT, installation, own):
        raise Invalid(
            f"{file} was signed by another installation ({found.installation[:40]}, read at {found.read_at[:40]}), or "
            "this one was begun anew since.",
            code="audit_heads_foreign",
            hint="If it was kept from this very installation, its database or its key has been replaced: keep a copy "
            "of the data directory before anything else is done.",
        )
    try:
        verifier = Ed25519PublicKey.from_public_bytes(base64.b64decode(own))
        verifier.verify(base64.b64decode(found.signature, validate=True), _bytes(found))
    except (InvalidSignature, ValueError):
        raise Invalid(
            f"{file} is not as it was signed: somebody has changed it.",
            code="audit_heads_altered",
            hint="Take another copy of it.",
        ) from None
    return found


def fingerprint(public_key: str) -> str:
    """A short name of the key, to compare by eye."""
    return f"SHA256:{_text(hashlib.sha256(base64.b64decode(public_key)).digest()).rstrip('=')}"


def _key(key: Secret[bytes]) -> Ed25519PrivateKey:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=PURPOSE).derive(key.reveal())
    return Ed25519PrivateKey.from_private_bytes(derived)


def _public(key: Ed25519PrivateKey) -> str:
    return _text(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def _bytes(one: Signed) -> bytes:
    fields = msgspec.to_builtins(one, str_keys=True)
    del fields["signature"]
    return msgspec.json.encode(fields, order="sorted")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
