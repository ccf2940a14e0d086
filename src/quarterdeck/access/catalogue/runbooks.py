"""Permissions of the runbooks surface by category (contract: runbooks §3). Its one built-in role has all of them."""

from __future__ import annotations

SUPER_ADMIN = ("runbooks:super-admin",)
HIDDEN = frozenset({"instances", "services"})
"""Categories that the list of permissions leaves out: the inventory's own permissions stand for them."""

CATEGORIES: dict[str, tuple[str, ...]] = {
    "instances": ("instances.view", "instances.stop", "instances.ssh", "instances.refresh"),
    "services": (
        "services.view", "services.deploy", "services.stop", "services.config.view", "services.config.edit",
        "services.files.view", "services.files.edit",
    ),
    "jobs": ("jobs.view_own", "jobs.view_all", "jobs.cancel", "jobs.rerun"),
    "users": (
        "users.view", "users.create", "users.edit", "users.delete", "users.assign_roles", "users.mfa_reset",
        "users.password_reset",
    ),
    "roles": ("roles.view", "roles.create", "roles.edit", "roles.delete"),
    "system": ("system.settings.view", "system.settings.edit", "system.stop_all", "system.audit_log"),
    "inventory": ("inventory.tags.manage", "inventory.acl.manage"),
    "costs": ("costs.view", "costs.refresh", "costs.budget"),
    "schedules": ("schedules.view", "schedules.create", "schedules.edit", "schedules.delete"),
    "webhooks": ("webhooks.view", "webhooks.create", "webhooks.edit", "webhooks.delete"),
    "health": ("health.view", "health.manage"),
    "drift": ("drift.view", "drift.manage"),
    "notifications": (
        "notifications.view", "notifications.rules.view", "notifications.rules.manage", "notifications.channels.manage",
    ),
    "snapshots": ("snapshots.view", "snapshots.create", "snapshots.delete", "snapshots.restore"),
    "portal": ("portal.view", "portal.bookmarks.edit"),
    "personal_instances": (
        "personal_instances.create", "personal_instances.destroy", "personal_instances.view_all",
        "personal_instances.manage_all",
    ),
    "bug_reports": ("bug_reports.submit", "bug_reports.view_own", "bug_reports.view_all", "bug_reports.manage"),
    "feedback": ("feedback.submit", "feedback.view_all", "feedback.manage"),
    "credential_access": ("credential_access.view", "credential_access.manage"),
    "files": ("files.view", "files.upload", "files.delete", "files.manage"),
}  # fmt: skip


def label(codename: str) -> str:
    """`users.assign_roles` as people read it: `Users: assign roles`."""
    subject, _, deed = codename.partition(".")
    return f"{subject.replace('_', ' ').capitalize()}: {deed.replace('.', ' ').replace('_', ' ')}"
