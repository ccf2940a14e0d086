"""The permission catalogue, roles, grants, and the one decision function."""

from quarterdeck.access.catalogue import CATALOGUE, Permission
from quarterdeck.access.decide import Access, Decision

__all__ = ["CATALOGUE", "Access", "Decision", "Permission"]
