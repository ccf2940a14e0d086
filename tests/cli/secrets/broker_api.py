"""The broker surface for the command line's tests, from the contract (broker §1) and the routes of ours beside it. It
keeps what is made, in the contract's shapes, and gives each value out once.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from cli.secrets.broker_routes import ROUTES
from fakes.surface_api import Refused, Row, SurfaceApi
from quarterdeck.broker.sealing import agreement

TOKEN = "broker-token"
AT = "2026-05-31T12:00:00Z"
CREATED = {
    "ask_set", "ask_replace", "ask_read", "ask_rotate", "new_connection", "mint", "rotate_agent", "new_project",
    "new_workflow", "new_policy",
}  # fmt: skip
SILENT = {"remove_connection", "revoke"}


class Refusal(Refused):
    """An error in the words of the surface."""

    def __init__(self, status: int, message: str, **more: str) -> None:
        super().__init__(status, {"error": message, "message": message, **more})


def identity(kind: str, number: int) -> str:
    return f"{kind * 8}-0000-7000-8000-{number:012d}"


class BrokerApi(SurfaceApi):
    """`course` is what the next request becomes, one state each time that it is asked about; `kept` is what reads
    give.
    """

    routes = ROUTES
    token = TOKEN
    created = CREATED

    def __init__(self) -> None:
        super().__init__()
        self.requests_known: list[Row] = []
        self.connections_known: list[Row] = []
        self.agents_known: list[Row] = []
        self.projects_known: list[Row] = []
        self.environments_known: list[Row] = []
        self.workflows_known: list[Row] = []
        self.policies_known: list[Row] = []
        self.found_known: list[Row] = []
        self.course: list[Row] = []
        self.kept: dict[str, bytes] = {}
        self.wraps_known: dict[str, list[Row]] = {}
        self.values: dict[str, bytes] = {}
        self.trial: Row = {}

    def unknown(self) -> Refusal:
        return Refusal(401, "authentication required", code="product_auth_missing")

    def absent(self) -> Refusal:
        return Refusal(404, "There is nothing at this address.", code="not_found")

    def invalid(self, wrong: list[str]) -> Refusal:
        return Refusal(400, "; ".join(wrong), code="validation_error")

    def answer(self, request: Any, name: str, found: tuple[str, ...], query: Row, body: Any) -> None:
        if name not in SILENT:
            super().answer(request, name, found, query, body)
            return
        getattr(self, "_" + name)(*found, query=query, body=body)
        request.send_response(204)
        request.end_headers()

    # What tests put there.

    def add_request(self, status: str = "pending", **more: Any) -> Row:
        row = {
            "id": identity("a", len(self.requests_known)), "requester_id": identity("b", 1),
            "requester_display": "dora", "type": "read", "justification": "a restore", "status": status,
            "created_at": AT, "updated_at": AT, "target_provider_type": "vault", "target_secret_ref": "apps/db",
            "revision": 1, "steps": [{"name": "approval", "required": 1, "given": 0, "done": status != "pending"}],
            **more,
        }  # fmt: skip
        self.requests_known.insert(0, row)
        return row

    def deliver(self, row: Row, values: dict[str, bytes]) -> None:
        """What an agent has read. With a recipient's key it is sealed to that."""
        key = row.get("recipient_key")
        for name, value in values.items():
            wrap = identity("d", sum(map(len, self.wraps_known.values())))
            sealed = msgspec.json.encode(agreement.seal(base64.b64decode(key), value)) if key else value
            self.values[wrap] = sealed
            told = {"id": wrap, "key_name": name, "consumed": False, "expires_at": AT, "sealed": bool(key)}
            self.wraps_known.setdefault(row["id"], []).append(told)

    def add_project(self, name: str, *environments: str) -> Row:
        row = {"id": identity("c", len(self.projects_known)), "name": name, "status": "active", "created_at": AT}
        self.projects_known.append(row)
        for one in environments:
            kind = "prod" if one == "production" else "non_prod"
            self.environments_known.append(
                {"id": identity("e", len(self.environments_known)), "project_id": row["id"], "name": one, "kind": kind}
            )
        return row

    def add_connection(self, name: str, provider: str = "vault", **more: Any) -> Row:
        row = {
            "id": identity("f", len(self.connections_known)), "name": name, "provider_type": provider, "config": {},
            "has_credential": True, "agent_scope": {}, "enabled": True, "discover_seconds": 0, "created_at": AT,
            "updated_at": AT, **more,
        }  # fmt: skip
        self.connections_known.append(row)
        return row

    def add_workflow(self, name: str, **more: Any) -> Row:
        row = {
            "id": identity("1", len(self.workflows_known)), "name": name, "min_approvers": 1,
            "wrap_ttl_created_seconds": 604800, "wrap_ttl_approved_seconds": 3600, "wrap_ttl_claimed_seconds": 300,
            "request_ttl_seconds": 1209600, "require_justification": True, "allow_self_approval": False,
            "notification_channels": [], "enabled": True, "created_at": AT, "updated_at": AT, "steps": [],
            "grant_seconds": 0, "break_glass": False, **more,
        }  # fmt: skip
        self.workflows_known.append(row)
        return row

    def add_agent(self, name: str, status: str = "active", **more: Any) -> Row:
        row = {"id": identity("9", len(self.agents_known)), "name": name, "status": status, "created_at": AT, **more}
        self.agents_known.append(row)
        return row

    # What the routes answer.

    def _asked(self, kind: str, body: Row) -> Row:
        about = {
            key: body[key]
            for key in ("target_provider_type", "target_secret_ref", "target_provider_config", "justification",
                        "recipient_key", "emergency")
            if key in body
        }  # fmt: skip
        keys = body.get("target_keys") or sorted(body.get("key_values") or {})
        row = self.add_request(type=kind, **about, **({"target_keys": keys} if keys else {}))
        row["course"] = list(self.course)
        return self._shown(row)

    def _ask_set(self, query: Row, body: Row) -> Row:
        return self._asked("patch", body)

    def _ask_replace(self, query: Row, body: Row) -> Row:
        return self._asked("update", body)

    def _ask_read(self, query: Row, body: Row) -> Row:
        return self._asked("read", body)

    def _ask_rotate(self, query: Row, body: Row) -> Row:
        return self._asked("rotate", body)

    @staticmethod
    def _shown(row: Row) -> Row:
        return {key: value for key, value in row.items() if key != "course"}

    def _one(self, request: str) -> Row:
        for row in self.requests_known:
            if row["id"] == request:
                return row
        raise Refusal(404, "request not found", code="request_not_found")

    def _requests(self, query: Row, body: Any) -> list[Row]:
        rows = [self._shown(row) for row in self.requests_known]
        return [row for row in rows if query.get("status") in {None, row["status"]}]

    def _request(self, request: str, query: Row, body: Any) -> Row:
        row = self._one(request)
        if row.get("course"):
            row.update(row["course"].pop(0))
            if row["status"] == "executed" and row["type"] == "read":
                keys = row.get("target_keys") or list(self.kept)
                self.deliver(row, {key: self.kept[key] for key in keys if key in self.kept})
        return self._shown(row)

    def _changed(self, request: str, **more: Any) -> Row:
        row = self._one(request)
        row.update(more)
        return self._shown(row)

    def _edit(self, request: str, query: Row, body: Row) -> Row:
        return self._changed(request, revision=2)

    def _approve(self, request: str, query: Row, body: Row) -> Row:
        row = self._one(request)
        step = row["steps"][0]
        step["given"] += 1
        step["done"] = step["given"] >= step["required"]
        return self._changed(request, status="approved" if step["done"] else "pending")

    def _reject(self, request: str, query: Row, body: Row) -> Row:
        return self._changed(request, status="rejected", reject_reason=body["reason"])

    def _cancel(self, request: str, query: Row, body: Row) -> Row:
        return self._changed(request, status="cancelled")

    def _review(self, request: str, query: Row, body: Row) -> Row:
        return self._changed(request, reviewed_at=AT, review_comment=body["comment"])

    def _wraps(self, request: str, query: Row, body: Any) -> list[Row]:
        self._one(request)
        return self.wraps_known.get(request, [])

    def _wrap(self, request: str, wrap: str, query: Row, body: Any) -> Row:
        row = next(one for one in self.wraps_known[request] if one["id"] == wrap)
        if row["consumed"]:
            raise Refusal(410, "wrap already consumed", code="wrap_consumed")
        row["consumed"] = True
        value = self.values.pop(wrap)
        return {
            "wrap_id": wrap, "request_id": request, "value": base64.b64encode(value).decode(),
            "byte_length": len(value), "content_hash": "", "algorithm": "AES-256-GCM", "key_name": row["key_name"],
            "sealed_to_recipient": row["sealed"],
        }  # fmt: skip

    def _connections(self, query: Row, body: Any) -> list[Row]:
        return self.connections_known

    def _new_connection(self, query: Row, body: Row) -> Row:
        told = {key: value for key, value in body.items() if key not in {"name", "provider_type", "credential"}}
        return self.add_connection(body["name"], body["provider_type"], **told)

    def _change_connection(self, connection: str, query: Row, body: Row) -> Row:
        return next(row for row in self.connections_known if row["id"] == connection)

    def _remove_connection(self, connection: str, query: Row, body: Any) -> None:
        self.connections_known = [row for row in self.connections_known if row["id"] != connection]

    def _agents(self, query: Row, body: Any) -> list[Row]:
        return self.agents_known

    def _mint(self, query: Row, body: Row) -> Row:
        row = self.add_agent(body["name"])
        return {"id": row["id"], "name": row["name"], "agent_secret": "agent-secret-1"}

    def _rotate_agent(self, agent: str, query: Row, body: Row) -> Row:
        return {"id": agent, "name": "eu", "agent_secret": "agent-secret-2"}

    def _revoke(self, agent: str, query: Row, body: Row) -> None:
        next(row for row in self.agents_known if row["id"] == agent)["status"] = "revoked"

    def _projects(self, query: Row, body: Any) -> list[Row]:
        return self.projects_known

    def _new_project(self, query: Row, body: Row) -> Row:
        return self.add_project(body["name"])

    def _environments(self, query: Row, body: Any) -> list[Row]:
        return self.environments_known

    def _workflows(self, query: Row, body: Any) -> list[Row]:
        return self.workflows_known

    def _new_workflow(self, query: Row, body: Row) -> Row:
        return self.add_workflow(**body)

    def _put_workflow(self, workflow: str, query: Row, body: Row) -> Row:
        row = next(row for row in self.workflows_known if row["id"] == workflow)
        row.update(body)
        return row

    def _policies(self, query: Row, body: Any) -> list[Row]:
        return self.policies_known

    def _new_policy(self, query: Row, body: Row) -> Row:
        row = {"id": identity("2", len(self.policies_known)), "created_at": AT, "updated_at": AT, **body}
        self.policies_known.append(row)
        return row

    def _try(self, query: Row, body: Row) -> Row:
        return self.trial

    def _found(self, query: Row, body: Any) -> Row:
        return {"items": self.found_known, "total": len(self.found_known) + int(query.get("offset") or 0)}
