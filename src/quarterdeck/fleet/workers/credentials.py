"""A worker's access token: signed, for 24 hours, good while the worker's generation is the one it names."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import Secret

LIFE = timedelta(hours=24)
AUDIENCE = "worker"
ALGORITHM = "HS256"
LONGEST = 4096
"""Characters of a token that is looked at."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Whose token it is, and of which generation."""

    uid: str
    generation: int


class AccessTokens:
    """Signs and reads them, with a key of their own that is derived from the installation's: neither a token of a
    person counts here nor one of these there.
    """

    def __init__(self, key: Secret[bytes]) -> None:
        self._key = OctKey.import_key(hmac.new(key.reveal(), b"access tokens of workers", hashlib.sha256).digest())

    def issue(self, tx: Tx, worker: Worker) -> tuple[Secret[str], datetime]:
        """A token of this moment, and when it ends."""
        until = tx.now + LIFE
        claims = {
            "sub": worker.uid,
            "aud": AUDIENCE,
            "gen": worker.generation,
            "iat": int(tx.now.timestamp()),
            "exp": int(until.timestamp()),
            "jti": tx.ids.hex(32),
        }
        return Secret(jwt.encode({"alg": ALGORITHM, "typ": "JWT"}, claims, self._key)), until

    def read(self, text: str, now: datetime) -> Claims | None:
        """What a token says, if it is one of these, whole and not ended."""
        if len(text) > LONGEST or text.count(".") != 2:
            return None
        try:
            claims = jwt.decode(text, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, KeyError):
            return None
        uid, generation, ends = claims.get("sub"), claims.get("gen"), claims.get("exp")
        if claims.get("aud") != AUDIENCE or not isinstance(uid, str) or type(generation) is not int:
            return None
        return Claims(uid, generation) if type(ends) is int and now.timestamp() < ends else None
