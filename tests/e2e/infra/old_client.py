"""A command line that is not ours, of either generation: the calls of published programs in their order, and what
their decoders do not forgive (contract: infra §1, §2.1, §7). It knows nothing of the server but its address.
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

Generation = Literal["worker", "runner"]
TERMINAL = ("SUCCESS", "FAILED", "CANCELLED")
PAUSE = 0.2
"""Seconds between two looks; the published programs take 2 to 3, which would only take longer."""
SECONDS = 120
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_TIMES = re.compile(r".+_at|last_heartbeat")
NUMBERS = frozenset({
    "estimated_monthly_cost", "total", "limit", "offset", "node_min_size", "node_max_size", "node_desired_size",
    "db_min_capacity", "db_max_capacity",
})  # fmt: skip
SUMMARY = (
    "id", "project_name", "zone_id", "environment_stage", "status", "region", "cloud_provider",
    "estimated_monthly_cost", "created_at", "updated_at",
)  # fmt: skip
JOB = (
    "id", "job_type", "status", "zone_id", "spec_id", "configuration_id", "config_snapshot", "configuration_hash",
    "plan_job_id", "claimed_at", "started_at", "completed_at", "error_message", "execution_metadata", "created_at",
    "updated_at", "worker_id", "runner_id", "assigned_worker_id", "assigned_runner_id",
)  # fmt: skip


class Printed(Exception):
    """What they print of an error, with which they end."""


@dataclass
class OldClient:
    origin: str
    generation: Generation = "worker"
    kept: dict[str, Any] = field(default_factory=dict)
    """What the file of credentials has."""

    # Wire.

    def send(self, method: str, path: str, body: Any = ...) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.kept['access_token']}"} if self.kept else {}
        content = None if body is ... else json.dumps(body).encode()
        headers |= {} if body is ... else {"Content-Type": "application/json"}
        return httpx.request(
            method, f"{self.origin}/api{path}", content=content, headers=headers, timeout=60, trust_env=False
        )

    def call(self, method: str, path: str, body: Any = ..., *wanted: int) -> Any:
        """Decoded as strictly as theirs does. Raises `Printed`."""
        answer = self.send(method, path, body)
        if answer.status_code not in (wanted or (200,)):
            raise Printed(answer.json()["error"])
        found = answer.json()
        decoded(found)
        return found

    @property
    def family(self) -> str:
        return "/cli/workers" if self.generation == "worker" else "/cli/runners"

    @property
    def envelope(self) -> str:
        return f"{self.generation}s"

    # Coming in.

    def login(self, approve: Callable[[str], None]) -> str:
        """`approve` is what a person does in the browser with the code. Answers the person's address."""
        code = str(uuid.uuid4())
        pending = self.send("POST", "/auth/cli/exchange", {"device_code": code})
        assert pending.status_code == 404, pending.text
        approve(code)
        found = self.call("POST", "/auth/cli/exchange", {"device_code": code})
        assert found.keys() >= {"access_token", "refresh_token", "provider_token", "user_email"}
        again = self.send("POST", "/auth/cli/exchange", {"device_code": code})
        assert again.status_code not in {200, 404}, "it is single use"
        self.kept = found
        assert self.seconds_left() > 60
        return str(found["user_email"])

    def seconds_left(self) -> float:
        payload = self.kept["access_token"].split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]) - time.time()

    def refresh(self) -> None:
        """They keep the refresh token that they have, whatever comes with the answer."""
        found = self.call("POST", "/auth/cli/refresh", {"refresh_token": self.kept["refresh_token"]})
        self.kept["access_token"] = found["access_token"]

    # What they list and choose from.

    def zones(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/cli/zones")["zones"]
        for zone in found:
            assert zone.keys() >= {"id", "name", "description", "created_at", "updated_at", "specs"}
        return found

    def make_zone(self, name: str) -> str:
        return str(self.call("POST", "/cli/zones", {"name": name, "description": ""}, 200, 201)["zone"]["id"])

    def drop_zone(self, zone: str) -> None:
        assert self.call("DELETE", f"/cli/zones/{zone}")["success"] is True

    def specs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/cli/configurations")["configurations"]
        for one in found:
            assert set(SUMMARY) <= one.keys()
        return found

    def spec(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/cli/configurations/by-project-name/{name}")["configuration"]
        assert found["cluster_admins"] is None or isinstance(found["cluster_admins"], str), "it is declared as a string"
        return found

    def workers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", self.family)[self.envelope]
        for one in found:
            assert one.keys() >= {"id", "name", "mode", "status", "last_heartbeat", "version", "is_default"}
        return found

    def register(self, name: str) -> tuple[str, str]:
        path = "/cli/workers" if self.generation == "worker" else "/cli/runners/register"
        found = self.call("POST", path, {"name": name, "mode": "self-hosted"}, 201)
        return found[self.generation]["id"], found[f"{self.generation}_token"]

    # Jobs.

    def chosen(self, name: str) -> str:
        """The selectors' way to a specification: zones, then specs, then workers."""
        self.zones()
        found = next(one["id"] for one in self.specs() if one["project_name"] == name)
        self.workers()
        return str(found)

    def ask(self, job_type: str, spec: str, plan: str | None = None, runner: str | None = None) -> str:
        body = {"job_type": job_type, "zone_id": "", "configuration_id": spec}
        if plan is not None:
            body["plan_job_id"] = plan
        if runner is not None:
            body[f"assigned_{self.generation}_id"] = runner
        made = self.call("POST", "/jobs", body, 201)["job"]
        assert set(JOB) <= made.keys()
        return str(made["id"])

    def job(self, uid: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/cli/jobs/{uid}")
        assert "job" not in found, "it has no envelope"
        return found

    def wait(self, uid: str) -> tuple[int, str]:
        """`--wait`: how the program ends, and what it printed last."""
        deadline = time.monotonic() + SECONDS
        while (job := self.job(uid))["status"] not in TERMINAL:
            assert time.monotonic() < deadline, job
            time.sleep(PAUSE)
        return (0 if job["status"] == "SUCCESS" else 1), job["error_message"] or job["status"]

    def follow(self, uid: str) -> str:
        """`jobs logs -f`: everything that it prints."""
        printed, last = "", 0
        deadline = time.monotonic() + SECONDS
        while True:
            text, last = self._more(uid, last)
            printed += text
            status = self.job(uid)["status"]
            if status in TERMINAL:
                return printed + self._more(uid, last)[0] + f"--- Job {status} ---\n"
            assert time.monotonic() < deadline, printed
            time.sleep(PAUSE)

    def _more(self, uid: str, last: int) -> tuple[str, int]:
        found = self.call("GET", f"/cli/jobs/{uid}/logs" + (f"?after={last}" if last else ""))["logs"]
        ids = [one["id"] for one in found]
        assert ids == sorted(set(ids))
        assert all(type(one) is int and one > last for one in ids)
        assert {one["stream_type"] for one in found} <= {"STDOUT", "STDERR", "SYSTEM"}
        return "".join(one["log_chunk"] for one in found), (ids[-1] if ids else last)

    def cancel(self, uid: str) -> None:
        assert self.call("POST", f"/cli/jobs/{uid}/cancel", None)["success"] is True

    def jobs(self, **query: str) -> tuple[list[dict[str, Any]], int]:
        """All pages."""
        found: list[dict[str, Any]] = []
        while True:
            rest = "".join(f"&{name}={value}" for name, value in query.items())
            page = self.call("GET", f"/jobs?limit=20{rest}" + (f"&offset={len(found)}" if found else ""))
            found += page["jobs"]
            if not page["jobs"] or len(found) >= page["total"]:
                return found, page["total"]


def decoded(value: Any, name: str = "") -> None:
    """Fail as their decoder would: a time that is none, a number that is a text."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key not in {"config_snapshot", "execution_metadata", "metadata"}:
                decoded(one, key)
    elif isinstance(value, list):
        for one in value:
            decoded(one, name)
    elif value is not None and _TIMES.fullmatch(name):
        assert isinstance(value, str), (name, value)
        assert _TIME.fullmatch(value), (name, value)
    elif value is not None and name in NUMBERS:
        assert type(value) in {int, float}, (name, value)
