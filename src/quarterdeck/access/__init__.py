"""The permission catalogue, roles, grants, and the one decision function."""

from quarterdeck.access import places
from quarterdeck.access.catalogue import CATALOGUE, Permission
from quarterdeck.access.decide import Access, Decision
from quarterdeck.access.places import Place, Thing

__all__ = ["CATALOGUE", "Access", "Decision", "Permission", "Place", "Thing", "places"]
