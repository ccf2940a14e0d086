"""A database with a vault, its first administrator, and verbs that act for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from quarterdeck.access import Access, grants, seeding
from quarterdeck.identity import setup, users
from quarterdeck.identity.model import User
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.principal import Context, current


class House:
    """`ada` owns the organization; `write` acts for her, `by` for somebody else."""

    def __init__(self, database: Database) -> None:
        self.db = database
        self.access = Access()
        database.write_sync(seeding.seed)
        self.ada, self.organization = database.write_sync(
            setup.create_first_administrator,
            self.access,
            email="ada@example.com",
            username="ada",
            display_name="Ada",
            password_hash="hash",
        )

    def write(self, verb: Callable[..., Any], *args: Any, by: User | None = None, **more: Any) -> Any:
        person = users.principal(by or self.ada, self.organization.id)
        token = current.set(Context(person, "req_1", "cor_1"))
        try:
            return self.db.write_sync(verb, *args, **more)
        finally:
            current.reset(token)

    def user(self, name: str, *roles: str) -> User:
        def verb(tx: Tx) -> User:
            user = users.create(tx, email=f"{name}@example.com", username=name)
            tx.flush()
            for role in roles:
                grants.give(tx, self.access, user.id, self.organization.id, role)
            return user

        found: User = self.write(verb)
        return found

    def fresh(self, user: User) -> User:
        found: User | None = self.db.read_sync(lambda tx: tx.get(User, user.id))
        assert found is not None
        return found

    def roles(self, user: User) -> list[str]:
        return list(self.db.read_sync(grants.roles_of, user.id, self.organization.id))

    def told(self, prefix: str) -> list[str]:
        """Actions of the audit trail that begin so, oldest first."""
        column = audit_events.c.action
        asked = select(column).where(column.startswith(prefix)).order_by(audit_events.c.id)
        return list(self.db.read_sync(lambda tx: [row[0] for row in tx.execute(asked)]))

    def permissions(self, user: User) -> frozenset[str]:
        self.db.read_sync(self.access.load)
        return self.access.permissions(user.id, self.organization.id)
