"""The calls about agent tasks and the machines that work on them (contract: tasks §1)."""

from __future__ import annotations

from typing import NamedTuple


class Operation(NamedTuple):
    method: str
    path: str


TASKS = "/api/web/tasks"
TASK = f"{TASKS}/{{taskId}}"
PROJECT = "/api/web/projects/{projectKey}"
TOKENS = "/api/admin/worker-tokens"

OPERATIONS: dict[str, Operation] = {
    "tasks.list": Operation("GET", TASKS),
    "tasks.create": Operation("POST", TASKS),
    "tasks.show": Operation("GET", TASK),
    "tasks.cancel": Operation("POST", f"{TASK}/cancel"),
    "tasks.retry": Operation("POST", f"{TASK}/retry"),
    "tasks.budget": Operation("POST", f"{TASK}/budget"),
    "tasks.confirm-stage": Operation("POST", f"{TASK}/confirm-stage"),
    "tasks.events": Operation("GET", f"{TASK}/events"),
    "tasks.logs": Operation("GET", f"{TASK}/logs"),
    "tasks.diff": Operation("GET", f"{TASK}/diff"),
    "tasks.pending-confirm": Operation("GET", f"{TASK}/pending-confirm"),
    "tasks.pty-token": Operation("POST", f"{TASK}/pty-token"),
    "tasks.messages": Operation("GET", f"{TASK}/messages"),
    "tasks.say": Operation("POST", f"{TASK}/messages"),
    "machines.list": Operation("GET", "/api/web/machines"),
    "machines.show": Operation("GET", "/api/web/machines/{machineId}"),
    "machines.tasks": Operation("GET", "/api/web/machines/{machineId}/tasks"),
    "machines.drain": Operation("POST", "/api/web/machines/{machineId}/drain"),
    "machines.undrain": Operation("POST", "/api/web/machines/{machineId}/undrain"),
    "machines.all": Operation("GET", "/api/admin/machines"),
    "machines.change": Operation("PUT", "/api/admin/machines/{machineId}"),
    "machines.decommission": Operation("DELETE", "/api/admin/machines/{machineId}"),
    "machine-tokens.list": Operation("GET", TOKENS),
    "machine-tokens.create": Operation("POST", TOKENS),
    "machine-tokens.status": Operation("GET", f"{TOKENS}/{{tokenId}}/status"),
    "machine-tokens.revoke": Operation("POST", f"{TOKENS}/{{tokenId}}/revoke"),
    "task-projects.list": Operation("GET", "/api/web/projects"),
    "task-projects.developers": Operation("GET", "/api/web/projects/-/developers"),
    "task-projects.create": Operation("POST", "/api/admin/projects"),
    "task-projects.delete": Operation("DELETE", "/api/admin/projects/{projectKey}"),
    "task-projects.force-delete": Operation("DELETE", "/api/admin/projects/{projectKey}?force=true"),
    "task-projects.show": Operation("GET", PROJECT),
    "task-projects.change": Operation("PUT", PROJECT),
    "task-projects.members": Operation("GET", f"{PROJECT}/members"),
    "task-projects.add-member": Operation("POST", f"{PROJECT}/members"),
    "task-projects.remove-member": Operation("DELETE", f"{PROJECT}/members?developerId={{developerId}}"),
    "task-projects.set-git-token": Operation("PUT", f"{PROJECT}/git-token"),
    "task-projects.remove-git-token": Operation("DELETE", f"{PROJECT}/git-token"),
    "dashboard.stats": Operation("GET", "/api/web/dashboard/stats"),
    "notifications.list": Operation("GET", "/api/web/notifications"),
    "notifications.read": Operation("POST", "/api/web/notifications/{notificationId}/read"),
    "notifications.read-all": Operation("POST", "/api/web/notifications/read-all"),
    "search": Operation("GET", "/api/web/search"),
}
