"""Permissions of the infra surface: owners, admins and developers run infrastructure jobs, viewers read, billing
neither. What decides over others' work or holds credentials is for owners and admins.
"""

from __future__ import annotations

ADMINS = ("organization:owner", "organization:admin")
WORKERS = (*ADMINS, "organization:developer")
READERS = (*WORKERS, "organization:viewer")

PERMISSIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("zones.view", "zones", "See zones", READERS),
    ("zones.manage", "zones", "Make, change and delete zones", WORKERS),
    ("zones.policy", "zones", "Decide how many people must agree to plans of a zone", ADMINS),
    ("specs.view", "specs", "See specifications, their versions and plans", READERS),
    ("specs.manage", "specs", "Make and change specifications", WORKERS),
    ("specs.delete", "specs", "Delete specifications", WORKERS),
    ("jobs.view", "jobs", "See infrastructure jobs and their logs", READERS),
    ("jobs.plan", "jobs", "Ask for plans", WORKERS),
    ("jobs.apply", "jobs", "Apply plans", WORKERS),
    ("jobs.destroy", "jobs", "Destroy what a specification made", WORKERS),
    ("jobs.cancel", "jobs", "Cancel one's own infrastructure jobs", WORKERS),
    ("jobs.cancel-any", "jobs", "Cancel anybody's infrastructure jobs", ADMINS),
    ("plans.approve", "plans", "Agree to plans of others, or refuse them", WORKERS),
    ("states.view", "states", "See versions and locks of states, without their contents", READERS),
    ("states.read", "states", "Read the contents of states", ADMINS),
    ("states.manage", "states", "Roll states back, replace them, and take locks away", ADMINS),
    ("runners.view", "runners", "See runners and releases", READERS),
    ("runners.manage", "runners", "Register, drain, change and remove runners", ADMINS),
    ("clouds.view", "clouds", "See cloud identities and clusters", READERS),
    ("clouds.manage", "clouds", "Connect and disconnect cloud identities", ADMINS),
    ("repositories.view", "repositories", "See repositories of git hosts with one's own token", WORKERS),
)
