"""Permissions of the tasks surface. Its roles are a chain, developer < lead < admin (contract: tasks §2.4)."""

from __future__ import annotations

ADMIN = ("tasks:admin",)
LEADS = (*ADMIN, "tasks:lead")
EVERYBODY = (*LEADS, "tasks:developer")

PERMISSIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("tasks.view", "tasks", "See tasks of one's projects", EVERYBODY),
    ("tasks.create", "tasks", "Create tasks", EVERYBODY),
    ("tasks.act", "tasks", "Cancel, retry and answer one's own tasks", EVERYBODY),
    ("tasks.act-any", "tasks", "Cancel, retry and answer anybody's tasks", ADMIN),
    ("projects.view", "projects", "See one's projects", EVERYBODY),
    ("projects.manage", "projects", "Manage all projects", ADMIN),
    ("machines.view", "machines", "See machines", EVERYBODY),
    ("machines.drain", "machines", "Drain machines and end draining", LEADS),
    ("machines.manage", "machines", "Enrol, change and decommission machines", ADMIN),
    ("profile.own", "profile", "See and change one's own profile", EVERYBODY),
    ("developers.manage", "developers", "Create and change people", ADMIN),
    ("bots.manage", "bots", "Manage chat bots", ADMIN),
    ("hooks.manage", "hooks", "Manage outgoing webhooks", ADMIN),
    ("audit.read", "audit", "Read the audit trail", ADMIN),
    ("settings.manage", "settings", "See and change settings", ADMIN),
)
