"""The only place that says yes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial

from quarterdeck.access import versions
from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.access.places import HERE, Part, Place
from quarterdeck.access.snapshot import Rule, Snapshot, compiled, renewed
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, Unauthenticated
from quarterdeck.kernel.principal import Principal

MOST_STALE = 100
"""Users whose grants are read again each for itself; beyond, all are."""
HIGHEST = {
    "organization": "organization:owner",
    "tasks": "tasks:admin",
    "broker": "broker:admin",
    "runbooks": "runbooks:super-admin",
}
"""Of each family the role that somebody has to have."""
FAMILIES = {"deploy": "organization", "infra": "organization", "access": "organization"}
"""The family of roles that a surface's permissions belong to, where it has another name than the surface."""
EXCLUSIVE = frozenset({"service"})
"""Kinds of objects that, once one of them has a rule that allows, are closed to all whom none allows (contract:
runbooks §3).
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and the rule that gave it, in words that a person can act on. `remedy` says who could change a no."""

    allowed: bool
    reason: str
    remedy: str = ""


class Access:
    """Decides from a compiled snapshot of all grants, which every change drops at once. After changes of a few users'
    grants the next one is made of the one before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._last = Snapshot()
        self._fresh = False
        self._changes = 0
        self._before: Snapshot | None = None
        self._stale: set[int] = set()
        self._version = 0
        self.from_elsewhere = False
        """Whether another server changes grants: then no decision is made without asking whether it did."""

    def note(self, tx: Tx, user_id: int | None = None) -> None:
        """The unit changes grants, roles or rules; `user_id`: nothing but the grants of that user."""
        tx.after_commit(partial(self.changed, user_id))
        tx.before_commit(versions.count)

    def changed(self, user_id: int | None = None) -> None:
        """Forget the snapshot; called after every commit that touches grants, roles or users. `user_id`: nothing but
        the grants of that user was touched.
        """
        with self._lock:
            if user_id is not None and len(self._stale) < MOST_STALE:
                self._stale.add(user_id)
            else:
                self._before = None
            self._snapshot = None
            self._changes += 1

    def load(self, tx: Tx) -> None:
        """Have a snapshot for this unit, which may have begun before the last change: what it compiles is what it sees,
        and nobody else counts on that (`ready` compiles anew).
        """
        self._compile(tx, first=False)

    async def ready(self, db: Database) -> None:
        """Have the snapshot; it stays at least until the caller waits for something again."""
        if self.from_elsewhere and self.loaded:
            await db.read(self._look)
        while not self.loaded:
            await db.read(self._first)

    def _look(self, tx: Tx) -> None:
        """Forget the snapshot where the count of changes has moved: unlike a wake-up it is never late, nor lost."""
        if versions.current(tx) != self._version:
            self.changed()

    def _first(self, tx: Tx) -> None:
        self._compile(tx, first=True)

    def _compile(self, tx: Tx, *, first: bool) -> None:
        """`first`: nothing was read in this unit before, so it sees every change that was told of until now. What
        changes meanwhile drops what is compiled.
        """
        with self._lock:
            if self._snapshot is not None and (self._fresh or not first):
                return
            changes, before, stale = self._changes, self._before, frozenset(self._stale)
        version = 0
        if self.from_elsewhere:
            version = versions.current(tx)  # first: what is read after it is no older
            before = None  # whose grants were changed there is not known
        snapshot = compiled(tx) if before is None else renewed(tx, before, stale)
        with self._lock:
            if first and changes == self._changes:
                self._snapshot = self._before = self._last = snapshot
                self._fresh, self._stale, self._version = True, set(), version
            elif not first and self._snapshot is None:
                self._snapshot, self._fresh = snapshot, False

    @property
    def _known(self) -> Snapshot:
        """What is decided by. Between a change and the next snapshot it is the one before: whoever asked for `ready`
        and is still in the middle of a request began it before the change, and is not refused for want of any.
        """
        return self._snapshot or self._last

    @property
    def loaded(self) -> bool:
        return self._snapshot is not None and self._fresh

    def roles(self, user_id: int, organization_id: int | None) -> frozenset[str]:
        """Keys of the roles that a user has in the whole of an organization."""
        return frozenset() if organization_id is None else self._known.held.get((user_id, organization_id), frozenset())

    def parts(self, user_id: int, organization_id: int) -> tuple[Part, ...]:
        """The roles that a user has in parts of an organization."""
        return self._known.parts.get((user_id, organization_id), ())

    def permissions(self, user_id: int, organization_id: int | None) -> frozenset[str]:
        """Keys of the permissions that a user has in the whole of an organization."""
        held = self.roles(user_id, organization_id)
        snapshot = self._known
        return frozenset(key for key, roles in snapshot.granting.items() if roles & held)

    def carrying(self, permission: str) -> frozenset[str]:
        """Keys of the roles that carry a permission."""
        return frozenset(self._known.granting.get(permission, frozenset()))

    def carried(self, role: str) -> frozenset[str]:
        """Keys of the permissions that a role carries."""
        snapshot = self._known
        return frozenset(key for key, roles in snapshot.granting.items() if role in roles)

    def decide(self, principal: Principal, permission: str, place: Place = HERE) -> Decision:
        """Whether `principal` may use `permission` there.

        Of an object's rules one that denies goes before one that allows, and both before what roles carry; who has the
        highest role of the permission's family is not bound by them, so that nobody locks everybody out.
        """
        if permission not in CATALOGUE:
            return Decision(allowed=False, reason=f"No permission {permission} exists.")
        if principal.kind == "system":
            return Decision(allowed=True, reason="The program itself.")
        if principal.kind == "deploy-token":
            return self._by_deploy_token(principal, permission, place.organization_id)
        if principal.kind != "user":
            return Decision(
                allowed=False, reason=f"A {principal.kind} credential has no permission outside its own routes."
            )
        if principal.scopes and permission not in principal.scopes:
            return Decision(
                allowed=False,
                reason=f"This credential is narrowed and lacks {permission}.",
                remedy="Use a credential that carries it, or a session.",
            )
        where = place.organization_id if place.organization_id is not None else principal.organization_id
        snapshot = self._known
        mine = self.roles(principal.id, where)
        if where is not None and (parts := self.parts(principal.id, where)):
            mine |= {part.role for part in parts if part.covers(place)}
        if place.thing is not None and where is not None and highest(permission) not in mine:
            rules = snapshot.rules.get((where, place.thing.kind, place.thing.ref), ())
            if (ruled := self._by_rules(rules, place, permission, mine)) is not None:
                return ruled
        granting = snapshot.granting.get(permission, frozenset())
        if held := mine & granting:
            return Decision(allowed=True, reason=f"Granted by {min(held)}.")
        return self._refused(snapshot, permission, granting, where)

    @staticmethod
    def _by_rules(rules: tuple[Rule, ...], place: Place, permission: str, mine: frozenset[str]) -> Decision | None:
        about = [rule for rule in rules if rule.permission == permission and rule.role in mine]
        denied = sorted(rule.role for rule in about if not rule.allows)
        if denied:
            return Decision(
                allowed=False,
                reason=f"A rule of {place.thing} denies {permission} to {denied[0]}.",
                remedy=f"Ask somebody who looks after {place.thing} to take the rule away.",
            )
        allowed = sorted(rule.role for rule in about if rule.allows)
        if allowed:
            return Decision(allowed=True, reason=f"A rule of {place.thing} allows it to {allowed[0]}.")
        if place.thing is not None and place.thing.kind in EXCLUSIVE and any(rule.allows for rule in rules):
            return Decision(
                allowed=False,
                reason=f"{place.thing} is open to those alone whom its rules allow, and none allows you {permission}.",
                remedy=f"Ask somebody who looks after {place.thing} for a rule.",
            )
        return None

    @staticmethod
    def _refused(snapshot: Snapshot, permission: str, granting: frozenset[str], where: int | None) -> Decision:
        known = (snapshot.names.get(role, (role.split(":")[-1], None)) for role in granting)
        # What another organization calls its roles is nobody's business here.
        needed = ", ".join(sorted({name for name, owner in known if owner in {None, where}}))
        if not needed:
            return Decision(
                allowed=False,
                reason=f"No role carries {permission}.",
                remedy="Ask somebody who manages roles to make one that does.",
            )
        return Decision(
            allowed=False,
            reason=f"{permission} needs one of the roles {needed} in this organization.",
            remedy="Ask an owner or administrator of the organization for the role.",
        )

    @staticmethod
    def _by_deploy_token(principal: Principal, permission: str, organization_id: int | None) -> Decision:
        if permission in principal.scopes and organization_id in {None, principal.organization_id}:
            return Decision(allowed=True, reason="The deploy token carries the workflow command.")
        return Decision(
            allowed=False,
            reason=f"This deploy token lacks the workflow command of {permission}.",
            remedy="Use a deploy token that has it, or a session.",
        )

    def decide_anywhere(self, principal: Principal, permission: str) -> Decision:
        """Whether `principal` may use `permission` in any organization: for routes whose request names the one that is
        meant, before it is known; whoever answers them decides in that one. Who stays in their own is asked for that.
        """
        here = self.decide(principal, permission)
        if here.allowed or principal.kind != "user" or principal.stays:
            return here
        for place in self._known.places.get(principal.id, ()):
            there = self.decide(principal, permission, Place(place))
            if there.allowed:
                return there
        return here

    def require(
        self,
        principal: Principal | None,
        permission: str,
        place: Place = HERE,
        *,
        anywhere: bool = False,
    ) -> None:
        """Raise `Unauthenticated` or `Forbidden` unless the decision is yes; `anywhere` as for `decide_anywhere`."""
        if principal is None:
            raise Unauthenticated("Sign in first.", hint="Sign in, or send a session token as Authorization: Bearer.")
        decision = (
            self.decide_anywhere(principal, permission) if anywhere else self.decide(principal, permission, place)
        )
        if not decision.allowed:
            raise Forbidden(
                f"You may not do this: {decision.reason}",
                hint=decision.remedy or None,
                code="action_auth_forbidden" if principal.kind == "deploy-token" else None,
                permission=permission,
            )


def highest(permission: str) -> str:
    """The key of the role that no rule of an object binds."""
    surface = permission.split(":", maxsplit=1)[0]
    return HIGHEST.get(FAMILIES.get(surface, surface), "")
