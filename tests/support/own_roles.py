"""Roles that an organization makes for itself."""

from __future__ import annotations

from quarterdeck.access import Access, grants
from quarterdeck.access.model import Role, RolePermission
from quarterdeck.access.roles import CUSTOM
from quarterdeck.kernel.db import Tx


def held(tx: Tx, access: Access, user_id: int, *permissions: str) -> None:
    """Give somebody of the first organization a new role that carries these permissions."""
    uid = tx.ids.uid()
    role = tx.add(
        Role(
            uid=uid, key=f"{CUSTOM}:{uid}", family=CUSTOM, organization_id=1, name=f"Keepers {uid}", created_at=tx.now,
            updated_at=tx.now,
        )
    )  # fmt: skip
    tx.flush()
    for permission in permissions:
        tx.add(RolePermission(role_id=role.id, permission=permission))
    grants.give(tx, access, user_id, 1, role.key)
