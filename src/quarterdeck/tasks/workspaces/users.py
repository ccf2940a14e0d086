"""Whom a project's agents run as on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from quarterdeck.tasks.workspaces.running import RunAs, as_ourselves


@dataclass(frozen=True)
class AgentUser:
    """`run_as` makes of an argv the one that runs it as this user, whose ids are `owner`; None: the worker's own user.
    `environment` is what commands of a project are given of the machine: no more than PATH, HOME and the like, for it
    reaches the program that changes users, too.
    """

    run_as: RunAs = as_ourselves
    owner: tuple[int, int] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


Whose = Callable[[str, str], AgentUser]
"""Given an organization and the key of a project."""


def the_workers_own(_organization: str, _project_key: str) -> AgentUser:
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return AgentUser(environment=known)
