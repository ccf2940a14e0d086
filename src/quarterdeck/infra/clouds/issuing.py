"""The server as an issuer of tokens that clouds trust (OpenID Connect Discovery 1.0): its key, and what it signs.

A token is for one job of one identity at one cloud, and good for as long as that may take: clouds give credentials for
an hour, and are shown it again for the next ones.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from quarterdeck.infra.clouds import turning
from quarterdeck.infra.clouds.model import CloudIdentity, IssuerKey
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify.door import Door

PATH = "/api/cloud-issuer"
KEYS = "/jwks"
LIFE = timedelta(minutes=10)
"""Of a token that is used at once: for a look at what a cloud has."""
SPARE = timedelta(minutes=10)
"""What a token outlives the time that its job may take by: it is signed before the job begins."""
ALGORITHM = "RS256"
AZURE_AUDIENCE = "api://AzureADTokenExchange"


def issuer(tx: Tx) -> str | None:
    """Our name as an issuer; None where clouds cannot reach us, because no public address is set."""
    base = tx.part(Door).base
    return f"{base}{PATH}" if base.startswith("https://") else None


def require(tx: Tx) -> str:
    """`issuer`, or `Conflict` (`cloud_issuer_absent`)."""
    found = issuer(tx)
    if found is None:
        raise Conflict(
            "Google Cloud and Azure trust tokens that this server signs, and have to fetch its keys from an address "
            "that they can reach; none is set.",
            code="cloud_issuer_absent",
            hint="Start the server with --public-url https://… (QUARTERDECK_PUBLIC_URL), then connect again.",
        )
    return found


def configuration(tx: Tx) -> dict[str, Any]:
    """What we say of ourselves. Raises `NotFound` where we are no issuer."""
    name = _public(tx)
    return {
        "issuer": name,
        "jwks_uri": f"{name}{KEYS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"],
    }


def keys(tx: Tx) -> dict[str, Any]:
    """The public keys, with those that sign not yet, or no more; none before the first identity needs one. Raises
    `NotFound` where we are no issuer.
    """
    _public(tx)
    return {"keys": [{**row.public, "use": "sig", "alg": ALGORITHM} for row in turning.every(tx)]}


def ensure_key(tx: Tx) -> IssuerKey:
    """The key that signs, drawn at first need."""
    tx.lock("infra-issuer")
    found = turning.signing(tx)
    if found is not None:
        return found
    return turning.draw(tx)


def subject(identity: CloudIdentity) -> str:
    """By which a cloud's trust names an identity: it never changes."""
    return f"cloud-identity:{identity.uid}"


def audience(identity: CloudIdentity) -> str:
    """Whom a token is for: nobody else takes it. Of Google it is the provider of the pool."""
    if identity.provider == "azure":
        return AZURE_AUDIENCE
    return str(identity.credentials.get("audience", ""))


def token(tx: Tx, identity: CloudIdentity, life: timedelta = LIFE) -> Secret[str]:
    """A token that says: who brings this is the identity, for so long. Raises `Conflict` as `require` does."""
    name = require(tx)
    row = ensure_key(tx)
    key = RSAKey.import_key(json.loads(tx.vault.open(turning.TABLE, row.uid, "sealed", row.sealed).reveal()))
    now = int(tx.now.timestamp())
    claims = {
        "iss": name,
        "sub": subject(identity),
        "aud": audience(identity),
        "iat": now,
        "nbf": now,
        "exp": now + int(life.total_seconds()),
        "jti": tx.ids.uid(),
    }
    return Secret(jwt.encode({"alg": ALGORITHM, "kid": str(row.public["kid"]), "typ": "JWT"}, claims, key))


def _public(tx: Tx) -> str:
    name = issuer(tx)
    if name is None:
        raise NotFound(
            "This server issues no tokens for clouds: it has no public address.",
            code="cloud_issuer_not_found",
            hint="Start it with --public-url https://…",
        )
    return name
