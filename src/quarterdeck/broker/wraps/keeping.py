"""Keeping a value for whoever is to have it once (contract: broker §3.4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select

from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.sealing import keys
from quarterdeck.broker.sealing.encoding import decoded, encoded
from quarterdeck.broker.wraps.actions import WrapAction, note
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.text import one_line
from quarterdeck.kernel.vault import Secret

Direction = Literal["in", "out"]
LARGEST = 256 << 10
"""Bytes of a value."""
MOST = 200
"""Values of one request in one direction."""
LONGEST_KEY = 400


def put(
    tx: Tx,
    request: Request,
    direction: Direction,
    key_name: str,
    value: Secret[bytes],
    ttl: timedelta,
    *,
    recipient: bool = False,
) -> Wrap:
    """Keep a value: `in` for an agent, `out` for the requester. The caller holds the lock of the request. `recipient`:
    what is kept is a text that only the requester's own key opens.

    Raises `Invalid` for a key or value that cannot be kept, `Conflict` (`wrap_exists`) for a key that has one already,
    and what the vault raises.
    """
    plain, called = value.reveal(), one_line(key_name, "key_name", LONGEST_KEY)
    if not plain:
        raise Invalid(f"The value of {called} is empty.", code="value_empty", hint="Send a value.", field="value")
    if len(plain) > LARGEST:
        raise Invalid(
            f"The value of {called} has more than {LARGEST >> 10} KiB.",
            code="value_too_large",
            hint="Keep large files where they are, and a key to them as the secret.",
            field="value",
        )
    _require_room(tx, request, direction, called)
    uid = tx.ids.uid()
    wrap = tx.add(
        Wrap(
            uid=uid,
            request_id=request.id,
            direction=direction,
            key_name=called,
            sealed=tx.vault.seal("broker_wraps", uid, _field(request, called), encoded(plain)),
            recipient=recipient,
            byte_length=len(plain),
            digest=keys.digest(tx, plain),
            created_at=tx.now,
            expires_at=tx.now + ttl,
        )
    )
    note(
        tx,
        wrap,
        request,
        WrapAction.CREATED,
        byte_length=wrap.byte_length,
        content_hash=wrap.digest,
        ttl_seconds=int(ttl.total_seconds()),
        recipient=recipient,
    )
    return wrap


def opened(tx: Tx, request: Request, wrap: Wrap) -> Secret[bytes]:
    """The value. Raises what the vault raises, for one that was moved or altered too."""
    sealed = wrap.sealed or ""
    text = tx.vault.open("broker_wraps", wrap.uid, _field(request, wrap.key_name), sealed)
    return Secret(decoded(text.reveal(), "value"))


def of(tx: Tx, request: Request, direction: Direction) -> list[Wrap]:
    """Those of a request in one direction, oldest first."""
    query = select(Wrap).where(Wrap.request_id == request.id, Wrap.direction == direction).order_by(Wrap.id)
    return list(tx.scalars(query.limit(MOST)))


def standing(wrap: Wrap, now: datetime) -> bool:
    """Whether somebody may still take it."""
    return wrap.consumed_at is None and wrap.sealed is not None and wrap.expires_at > now


def _field(request: Request, key_name: str) -> str:
    return f"value:{request.uid}:{key_name}"


def _require_room(tx: Tx, request: Request, direction: Direction, key_name: str) -> None:
    mine = (Wrap.request_id == request.id, Wrap.direction == direction)
    if tx.first(select(Wrap).where(*mine, Wrap.key_name == key_name)) is not None:
        raise Conflict(
            f"The key {key_name} of this request has a value already.",
            code="wrap_exists",
            hint="Each key is delivered once.",
        )
    if int(tx.execute(select(func.count()).select_from(Wrap).where(*mine)).scalar_one()) >= MOST:
        raise Conflict(f"A request has at most {MOST} values.", code="too_many_wraps", hint="Ask for fewer keys.")
