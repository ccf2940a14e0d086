"""The only place that says yes."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, select

from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.access.model import Grant, Role, RolePermission
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, Unauthenticated
from quarterdeck.kernel.principal import Principal

MOST_STALE = 100
"""Users whose grants are read again each for itself; beyond, all are."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and the rule that gave it, in words that a person can act on. `remedy` says who could change a no."""

    allowed: bool
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All grants that hold in a whole organization, and what each role permits.

    `granting` maps a permission to the keys of the roles that carry it; `names` a role's key to what people call it;
    `places` a user to the organizations that they belong to, by a narrowed grant too.
    """

    held: dict[tuple[int, int], frozenset[str]] = field(default_factory=dict)
    granting: dict[str, frozenset[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    places: dict[int, tuple[int, ...]] = field(default_factory=dict)


def _given(tx: Tx, *where: ColumnElement[bool]) -> tuple[dict[tuple[int, int], frozenset[str]], dict[int, set[int]]]:
    """`held` and `places` of a snapshot, as the grants say."""
    held: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    places: defaultdict[int, set[int]] = defaultdict(set)
    columns = (Grant.user_id, Grant.organization_id, Grant.role, Grant.project_id, Grant.scope)
    for user_id, organization_id, role, project_id, scope in tx.execute(select(*columns).where(*where)).all():
        places[user_id].add(organization_id)
        if project_id == 0 and not scope:
            held[user_id, organization_id].add(role)
    return {key: frozenset(value) for key, value in held.items()}, places


def compiled(tx: Tx) -> Snapshot:
    held, places = _given(tx)
    changed: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for row in tx.execute(select(Role.key, Role.name, Role.organization_id, Role.edited_at)):
        names[row.key] = row.name
        if row.organization_id is not None or row.edited_at is not None:
            changed[row.key] = set()
    own = select(Role.key, RolePermission.permission).join(Role, Role.id == RolePermission.role_id)
    for row in tx.execute(own):
        if row.key in changed:
            changed[row.key].add(row.permission)
    granting = {
        key: (permission.roles - changed.keys()) | {role for role, carried in changed.items() if key in carried}
        for key, permission in CATALOGUE.items()
    }
    return Snapshot(held, granting, names, _sorted(places))


def renewed(tx: Tx, known: Snapshot, users: frozenset[int]) -> Snapshot:
    """A snapshot that was right but for the grants of some users."""
    held, places = _given(tx, Grant.user_id.in_(users))
    others = {key: roles for key, roles in known.held.items() if key[0] not in users}
    elsewhere = {user_id: found for user_id, found in known.places.items() if user_id not in users}
    return Snapshot(others | held, known.granting, known.names, elsewhere | _sorted(places))


def _sorted(places: Mapping[int, set[int]]) -> dict[int, tuple[int, ...]]:
    return {user_id: tuple(sorted(found)) for user_id, found in places.items()}


class Access:
    """Decides from a compiled snapshot of all grants, which every change drops at once. After changes of a few users'
    grants the next one is made of the one before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._fresh = False
        self._changes = 0
        self._before: Snapshot | None = None
        self._stale: set[int] = set()

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
        while not self.loaded:
            await db.read(self._first)

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
        snapshot = compiled(tx) if before is None else renewed(tx, before, stale)
        with self._lock:
            if first and changes == self._changes:
                self._snapshot = self._before = snapshot
                self._fresh, self._stale = True, set()
            elif not first and self._snapshot is None:
                self._snapshot, self._fresh = snapshot, False

    @property
    def loaded(self) -> bool:
        return self._snapshot is not None and self._fresh

    def roles(self, user_id: int, organization_id: int | None) -> frozenset[str]:
        """Keys of the roles that a user has in the whole of an organization."""
        snapshot = self._snapshot
        if snapshot is None or organization_id is None:
            return frozenset()
        return snapshot.held.get((user_id, organization_id), frozenset())

    def permissions(self, user_id: int, organization_id: int | None) -> frozenset[str]:
        """Keys of the permissions that a user has in the whole of an organization."""
        held = self.roles(user_id, organization_id)
        snapshot = self._snapshot or Snapshot()
        return frozenset(key for key, roles in snapshot.granting.items() if roles & held)

    def carrying(self, permission: str) -> frozenset[str]:
        """Keys of the roles that carry a permission."""
        return frozenset((self._snapshot or Snapshot()).granting.get(permission, frozenset()))

    def carried(self, role: str) -> frozenset[str]:
        """Keys of the permissions that a role carries."""
        snapshot = self._snapshot or Snapshot()
        return frozenset(key for key, roles in snapshot.granting.items() if role in roles)

    def decide(self, principal: Principal, permission: str, organization_id: int | None = None) -> Decision:
        """Whether `principal` may use `permission` in the organization (default: its current one)."""
        if permission not in CATALOGUE:
            return Decision(allowed=False, reason=f"No permission {permission} exists.")
        if principal.kind == "system":
            return Decision(allowed=True, reason="The program itself.")
        if principal.kind == "deploy-token":
            return self._by_deploy_token(principal, permission, organization_id)
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
        where = organization_id if organization_id is not None else principal.organization_id
        snapshot = self._snapshot or Snapshot()
        granting = snapshot.granting.get(permission, frozenset())
        held = self.roles(principal.id, where) & granting
        if held:
            return Decision(allowed=True, reason=f"Granted by {min(held)}.")
        needed = ", ".join(sorted({snapshot.names.get(role, role.split(":")[-1]) for role in granting}))
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
        for place in (self._snapshot or Snapshot()).places.get(principal.id, ()):
            there = self.decide(principal, permission, place)
            if there.allowed:
                return there
        return here

    def require(
        self,
        principal: Principal | None,
        permission: str,
        organization_id: int | None = None,
        *,
        anywhere: bool = False,
    ) -> None:
        """Raise `Unauthenticated` or `Forbidden` unless the decision is yes; `anywhere` as for `decide_anywhere`."""
        if principal is None:
            raise Unauthenticated("Sign in first.", hint="Sign in, or send a session token as Authorization: Bearer.")
        decision = (
            self.decide_anywhere(principal, permission)
            if anywhere
            else self.decide(principal, permission, organization_id)
        )
        if not decision.allowed:
            raise Forbidden(
                f"You may not do this: {decision.reason}",
                hint=decision.remedy or None,
                code="action_auth_forbidden" if principal.kind == "deploy-token" else None,
                permission=permission,
            )
