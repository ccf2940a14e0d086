"""What stands in the way of a deletion, as people are told it; programs get the kinds of the contract."""

from __future__ import annotations

STATES = {
    "active-project": "it is not archived",
    "active-resource": "it is not archived",
    "active-server": "it is still active",
    "runtime-instance": "it still runs",
}
"""Blockers that are a state of the thing itself, not other things beside it."""
THINGS = {
    "agent-task": ("agent task of it has not ended", "agent tasks of it have not ended"),
    "deployment-history": ("deployment is kept as its history", "deployments are kept as its history"),
    "default-access-policy": ("access policy names it", "access policies name it"),
    "environment": ("environment belongs to it", "environments belong to it"),
    "resource": ("resource belongs to it", "resources belong to it"),
}


def in_words(kind: str, number: int) -> str:
    """`deployment-history`, 3: "3 deployments are kept as its history"."""
    if kind in STATES:
        return STATES[kind]
    one, many = THINGS.get(kind, (f"{kind.replace('-', ' ')} refers to it", f"{kind.replace('-', ' ')}s refer to it"))
    return f"{number} {one if number == 1 else many}"
