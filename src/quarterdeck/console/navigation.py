"""The menu: the rooms that this release has, in the order of use. There is no second level."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """`key` follows G on the keyboard; `quick` rooms stand at the bottom of a phone. A room of a `family` is shown to
    those who have a permission of it, wherever that holds.
    """

    name: str
    label: str
    href: str
    icon: str
    group: int
    key: str = ""
    quick: bool = False
    family: str = ""


ROOMS = (
    Room("home", "Home", "/console/", "home", 1, "h", quick=True),
    Room("projects", "Projects", "/console/projects", "projects", 1, "p", quick=True),
    Room("infra", "Infrastructure", "/console/infra", "infra", 1, "i"),
    Room("tasks", "Tasks", "/console/tasks", "task", 1, "t", quick=True),
    Room("secrets", "Secrets", "/console/secrets", "key", 1, "s", family="broker"),
    Room("fleet", "Fleet", "/console/fleet", "fleet", 2, "f"),
    Room("jobs", "Jobs", "/console/jobs", "jobs", 2, "j"),
    Room("audit", "Audit", "/console/audit", "audit", 2, "a"),
    Room("access", "Access", "/console/access/people", "people", 2, "m"),
    Room("backups", "Backups", "/console/backups", "backups", 2, "b"),
)
