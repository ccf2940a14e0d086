"""The webhooks of an organization: made, changed, deleted. Their secrets are shown once, when they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from quarterdeck.identity.machine import Machine
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.text import one_line
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify import actions, addresses
from quarterdeck.notify.actions import NotifyAction
from quarterdeck.notify.hooks import offered
from quarterdeck.notify.hooks.model import Delivery, Hook

TABLE = Hook.__tablename__
PREFIX = "whsec_"
MOST = 50
SHORTEST, LONGEST = 16, 200


def page(tx: Tx, before: int | None, limit: int) -> tuple[Sequence[Hook], int]:
    """So many of the caller's organization, newest first, behind a number, and how many there are."""
    here = Hook.organization_id == tx.principal.acts_in
    query = select(Hook).where(here)
    if before is not None:
        query = query.where(Hook.id < before)
    rows = list(tx.scalars(query.order_by(Hook.id.desc()).limit(limit)))
    return rows, int(tx.execute(select(func.count()).select_from(Hook).where(here)).scalar() or 0)


def find(tx: Tx, number: int | None) -> Hook:
    """One of the caller's organization. Raises `NotFound` (`webhook_not_found`), for another's too."""
    here = Hook.organization_id == tx.principal.acts_in
    row = None if number is None else tx.first(select(Hook).where(here, Hook.id == number))
    if row is None:
        raise NotFound("There is no such webhook.", code="webhook_not_found", hint="Look at the list of webhooks.")
    return row


def near(tx: Tx, organization_id: int) -> bool:
    """Whether an organization's calls may go to private addresses: only that of whoever runs this installation."""
    return Machine.belongs_to(tx, organization_id)


def create(
    tx: Tx, name: str, url: str, wanted: Sequence[str], secret: Secret[str] | None = None
) -> tuple[Hook, Secret[str]]:
    """A new webhook and its secret, drawn unless one is given. Raises `Invalid`, and `Conflict`
    (`too_many_webhooks`).
    """
    place = tx.principal.acts_in
    tx.lock(f"notify-hooks:{place}")
    if page(tx, None, 1)[1] >= MOST:
        raise Conflict(f"There are {MOST} webhooks already.", code="too_many_webhooks", hint="Delete one first.")
    secret = secret or Secret(PREFIX + tx.ids.token(32))
    uid = tx.ids.uid()
    row = tx.add(
        Hook(
            uid=uid,
            organization_id=place,
            name=one_line(name, "name", 100),
            url=addresses.check(url, near=near(tx, place)),
            secret=_sealed(tx, uid, secret),
            events=offered.checked(wanted),
            enabled=True,
            failing_since=None,
            disabled_reason=None,
            created_by=tx.principal.id if tx.principal.kind == "user" else None,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    note(tx, NotifyAction.HOOK_CREATED, row, {"name": row.name, "events": row.events})
    return row, secret


def change(
    tx: Tx,
    row: Hook,
    *,
    name: str | None = None,
    url: str | None = None,
    wanted: Sequence[str] | None = None,
    secret: Secret[str] | None = None,
    enabled: bool | None = None,
) -> Hook:
    """Change what is given. One that is enabled again begins anew. Raises `Invalid`."""
    tx.lock(f"notify-hook:{row.id}")
    given: dict[str, Any] = {
        "name": None if name is None else one_line(name, "name", 100),
        "url": None if url is None else addresses.check(url, near=near(tx, row.organization_id)),
        "events": None if wanted is None else offered.checked(wanted),
        "enabled": enabled,
    }
    changed = [key for key, value in given.items() if value is not None and getattr(row, key) != value]
    for key in changed:
        setattr(row, key, given[key])
    if secret is not None:
        row.secret = _sealed(tx, row.uid, secret)
        changed.append("secret")
    if enabled:
        row.failing_since = row.disabled_reason = None
    if changed:
        row.updated_at = tx.now
        tx.flush()
        note(tx, NotifyAction.HOOK_CHANGED, row, {"changed": changed})
    return row


def remove(tx: Tx, row: Hook) -> None:
    """Delete it with all that was sent to it; what still waits to be sent is not."""
    note(tx, NotifyAction.HOOK_DELETED, row, {"name": row.name})
    tx.session.delete(row)
    tx.flush()


def secret_of(tx: Tx, row: Hook) -> Secret[str]:
    return tx.vault.open(TABLE, row.uid, "secret", row.secret)


def sent(tx: Tx, row: Hook, before: int | None, limit: int) -> tuple[Sequence[Delivery], int]:
    """What was sent to a webhook, newest first, and how much that is."""
    here = Delivery.hook_id == row.id
    query = select(Delivery).where(here)
    if before is not None:
        query = query.where(Delivery.id < before)
    rows = list(tx.scalars(query.order_by(Delivery.id.desc()).limit(limit)))
    return rows, int(tx.execute(select(func.count()).select_from(Delivery).where(here)).scalar() or 0)


def note(tx: Tx, action: NotifyAction, row: Hook, detail: Mapping[str, object]) -> None:
    actions.note(tx, action, "webhook", row.id, row.organization_id, detail)


def _sealed(tx: Tx, uid: str, secret: Secret[str]) -> str:
    if not SHORTEST <= len(secret.reveal()) <= LONGEST:
        raise Invalid(
            f"A secret has {SHORTEST} to {LONGEST} characters.", hint="Leave it out, and one is drawn.", field="secret"
        )
    return tx.vault.seal(TABLE, uid, "secret", secret)
