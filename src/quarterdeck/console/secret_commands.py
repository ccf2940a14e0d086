"""The same deeds over HTTP, for brokered secrets: see `commands`."""

from __future__ import annotations

from quarterdeck.console.views.secret_places import AgentRow, ConnectionRow
from quarterdeck.console.views.secret_rules import RuleRow, WorkflowRow
from quarterdeck.console.views.secrets import RequestView
from quarterdeck.console.views.shell import Command

API = "/api/v1"
ASKING = {"read": "/requests/read", "patch": "/requests", "update": "/requests/update", "rotate": "/requests/rotate"}


def _call(method: str, path: str) -> Command:
    return Command("", f"{method} {API}{path}")


def list_requests() -> Command:
    return _call("GET", "/requests")


def ask(kind: str) -> Command:
    return _call("POST", ASKING.get(kind, "/requests"))


def request(view: RequestView, verb: str = "") -> Command:
    """`verb` is approve, reject, cancel, review, or none to look at it."""
    path = f"/requests/{view.row.uid}"
    return _call("POST", f"{path}/{verb}") if verb else _call("GET", path)


def edit(view: RequestView) -> Command:
    return _call("PATCH", f"/requests/{view.row.uid}")


def values(view: RequestView) -> Command:
    return _call("GET", f"/requests/{view.row.uid}/wraps/{{wrap_id}}")


def list_rules() -> Command:
    return _call("GET", "/policies")


def try_rules() -> Command:
    return _call("POST", "/policies/try")


def rule(row: RuleRow | None, method: str) -> Command:
    return _call(method, f"/policies/{row.uid}" if row is not None else "/policies")


def list_workflows() -> Command:
    return _call("GET", "/workflows")


def workflow(row: WorkflowRow | None, method: str) -> Command:
    return _call(method, f"/workflows/{row.uid}" if row is not None else "/workflows")


def list_agents() -> Command:
    return _call("GET", "/agents")


def mint_agent() -> Command:
    return _call("POST", "/agents")


def agent(row: AgentRow, verb: str) -> Command:
    """`verb` is rotate or revoke."""
    return _call("POST", f"/agents/{row.uid}/{verb}")


def list_connections() -> Command:
    return _call("GET", "/provider-connections")


def connection(row: ConnectionRow | None, method: str) -> Command:
    return _call(method, f"/provider-connections/{row.uid}" if row is not None else "/provider-connections")


def discover() -> Command:
    return _call("POST", "/jobs")


def list_found() -> Command:
    return _call("GET", "/secrets")
