"""One's SSH keys: a pair made here, and one that was brought."""

from __future__ import annotations

import binascii
from base64 import b64decode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from quarterdeck.identity import accounts, members, proving, sessions, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.runbooks import shapes
from quarterdeck.surfaces.runbooks.wire import account as wire

KINDS = ("ssh-rsa", "ssh-ed25519", "ecdsa-sha2-", "ssh-dss")
OWN, BROUGHT = "sshPublicKey", "personalSshPublicKey"


def keep(tx: Tx, name: str, key: str | None) -> None:
    user = proving.me(tx)
    if shapes.kept(user, name) != key:
        users.prefer(tx, user, **{name: key})
        members.note(tx, user, IdentityAction.SSH_KEY_CHANGED, tx.principal.organization_id, kept=key is not None)


@route("POST", "/api/auth/me/ssh-key", permission="authenticated")
async def make(call: Call) -> wire.KeyPair:
    """A new ed25519 pair; the private half is shown this once and not kept."""
    sessions.require_in_person(call.principal)

    def verb(tx: Tx) -> wire.KeyPair:
        key = Ed25519PrivateKey.from_private_bytes(tx.ids.randbytes(32))
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
        comment = "_".join(proving.me(tx).display_name.split())
        keep(tx, OWN, f"{public} {comment}@quarterdeck")
        return wire.KeyPair(public_key=f"{public} {comment}@quarterdeck", private_key=private)

    return await call.write(verb)


@route("GET", "/api/auth/me/ssh-key", permission="authenticated", narrowed=shapes.FAMILY)
async def show(call: Call) -> wire.PublicKey:
    """The public half of the pair that was made here."""
    return wire.PublicKey(ssh_public_key=await call.read(lambda tx: shapes.kept(proving.me(tx), OWN)))


@route("DELETE", "/api/auth/me/ssh-key", permission="authenticated")
async def forget(call: Call) -> wire.Done:
    """Forget the public half of the pair that was made here."""
    sessions.require_in_person(call.principal)
    await call.write(keep, OWN, None)
    return wire.Done(status="ok")


@route("PUT", "/api/auth/me/personal-ssh-key", permission="authenticated")
async def bring(call: Call, body: wire.PersonalKey) -> wire.HasPersonalKey:
    """Keep a public key of one's own."""
    sessions.require_in_person(call.principal)
    await call.write(keep, BROUGHT, public_key(body.key))
    return wire.HasPersonalKey(has_personal_key=True)


@route("DELETE", "/api/auth/me/personal-ssh-key", permission="authenticated")
async def take_back(call: Call) -> wire.HasPersonalKey:
    """Forget one's own public key."""
    sessions.require_in_person(call.principal)
    await call.write(keep, BROUGHT, None)
    return wire.HasPersonalKey(has_personal_key=False)


@route("GET", "/api/auth/ssh-keys", permission="authenticated", narrowed=shapes.FAMILY)
async def everybody(call: Call) -> wire.SharedKeys:
    """The public keys of the active people of the organization."""

    def verb(tx: Tx) -> wire.SharedKeys:
        return wire.SharedKeys(
            keys=[
                wire.SharedKey(
                    user_id=user.id,
                    username=user.username,
                    display_name=user.display_name,
                    ssh_public_key=key,
                    is_self=user.id == tx.principal.id,
                )
                for user in accounts.listed(tx)
                if user.active and (key := shapes.kept(user, OWN))
            ]
        )

    return await call.read(verb)


def public_key(text: str) -> str:
    """One line of `authorized_keys`, without options. Raises `Invalid` for anything else."""
    parts = text.strip().split(None, 2)
    good = len(parts) >= 2 and parts[0].startswith(KINDS) and text.strip().isprintable()
    try:
        body = b64decode(parts[1], validate=True) if good else b""
    except (binascii.Error, ValueError):
        body = b""
    if len(body) < 20 or parts[0].encode() not in body[:40]:
        raise Invalid(
            "This is not a public SSH key.",
            hint="Give one line that begins with ssh-ed25519, ssh-rsa or ecdsa-sha2-…, as in a file that ends in .pub.",
            field="key",
        )
    return text.strip()
