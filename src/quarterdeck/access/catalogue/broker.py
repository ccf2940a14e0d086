"""Permissions of the broker surface, in the order in which its catalogue lists them, with the built-in roles that have
each (contract: broker §6.1 and §6.2, with the permissions that its later version adds).
"""

from __future__ import annotations

ADMIN, APPROVER, DEVELOPER = "broker:admin", "broker:approver", "broker:developer"
EVERYBODY = (ADMIN, APPROVER, DEVELOPER)

PERMISSIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("role.edit", "RBAC", "Manage roles and what they permit", (ADMIN,)),
    ("user_role.edit", "RBAC", "Give roles to people and take them away", (ADMIN,)),
    ("team.edit", "Tenancy", "Manage teams, projects and environments", (ADMIN,)),
    ("workflow.edit", "Workflows", "Manage how requests are approved", (ADMIN,)),
    ("policy.edit", "Workflows", "Manage which request takes which workflow", (ADMIN,)),
    ("policy.author", "Workflows", "Write the rules of a project, outside production", ()),
    ("agent.mint", "Agents", "Register agents and issue their secrets", (ADMIN,)),
    ("agent.revoke", "Agents", "Revoke agents", (ADMIN,)),
    ("agent.list", "Agents", "See agents and their state", (ADMIN,)),
    ("secret.request", "Secrets", "Ask for secrets to be changed or read", (ADMIN, DEVELOPER)),
    ("secret.approve", "Secrets", "Approve and refuse requests", (ADMIN, APPROVER)),
    (
        "secret.reveal.direct",
        "Secrets",
        "Read without approval where a policy lets one, never in production",
        (DEVELOPER,),
    ),
    ("secret.value.provide", "Secrets", "Provide or refuse what another team asked for", ()),
    ("secret.security.approve", "Secrets", "Cast the security vote on requests across teams", ()),
    ("secret.list", "Observability", "See which secrets there are", EVERYBODY),
    ("audit.read", "Observability", "Read the audit trail", EVERYBODY),
    ("integration.edit", "Integrations", "Manage integrations", (ADMIN,)),
    ("integration.bind", "Integrations", "Bind connections of one's own team", ()),
)
