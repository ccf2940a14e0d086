"""The only place that says yes."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.access.model import Grant
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, Unauthenticated
from quarterdeck.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and the rule that gave it, in words that a person can act on."""

    allowed: bool
    reason: str


class Access:
    """Decides from a compiled snapshot of all grants, which every change drops at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roles: dict[tuple[int, int], frozenset[str]] | None = None
        self._changes = 0

    def changed(self) -> None:
        """Forget the snapshot; called after every commit that touches grants or users."""
        with self._lock:
            self._roles = None
            self._changes += 1

    def load(self, tx: Tx) -> None:
        """Compile the snapshot if it was dropped. One that was dropped meanwhile is not kept: try until `loaded`."""
        with self._lock:
            if self._roles is not None:
                return
            changes = self._changes
        roles: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        for row in tx.execute(select(Grant.user_id, Grant.organization_id, Grant.role).where(Grant.project_id == 0)):
            roles[row.user_id, row.organization_id].add(row.role)
        compiled = {key: frozenset(value) for key, value in roles.items()}
        with self._lock:
            if changes == self._changes:
                self._roles = compiled

    async def ready(self, db: Database) -> None:
        """Have the snapshot; it stays at least until the caller waits for something again."""
        while not self.loaded:
            await db.read(self.load)

    @property
    def loaded(self) -> bool:
        return self._roles is not None

    def roles(self, user_id: int, organization_id: int | None) -> frozenset[str]:
        roles = self._roles
        return (
            frozenset()
            if roles is None or organization_id is None
            else roles.get((user_id, organization_id), frozenset())
        )

    def decide(self, principal: Principal, permission: str, organization_id: int | None = None) -> Decision:
        """Whether `principal` may use `permission` in the organization (default: its current one)."""
        known = CATALOGUE.get(permission)
        if known is None:
            return Decision(allowed=False, reason=f"No permission {permission} exists.")
        if principal.kind == "system":
            return Decision(allowed=True, reason="The program itself.")
        if principal.kind != "user":
            return Decision(
                allowed=False, reason=f"A {principal.kind} credential has no permission outside its own routes."
            )
        if principal.scopes and permission not in principal.scopes:
            return Decision(allowed=False, reason=f"This credential is narrowed and lacks {permission}.")
        where = organization_id if organization_id is not None else principal.organization_id
        held = self.roles(principal.id, where)
        granting = held & known.roles
        if granting:
            return Decision(allowed=True, reason=f"Granted by {min(granting)}.")
        needed = ", ".join(sorted(role.split(":")[1] for role in known.roles))
        return Decision(allowed=False, reason=f"{permission} needs one of the roles {needed} in this organization.")

    def require(self, principal: Principal | None, permission: str, organization_id: int | None = None) -> None:
        """Raise `Unauthenticated` or `Forbidden` unless the decision is yes."""
        if principal is None:
            raise Unauthenticated("Sign in first.", hint="Sign in, or send a session token as Authorization: Bearer.")
        decision = self.decide(principal, permission, organization_id)
        if not decision.allowed:
            raise Forbidden(
                f"You may not do this: {decision.reason}",
                hint="Ask an owner or administrator of the organization for the role.",
                permission=permission,
            )
