"""Permissions of the tasks surface. Its roles are a chain, developer < lead < admin; beside them stand the roles of
single projects, member < maintainer (contract: tasks §2.4).
"""

from __future__ import annotations

ADMIN = ("tasks:admin",)
LEADS = (*ADMIN, "tasks:lead")
EVERYBODY = (*LEADS, "tasks:developer")
MAINTAINER, MEMBER = "tasks:maintainer", "tasks:member"
"""Held in one project alone (`Grant.project_id`), never in the whole organization: no surface lists or gives them among
the roles of the family, and they have no row of their own.
"""
MAINTAINERS = (*ADMIN, MAINTAINER)
MEMBERS = (*MAINTAINERS, MEMBER)

PERMISSIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("tasks.view", "tasks", "See tasks of one's projects", EVERYBODY),
    ("tasks.create", "tasks", "Create tasks", EVERYBODY),
    ("tasks.act", "tasks", "Cancel, retry and answer one's own tasks", EVERYBODY),
    ("tasks.cancel-any", "tasks", "Cancel anybody's tasks", LEADS),
    ("tasks.act-any", "tasks", "Cancel, retry and answer anybody's tasks", ADMIN),
    ("projects.view", "projects", "See one's projects", EVERYBODY),
    ("projects.manage", "projects", "Manage all projects", ADMIN),
    ("project.view", "projects", "See a project and its tasks", MEMBERS),
    ("project.create-tasks", "projects", "Create tasks in a project", MEMBERS),
    ("project.manage", "projects", "Change a project, its pipeline, members and git token", MAINTAINERS),
    ("machines.view", "machines", "See machines", EVERYBODY),
    ("machines.view-hidden", "machines", "See machines that are kept from developers", LEADS),
    ("machines.drain", "machines", "Drain machines and end draining", LEADS),
    ("machines.manage", "machines", "Enrol, change and decommission machines", ADMIN),
    ("profile.own", "profile", "See and change one's own profile", EVERYBODY),
    ("developers.manage", "developers", "Create and change people", ADMIN),
    ("bots.manage", "bots", "Manage chat bots", ADMIN),
    ("hooks.manage", "hooks", "Manage outgoing webhooks", ADMIN),
    ("audit.read", "audit", "Read the audit trail", ADMIN),
    ("settings.manage", "settings", "See and change settings", ADMIN),
)
