"""What somebody may do for parts of an organization alone."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.kernel.principal import Principal


def partly(access: Access, who: Principal) -> frozenset[str]:
    """Keys of the permissions that the caller has by narrowed grants."""
    if who.organization_id is None:
        return frozenset()
    held = {part.role for part in access.parts(who.id, who.organization_id)}
    found = frozenset(key for role in held for key in access.carried(role))
    return found & who.scopes if who.scopes else found
