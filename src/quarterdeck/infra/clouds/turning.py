"""The keys that sign tokens for clouds take turns: a new one is published ahead of its use, and an old one goes once no
token of it can be good any more.

Ages alone say which key signs, so that every server of an installation answers the same, and none is signed by a key
that clouds have not had the time to fetch.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from joserfc.jwk import RSAKey
from sqlalchemy import select

from quarterdeck.identity.setup import default_organization
from quarterdeck.infra.clouds.actions import CloudAction, turned
from quarterdeck.infra.clouds.model import IssuerKey
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Database, Tx

BITS = 2048
TABLE = IssuerKey.__tablename__
EVERY = timedelta(days=90)
"""How old a key becomes before the next one is drawn."""
AHEAD = timedelta(days=2)
"""How long a key is published before it signs: clouds keep what they have fetched for a day at most."""
LONGEST_LIFE = timedelta(hours=24)
"""After which no token is good that a key has signed; what a token is given lies below."""
TICK = 3600.0


class Ledger(Protocol):
    """What of `kernel.jobs.Jobs` is needed here."""

    may_claim: Callable[[], bool]


def every(tx: Tx) -> Sequence[IssuerKey]:
    """All that are published, the newest first."""
    return list(tx.scalars(select(IssuerKey).order_by(IssuerKey.id.desc())))


def signing(tx: Tx) -> IssuerKey | None:
    """The newest that was published long enough ago; where none was, the oldest, which nothing comes before."""
    found = every(tx)
    return next((one for one in found if one.created_at <= tx.now - AHEAD), found[-1] if found else None)


def draw(tx: Tx) -> IssuerKey:
    """A new key, published from now on. The caller holds the lock `infra-issuer`."""
    key = RSAKey.generate_key(BITS, private=True, auto_kid=True)
    uid = tx.ids.uid()
    private = json.dumps(key.as_dict(private=True))
    made = tx.add(
        IssuerKey(
            uid=uid,
            public=key.as_dict(private=False),
            sealed=tx.vault.seal(TABLE, uid, "sealed", private),
            created_at=tx.now,
        )
    )
    tx.flush()
    return made


def turn(tx: Tx) -> None:
    """Draw the next key where the newest has come of age, and take those away whose tokens have all run out. Nothing
    before the first one, which is drawn at need.
    """
    tx.lock("infra-issuer")
    found = every(tx)
    if not found:
        return
    place = default_organization(tx).id
    if found[0].created_at <= tx.now - EVERY:
        turned(tx, draw(tx), CloudAction.KEY_PUBLISHED, place, signsFrom=wire_time(tx.now + AHEAD))
    signs = signing(tx)
    assert signs is not None  # noqa: S101 - there are some
    for old in found:
        if old.id < signs.id and signs.created_at <= tx.now - AHEAD - LONGEST_LIFE:
            turned(tx, old, CloudAction.KEY_RETIRED, place)
            tx.session.delete(old)
    tx.flush()


def due(tx: Tx) -> bool:
    """Whether `turn` would do something: a read, so that nothing is written every hour."""
    found = every(tx)
    if not found:
        return False
    signs = signing(tx)
    over = signs is not None and signs is not found[-1] and signs.created_at <= tx.now - AHEAD - LONGEST_LIFE
    return over or found[0].created_at <= tx.now - EVERY


async def watch(db: Database, ledger: Ledger, tick: float = TICK) -> None:
    """Beside the server, until it is canceled."""
    while True:
        if ledger.may_claim() and await db.read(due):
            await db.write(turn)
        await asyncio.sleep(tick)
