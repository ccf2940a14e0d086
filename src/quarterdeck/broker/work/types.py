"""What jobs of the broker there are (contract: broker §2, §1.10)."""

from __future__ import annotations

PATCH, READ, UPDATE, ROTATE = "patch", "read", "update", "rotate"
DISCOVER, VERIFY, SYNC, DELETE = "discover", "verify", "sync", "delete"
OF_REQUESTS = (PATCH, READ, UPDATE, ROTATE)
"""Made by the approval of a request, and by nothing else."""
BY_HAND = (DISCOVER, VERIFY, SYNC, DELETE)
TYPES = (*OF_REQUESTS, *BY_HAND)
TAKES_VALUES = (PATCH, UPDATE)
"""Values of the requester go to the agent."""
BEYOND_THE_PROTOCOL = (UPDATE, ROTATE)
"""What programs of the documented protocol do not know: they report success without doing anything."""
