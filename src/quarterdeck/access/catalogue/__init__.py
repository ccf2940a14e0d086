"""Every permission of the product, in one place: key, group, description, and the roles that carry it."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.access.catalogue import broker, deploy, infra, runbooks, tasks

MEMBERS = frozenset(
    {
        "organization:owner",
        "organization:admin",
        "organization:developer",
        "organization:billing",
        "organization:viewer",
    }
)
ADMINS = frozenset({"organization:owner", "organization:admin"})
OWNERS = frozenset({"organization:owner"})

ROLES = MEMBERS | {*tasks.EVERYBODY, *broker.EVERYBODY, *runbooks.SUPER_ADMIN}
"""Every built-in role that holds in a whole organization, as `family:role`."""
FAMILIES = ("organization", "tasks", "broker", "runbooks")


@dataclass(frozen=True, slots=True)
class Permission:
    """`key` is `<surface>:<operation>`, `roles` the built-in roles that grant it, `scopes` where it can be granted."""

    key: str
    group: str
    description: str
    roles: frozenset[str]
    scopes: tuple[str, ...] = ("organization",)


def _deploy() -> list[Permission]:
    ranked = ((deploy.MEMBER, MEMBERS), (deploy.ADMIN, ADMINS), (deploy.OWNER, OWNERS))
    return [
        Permission(f"deploy:{key}", key.split(".")[0], f"Deploy: {key.replace('.', ' ').replace('-', ' ')}", roles)
        for keys, roles in ranked
        for key in keys
    ]


def _others() -> list[Permission]:
    listed = [
        (surface, row)
        for surface, rows in (
            ("broker", broker.PERMISSIONS), ("infra", infra.PERMISSIONS), ("tasks", tasks.PERMISSIONS),
        )
        for row in rows
    ]  # fmt: skip
    found = [
        Permission(f"{surface}:{key}", group, said, frozenset(roles)) for surface, (key, group, said, roles) in listed
    ]
    return found + [
        Permission(f"runbooks:{key}", category, runbooks.label(key), frozenset(runbooks.SUPER_ADMIN))
        for category, keys in runbooks.CATEGORIES.items()
        for key in keys
    ]


def _own() -> list[Permission]:
    return [
        Permission("organizations:create", "organizations", "Create another organization", OWNERS),
        Permission("console:view", "console", "Use the console", MEMBERS),
        Permission("servers:engine", "servers", "Install, use or refuse the Docker engine of a server", ADMINS),
        Permission("workers:enrol", "workers", "Enrol and revoke workers", ADMINS),
        Permission("jobs:list", "jobs", "See the job ledger", MEMBERS),
        Permission("audit:list", "audit", "See the audit trail", MEMBERS),
        Permission("audit:verify", "audit", "Verify the audit chain", ADMINS),
        Permission("sources:any-folder", "sources", "Use any folder of the server's machine as a source", ADMINS),
        Permission(
            "servers:local-agent", "servers", "Sign in to servers with the SSH agent of the server's account", ADMINS
        ),
        Permission("access:read", "identity", "See roles, who has which, and why somebody may do something", ADMINS),
        Permission("access:manage", "identity", "Make roles, and give and take them", ADMINS),
        Permission("identity-providers:list", "identity", "See the identity providers", ADMINS),
        Permission("identity-providers:manage", "identity", "Add, change and remove identity providers", OWNERS),
        Permission("metrics:read", "telemetry", "Read metrics", ADMINS),
    ]


CATALOGUE: dict[str, Permission] = {permission.key: permission for permission in [*_deploy(), *_others(), *_own()]}
"""Key to permission. `access.decide` answers no to any key that is not here."""
