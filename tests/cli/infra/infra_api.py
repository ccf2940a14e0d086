"""The infra surface for the command line's tests, from the contract (infra §1) and the routes of ours beside it. It
keeps what is made, in the contract's shapes.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from cli.infra.infra_routes import ROUTES
from fakes.surface_api import Refused, Row, SurfaceApi

TOKEN = "infra-token"
AT = "2026-05-31T12:00:00Z"
LATER = "2026-05-31T12:02:03Z"
GOOD = {"ok": True, "code": None, "reason": None, "hint": None}
STATE = {"version": 4, "serial": 7, "lineage": "ab", "terraform_version": "1.11.4", "resources": [], "outputs": {}}


class Refusal(Refused):
    """An error in the words of the surface."""

    def __init__(self, status: int, message: str, **more: str) -> None:
        super().__init__(status, {"error": message, **more})


CREATED = {"enrol", "update", "new_spec", "clone", "new_job", "rerun", "new_runner", "deploy_runner"}
NESTED = ("network", "cluster", "dns", "repositories", "databases")


def identity(kind: str, number: int) -> str:
    return f"{kind * 8}-0000-4000-8000-{number:012d}"


def paged(rows: str, known: list[Row], query: Row, size: int) -> Row:
    """A page of a list that goes on behind the id `before`."""
    ids = [row["id"] for row in known]
    begin = ids.index(query["before"]) + 1 if "before" in query else 0
    page = known[begin : begin + size]
    return {rows: page, "next": page[-1]["id"] if begin + size < len(known) else None}


class InfraApi(SurfaceApi):
    """`course` is what a job becomes, one state each time that it is asked about."""

    routes = ROUTES
    token = TOKEN
    created = CREATED

    def __init__(self) -> None:
        super().__init__()
        self.zones_known: list[Row] = []
        self.specs_known: list[Row] = []
        self.documents: dict[str, Row] = {}
        self.jobs_known: list[Row] = []
        self.lines: dict[str, list[Row]] = {}
        self.plans: dict[str, Row] = {}
        self.course: dict[str, list[Row]] = {}
        self.runners_known: list[Row] = []
        self.clusters_known: list[Row] = []
        self.releases_known: list[Row] = []
        self.identities_known: list[Row] = []
        self.bound_zones: dict[str, list[str]] = {}
        self.states: dict[str, Row] = {}
        self.versions_known: dict[str, list[Row]] = {}
        self.drifts: dict[str, Row] = {}
        self.repositories_known: list[Row] = []
        self.git_tokens: list[str] = []
        self.cut = False
        self.cuts: list[int] = []
        self.resumed: list[str | None] = []
        self.failing: dict[str, Row] = {}
        self.next_course: list[Row] = []
        self.next_plan: Row | None = None
        self.state_changes: list[Row] | None = None

    def unknown(self) -> Refusal:
        return Refusal(401, "Unauthorized: Invalid token")

    def absent(self) -> Refusal:
        return Refusal(404, "There is nothing at this address.")

    def invalid(self, wrong: list[str]) -> Refusal:
        return Refusal(400, "; ".join(wrong))

    def objections(self, name: str, query: Row, body: Any) -> list[str]:
        return ["whose jobs is not said"] if name == "jobs" and query.get("surface") != "infra" else []

    def answer(self, request: Any, name: str, found: tuple[str, ...], query: Row, body: Any) -> None:
        if name == "stream":
            self._stream(request, *found, after=query.get("after"))
            return
        if name == "repositories":
            self.git_tokens.append(request.headers.get("x-provider-token") or "")
        super().answer(request, name, found, query, body)

    # What is there.

    def add_zone(self, name: str) -> Row:
        row = {
            "id": identity("a", len(self.zones_known)), "user_id": "u", "name": name, "description": None,
            "approvals": 0, "destroy_approvals": 0,
            "created_at": AT, "updated_at": AT,
        }  # fmt: skip
        self.zones_known.append(row)
        return row

    def add_spec(self, name: str, zone: Row | None = None, **more: Any) -> Row:
        row = {
            "id": identity("c", len(self.specs_known)), "project_name": name, "zone_id": zone and zone["id"],
            "environment_stage": "development", "status": "DRAFT", "region": "local", "cloud_provider": "",
            "provider": "local", "version": 1,
            "estimated_monthly_cost": None, "created_at": AT, "updated_at": AT, **more,
        }  # fmt: skip
        self.specs_known.append(row)
        self.documents[row["id"]] = {"project_name": name, "environment_stage": row["environment_stage"]}
        self.states[row["id"]] = {
            "version": 0, "serial": None, "lineage": None, "resources": 0, "lock": None, "created_at": AT,
            "updated_at": AT,
        }  # fmt: skip
        self.versions_known[row["id"]] = [
            {
                "id": identity("7", 1), "number": 1, "configuration_hash": "3b" * 32, "user_id": "u", "comment": None,
                "created_at": AT, "current": True, "applied": False,
            }
        ]  # fmt: skip
        return row

    def add_job(self, kind: str, spec: Row | None = None, status: str = "SUCCESS", **more: Any) -> Row:
        ended = status in {"SUCCESS", "FAILED", "CANCELLED"}
        row = {
            "id": identity("d", len(self.jobs_known)), "user_id": "u", "zone_id": spec and spec["zone_id"],
            "spec_id": spec and spec["id"], "configuration_id": spec and spec["id"], "cloud_identity_id": None,
            "job_type": kind, "config_snapshot": {}, "configuration_hash": None, "status": status, "worker_id": None,
            "runner_id": None, "assigned_worker_id": None, "assigned_runner_id": None, "plan_job_id": None,
            "claimed_at": AT if ended else None, "started_at": AT if ended else None,
            "completed_at": LATER if ended else None, "error_message": None, "execution_metadata": {},
            "orphan_risk": False, "read_only": False,
            "waits_for": "runner" if status == "QUEUED" else None, "stage": None,
            "created_at": AT, "updated_at": AT, "spec_name": spec and spec["project_name"], "worker_name": None,
            "runner_name": None, **more,
        }  # fmt: skip
        self.jobs_known.insert(0, row)
        self.lines[row["id"]] = []
        return row

    def add_plan(self, spec: Row, *changes: tuple[str, str], required: int = 0, **more: Any) -> Row:
        """A PLAN that succeeded, with changes of (action, address)."""
        job = self.add_job("PLAN", spec)
        summary = dict.fromkeys(("create", "update", "delete", "replace", "read", "forget", "no_op"), 0)
        told = []
        for action, address in changes:
            summary[action] += 1
            new, gone = action == "create", action == "delete"
            size = {"path": "size", "before": None if new else 1, "after": None if gone else 2}
            password = {"path": "password", "before": "****", "after": "****", "sensitive": True}
            number = {"path": "id", "before": None if new else "a", "after": None, "unknown": not gone}
            forced = action == "replace"
            attributes = [
                {"sensitive": False, "unknown": False, "forces_replacement": forced and one is size, **one}
                for one in (size, password, number)
            ]
            told.append(
                {
                    "address": address, "type": address.partition(".")[0], "action": action, "truncated": False,
                    "attributes": attributes, "forced_by": ["size", "kind.name"] if forced else [],
                    "reason": "What changes of it cannot be changed in place." if forced else None,
                }
            )  # fmt: skip
        waits = {"ok": False, "code": "approvals_missing", "reason": f"{required} must agree.", "hint": "Ask them."}
        self.plans[job["id"]] = {
            "job_id": job["id"], "summary": {**summary, "truncated": False}, "changes": told, "drift": [], "cost": None,
            "approvals": {"required": required, "given": 0, "missing": required, "rejected": False, "votes": []},
            "applicable": waits if required else GOOD, **more,
        }  # fmt: skip
        return job

    def agree(self, job: str, who: str = "aiko", decision: str = "approved") -> None:
        plan = self.plans[job]
        approvals = plan["approvals"]
        approvals["votes"].append(
            {"user_id": who, "user_name": who, "decision": decision, "comment": None, "created_at": AT}
        )
        if decision == "approved":
            approvals["given"] += 1
            approvals["missing"] = max(approvals["required"] - approvals["given"], 0)
        else:
            approvals["rejected"] = True
            plan["applicable"] = {"ok": False, "code": "plan_rejected", "reason": "No.", "hint": "Ask again."}
            return
        if not approvals["missing"]:
            plan["applicable"] = GOOD

    def line(self, job: str, text: str, stream: str = "STDOUT") -> None:
        lines = self.lines[job]
        number = 480 + len(lines)
        lines.append({"id": number, "job_id": job, "log_chunk": text, "stream_type": stream, "created_at": AT})

    def add_runner(self, name: str, status: str = "ONLINE", **more: Any) -> Row:
        row = {
            "id": identity("e", len(self.runners_known)), "name": name, "mode": "self-hosted", "status": status,
            "last_heartbeat": AT, "version": "0.4.0", "is_default": False, "created_at": AT, **more,
        }  # fmt: skip
        self.runners_known.append(row)
        return row

    def add_repository(self, name: str, *, private: bool = True) -> None:
        self.repositories_known.append(
            {
                "id": str(len(self.repositories_known)), "name": name.partition("/")[2], "full_name": name,
                "url": f"https://git.example/{name}", "private": private, "default_branch": "main",
            }
        )  # fmt: skip

    def add_identity(self, provider: str, label: str, *, verified: bool = True) -> Row:
        row = {
            "id": identity("f", len(self.identities_known)), "provider": provider, "label": label, "created_at": AT,
            "verified": verified,
        }  # fmt: skip
        self.identities_known.append(row)
        return row

    def add_state(self, spec: Row, *serials: int) -> None:
        for serial in serials:
            kept = self.versions_of_state(spec["id"])
            number = len(kept) + 1
            kept.append(
                {
                    "number": number, "serial": serial, "lineage": "ab", "sha256": "0" * 64, "size": 2048,
                    "resources": number, "cause": "write", "reason": None, "job_id": identity("d", 0),
                    "author": None, "current": False, "created_at": AT,
                }
            )  # fmt: skip
            self.states[spec["id"]] |= {"version": number, "serial": serial, "lineage": "ab", "resources": number}

    def versions_of_state(self, spec: str) -> list[Row]:
        kept: list[Row] = self.states[spec].setdefault("kept", [])
        return kept

    # What is answered.

    def _one(self, rows: list[Row], wanted: str, what: str) -> Row:
        for row in rows:
            if row["id"] == wanted:
                return row
        raise Refusal(404, f"{what} not found")

    def _told_zone(self, row: Row) -> Row:
        keys = ("id", "project_name", "environment_stage", "status", "region")
        specs = [{key: one[key] for key in keys} for one in self.specs_known if one["zone_id"] == row["id"]]
        return {**row, "specs": specs}

    def _zones(self, **_: Any) -> Row:
        return {"zones": [self._told_zone(row) for row in self.zones_known], "next": None}

    def _new_zone(self, *, body: Row, **_: Any) -> Row:
        if body["name"] in {row["name"] for row in self.zones_known}:
            raise Refusal(409, f"A zone {body['name']} is there already.")
        return {"zone": self.add_zone(body["name"]) | {"description": body.get("description")}}

    def _zone(self, zone: str, **_: Any) -> Row:
        return {"zone": self._told_zone(self._one(self.zones_known, zone, "Zone"))}

    def _change_zone(self, zone: str, *, body: Row, **_: Any) -> Row:
        row = self._one(self.zones_known, zone, "Zone")
        row |= body
        return {"zone": row}

    def _delete_zone(self, zone: str, **_: Any) -> Row:
        self.zones_known = [row for row in self.zones_known if row["id"] != zone]
        return {"success": True}

    def _specs(self, *, query: Row, **_: Any) -> Row:
        return paged("configurations", self.specs_known, query, 100)

    def _flat(self, row: Row) -> Row:
        more = {"terraform_version": "1.11.4", "provision_network": True, "cidr_block": "10.0.0.0/16", "resources": 0}
        return {**more, "cluster_admins": None, **row}

    def _new_spec(self, *, body: Row, **_: Any) -> Row:
        zone = next((row for row in self.zones_known if row["id"] == body.get("zone_id")), None)
        more = {key: body[key] for key in ("provider", "cloud_identity_id") if key in body}
        row = self.add_spec(body["project_name"], zone, environment_stage=body["environment_stage"], **more)
        self.documents[row["id"]] = body
        return {"configuration": self._flat(row)}

    def _validate(self, *, body: Row, **_: Any) -> Row:
        errors = [] if "region" in body else [{"field": "region", "message": "A region is needed."}]
        return {"valid": not errors, "errors": errors, "document": None, "configuration_hash": None}

    def _spec(self, spec: str, **_: Any) -> Row:
        return {"configuration": self._flat(self._one(self.specs_known, spec, "Configuration"))}

    def _put_spec(self, spec: str, *, body: Row, **_: Any) -> Row:
        row = self._one(self.specs_known, spec, "Configuration")
        if body.pop("version", 1) != row.get("version", 1):
            raise Refusal(409, "Somebody else has changed it: it has version 2 now.")
        if body != self.documents[spec]:
            row |= {"version": row.get("version", 1) + 1, "updated_at": LATER, "project_name": body["project_name"]}
        self.documents[spec] = body
        return {"configuration": self._flat(row)}

    def _delete_spec(self, spec: str, *, query: Row, **_: Any) -> Row:
        if self.states[spec]["resources"] and query.get("force") != "true":
            raise Refusal(409, "ledger still has 2 resources.")
        self.specs_known = [row for row in self.specs_known if row["id"] != spec]
        return {"success": True}

    def _clone(self, spec: str, *, body: Row, **_: Any) -> Row:
        row = self._one(self.specs_known, spec, "Configuration")
        return {"configuration": self._flat(self.add_spec(body["project_name"], zone_id=row["zone_id"]))}

    def _versions(self, spec: str, **_: Any) -> Row:
        return {"versions": self.versions_known[spec][::-1], "next": None}

    def _diff(self, spec: str, *, query: Row, **_: Any) -> Row:
        changes = [
            {"path": "cluster.node_max_size", "kind": "changed", "before": 6, "after": 8},
            {"path": "dns", "kind": "added", "before": None, "after": {"enabled": True}},
            {"path": "caches[main]", "kind": "removed", "before": "redis", "after": None},
        ]
        to = int(query.get("to", len(self.versions_known[spec])))
        since = int(query.get("from", max(to - 1, 1)))
        return {"from": since, "to": to, "same": since == to, "changes": [] if since == to else changes}

    def _drift(self, spec: str, **_: Any) -> Row:
        return {
            "drift": self.drifts.get(spec),
            "failing": self.failing.get(spec),
            "minutes": None,
            "due_at": None,
            "checked_at": None,
        }

    def _look(self, spec: str, **_: Any) -> Row:
        row = self._one(self.specs_known, spec, "Configuration")
        plan = self.plans[self.add_plan(row, ("update", "a.b"))["id"]]
        self.drifts[spec] = {"drifted": True, "at": AT, "job_id": None, "changes": plan["changes"], "left_out": 0}
        job = self.add_job("PLAN", row, "QUEUED", read_only=True)
        self._begun(job)
        return {"job": dict(job)}

    def _export(self, spec: str, *, query: Row, **_: Any) -> Row:
        form, document = query.get("format", "yaml"), self.documents[spec]
        lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in document.items())
        content = json.dumps(document) if form == "json" else lines
        return {"content": content, "filename": f"{document['project_name']}.{form}", "format": form}

    def _state(self, spec: str, **_: Any) -> Row:
        told = {key: value for key, value in self.states[spec].items() if key != "kept"}
        return {"state": told if told["version"] or told["lock"] else None}

    def _state_versions(self, spec: str, *, query: Row, **_: Any) -> Row:
        if not self.versions_of_state(spec):
            raise Refusal(404, "Nothing was written yet.")
        before = int(query.get("before", 1000))
        rows = [row for row in self.versions_of_state(spec)[::-1] if row["number"] < before]
        return {"versions": rows[:2], "next_before": rows[1]["number"] if len(rows) > 2 else None}

    def _state_version(self, spec: str, number: str, **_: Any) -> Row:
        wanted = self.states[spec]["version"] if number == "current" else int(number)
        for row in self.versions_of_state(spec):
            if row["number"] == wanted:
                return {**STATE, "serial": row["serial"]}
        raise Refusal(404, "State version not found")

    def _state_diff(self, spec: str, *, query: Row, **_: Any) -> Row:
        told = {"before": 1, "after": 2} if query.get("values") else {}
        attributes = [{"path": "size", "sensitive": False, **told}, {"path": "password", "sensitive": True}]
        changes = [
            {"address": "terraform_data.project", "action": "create", "attributes": []},
            {"address": "terraform_data.node[0]", "action": "update", "attributes": attributes},
        ]
        if not self.versions_of_state(spec):
            raise Refusal(404, "Nothing was written yet.")
        to = int(query.get("to", self.states[spec]["version"]))
        since = int(query.get("from", max(to - 1, 1)))
        found = [] if since == to else changes if self.state_changes is None else self.state_changes
        return {"from": since, "to": to, "summary": {}, "changes": found, "left_out": 0}

    def _rollback(self, spec: str, **_: Any) -> Row:
        return self._state(spec)

    def _unlock(self, spec: str, **_: Any) -> Row:
        self.states[spec]["lock"] = None
        return self._state(spec)

    def _push(self, spec: str, **_: Any) -> Row:
        return self._state(spec)

    def _jobs(self, *, query: Row, **_: Any) -> Row:
        rows = [
            row
            for row in self.jobs_known
            if all(query.get(key) in {None, row[key]} for key in ("status", "zone_id", "job_type", "configuration_id"))
        ]
        limit, offset = min(int(query.get("limit", 20)), 100), int(query.get("offset", 0))
        return {"jobs": rows[offset : offset + limit], "total": len(rows), "limit": limit, "offset": offset}

    def _new_job(self, *, body: Row, **_: Any) -> Row:
        kind = body["job_type"]
        spec = None
        if kind != "DESTROY_WORKER":
            spec = self._one(self.specs_known, body.get("configuration_id", ""), "Configuration")
        more = {key: body.get(key) for key in ("assigned_worker_id", "plan_job_id")}
        job = self.add_job(kind, spec, "QUEUED", **more)
        self._begun(job)
        return {"job": dict(job)}

    def _begun(self, job: Row) -> None:
        if self.next_course and self.next_course[0]["status"] == "QUEUED":
            job |= self.next_course[0]
        self.course[job["id"]] = list(self.next_course) or [{"status": "PROCESSING"}, {"status": "SUCCESS"}]
        if self.next_plan is not None:
            self.plans[job["id"]] = {**self.next_plan, "job_id": job["id"]}

    def _job(self, job: str, **_: Any) -> Row:
        row = self._one(self.jobs_known, job, "Job")
        if self.course.get(job):
            row |= self.course[job].pop(0)
        return row

    def _logs(self, job: str, *, query: Row, **_: Any) -> Row:
        self._one(self.jobs_known, job, "Job")
        lines = [line for line in self.lines[job] if line["id"] > int(query.get("after", 0))]
        return {"logs": lines[:2], "more": len(lines) > 2}

    def _stream(self, request: Any, job: str, after: str | None) -> None:
        """The log and the course of a job until its end. Of `cuts` each is how many bytes one connection lives for."""
        self._one(self.jobs_known, job, "Job")
        last = request.headers.get("last-event-id")
        self.resumed.append(last)
        seen, left = int(after if after is not None else last or 0), self.cuts.pop(0) if self.cuts else None
        request.send_response(200)
        request.send_header("content-type", "text/event-stream")
        request.end_headers()
        content = b": open\n\n"
        while True:
            if "job" in self.before:
                self.before["job"](job)
            row = self._job(job)
            for line in [line for line in self.lines[job] if line["id"] > seen]:
                content += b"event: message\nid: %d\ndata: %s\n\n" % (line["id"], json.dumps(line).encode())
                seen = line["id"]
            if row["status"] in {"SUCCESS", "FAILED", "CANCELLED"}:
                content += b"event: done\ndata: %s\n\n" % json.dumps({"status": row["status"]}).encode()
            request.wfile.write(content if left is None else content[:left])
            if row["status"] in {"SUCCESS", "FAILED", "CANCELLED"} or (left is not None and len(content) > left):
                return
            left = left and left - len(content)
            content = b": keep-alive\n\n"
            threading.Event().wait(0.002)  # pauses of the program take no time here, this one does

    def _cancel(self, job: str, **_: Any) -> Row:
        row = self._one(self.jobs_known, job, "Job")
        if row["status"] not in {"QUEUED", "CLAIMED", "PROCESSING"}:
            raise Refusal(400, f"The job is {row['status']}.", code="infra_job_not_cancellable", hint="Nothing runs.")
        row["status"] = "CANCELLED"
        return {"success": True}

    def _rerun(self, job: str, **_: Any) -> Row:
        before = self._one(self.jobs_known, job, "Job")
        spec = next((row for row in self.specs_known if row["id"] == before["spec_id"]), None)
        made = self.add_job(before["job_type"], spec, "QUEUED")
        self._begun(made)
        return {"job": dict(made)}

    def _pin(self, job: str, *, body: Row, **_: Any) -> Row:
        row = self._one(self.jobs_known, job, "Job")
        row["assigned_worker_id"] = body["assigned_worker_id"]
        return {"job": row}

    def _plan(self, job: str, **_: Any) -> Row:
        if job not in self.plans:
            raise Refusal(404, "This job has no plan.")
        return self.plans[job]

    def _approve(self, job: str, **_: Any) -> Row:
        self.agree(job, "me")
        return {"success": True}

    def _reject(self, job: str, **_: Any) -> Row:
        self.agree(job, "me", "rejected")
        return {"success": True}

    def _runners(self, **_: Any) -> Row:
        return {"workers": self.runners_known, "runners": self.runners_known, "next": None}

    def _new_runner(self, *, body: Row, **_: Any) -> Row:
        row = self.add_runner(body["name"], "OFFLINE")
        token = "9c" * 32
        return {
            "worker": row, "runner": row, "worker_id": row["id"], "runner_id": row["id"], "worker_token": token,
            "runner_token": token,
        }  # fmt: skip

    def _enrol(self, *, body: Row, **_: Any) -> Row:
        return {"id": 3, "label": body.get("label"), "token": "ovw_3_secret", "expires_at": LATER}

    def _runner(self, runner: str, **_: Any) -> Row:
        row = self._one(self.runners_known, runner, "Worker")
        return {"worker": {**row, "metadata": {}, "release": None, "current_job_id": None}}

    def _remove_runner(self, runner: str, **_: Any) -> Row:
        self.runners_known = [row for row in self.runners_known if row["id"] != runner]
        return {"success": True}

    def _deploy_runner(self, *, body: Row, **_: Any) -> Row:
        row, job = self.add_runner(body["name"], "OFFLINE"), self.add_job("DEPLOY_WORKER", None, "QUEUED")
        self._begun(job)
        keys = ("id", "status", "created_at")
        return {"runner": {"id": row["id"], "name": row["name"]}, "job": {key: job[key] for key in keys}}

    def _drain(self, runner: str, *, body: Row, **_: Any) -> Row:
        row = self._one(self.runners_known, runner, "Worker")
        row["status"] = "DRAINING" if body["draining"] else "ONLINE"
        return {"worker": row}

    def _default(self, runner: str, **_: Any) -> Row:
        row = self._one(self.runners_known, runner, "Worker")
        row["is_default"] = True
        return {"worker": row}

    def _update(self, runner: str, **_: Any) -> Row:
        self._one(self.runners_known, runner, "Worker")
        job = self.add_job("UPDATE_WORKER", None, "QUEUED")
        self._begun(job)
        return {"job": dict(job)}

    def _releases(self, **_: Any) -> Row:
        return {"releases": self.releases_known, "latest": None, "next": None}

    def _clusters(self, **_: Any) -> Row:
        return {"clusters": self.clusters_known, "next": None}

    def _repositories(self, provider: str, **_: Any) -> Row:
        if not self.git_tokens[-1]:
            raise Refusal(400, "No token found. Please log in again.", code="provider_token_missing")
        return {
            "repositories": [{**row, "provider": provider} for row in self.repositories_known],
            "truncated": self.cut,
        }

    def _identities(self, *, query: Row, **_: Any) -> Row:
        rows = [row for row in self.identities_known if row["verified"] or query.get("all") == "true"]
        return {"cloud_identities": rows, "next": None}

    def _bound(self, one: str, **_: Any) -> Row:
        kept = self.bound_zones.get(one, [])
        return {"zone_ids": kept, "bound": bool(kept)}

    def _bind(self, one: str, *, body: Row, **_: Any) -> Row:
        self.bound_zones[one] = body["zone_ids"]
        return self._bound(one)

    def _init(self, provider: str, **_: Any) -> Row:
        told = {"issuer": None, "subject": None, "audience": None}
        if provider != "aws":
            told = {"issuer": "https://deck.example.com/oidc", "subject": "organization:1", "audience": "deck"}
        return {"identity_id": identity("9", 1), "external_id": "xt-1" if provider == "aws" else None, **told}

    def _connect(self, provider: str, *, body: Row, **_: Any) -> Row:
        job = self.add_job("CONNECTION_TEST", None, "QUEUED")
        self._begun(job)
        return {"job_id": job["id"], "identity_id": body["identity_id"]}

    def _verify(self, provider: str, **_: Any) -> Row:
        return {"success": True}

    def _disconnect(self, provider: str, **_: Any) -> Row:
        return {"success": True}
