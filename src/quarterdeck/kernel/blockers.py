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
    "active-deployment": ("deployment to it is under way", "deployments to it are under way"),
    "agent-task": ("agent task of it has not ended", "agent tasks of it have not ended"),
    "deployment-history": ("deployment is kept as its history", "deployments are kept as its history"),
    "default-access-policy": ("access policy names it", "access policies name it"),
    "environment": ("environment belongs to it", "environments belong to it"),
    "infrastructure-spec": ("specification is in its zone", "specifications are in its zone"),
    "resource-placement": ("resource in use is placed on it", "resources in use are placed on it"),
    "runtime-log-retention": ("archive of log lines was taken from it", "archives of log lines were taken from it"),
    "runtime-task": ("piece of work on it is under way", "pieces of work on it are under way"),
    "secret-request": ("request for a secret has not ended", "requests for secrets have not ended"),
    "source-link": ("resource has its images built on it", "resources have their images built on it"),
    "resource": ("resource belongs to it", "resources belong to it"),
    "variable": ("variable is kept in it", "variables are kept in it"),
}


def in_words(kind: str, number: int) -> str:
    """`deployment-history`, 3: "3 deployments are kept as its history"."""
    if kind in STATES:
        return STATES[kind]
    one, many = THINGS.get(kind, (f"{kind.replace('-', ' ')} refers to it", f"{kind.replace('-', ' ')}s refer to it"))
    return f"{number} {one if number == 1 else many}"
