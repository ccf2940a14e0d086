"""Which servers are on this database: one that works, and others that stand beside it (see docs/adr/0039)."""

from quarterdeck.kernel.presence.presence import CHANGED, Neighbour, arrive, leave, seen, there
from quarterdeck.kernel.presence.standing import Standing

__all__ = ["CHANGED", "Neighbour", "Standing", "arrive", "leave", "seen", "there"]
