"""The words that a personal token is narrowed by, and the permissions that each stands for."""

from __future__ import annotations

from collections.abc import Iterable

from quarterdeck.access.catalogue import CATALOGUE, deploy


def _of(*surfaces: str) -> frozenset[str]:
    return frozenset(key for key in CATALOGUE if key.split(":")[0] in surfaces)


_CHANGES = {"account.delete", "account.profile.change", "account.sessions.revoke", "organizations.switch-current"}
"""What every member may do and is no reading: it changes one's own account, which no scope reaches."""
_READS = frozenset(f"deploy:{key}" for key in deploy.MEMBER if key not in _CHANGES)
_ALL = frozenset(CATALOGUE) - {f"deploy:{key}" for key in _CHANGES}
SCOPES: dict[str, frozenset[str]] = {
    "tasks:read": frozenset({"tasks:tasks.view", "tasks:project.view", "tasks:profile.own"}),
    "tasks:write": frozenset(
        {
            "tasks:tasks.view",
            "tasks:tasks.create",
            "tasks:tasks.act",
            "tasks:tasks.act-any",
            "tasks:tasks.cancel-any",
            "tasks:project.view",
            "tasks:project.create-tasks",
        }
    ),
    "machines:read": frozenset({"tasks:machines.view", "tasks:machines.view-hidden"}),
    "machines:write": frozenset(
        {
            "tasks:machines.view",
            "tasks:machines.view-hidden",
            "tasks:machines.drain",
            "tasks:machines.manage",
        }
    ),
    "projects:read": frozenset({"tasks:projects.view", "tasks:project.view"}),
    "projects:write": frozenset(
        {"tasks:projects.view", "tasks:projects.manage", "tasks:project.view", "tasks:project.manage"}
    ),
    "deploy:read": _READS,
    "deploy:write": _of("deploy") & _ALL,
    "runbooks": _of("runbooks"),
    "broker": _of("broker"),
    "admin": _ALL,
}


def narrowed(words: Iterable[str]) -> frozenset[str]:
    """The permissions that are left by some scopes: the empty set, which narrows nothing, only where there are none."""
    given = list(words)
    if not given:
        return frozenset()
    left = frozenset().union(*(SCOPES.get(word, frozenset()) for word in given))
    return left or frozenset({"nothing"})
