"""An installation that looks after infrastructure: the server with its own worker, runners of their own, people."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from e2e.client import Client, Refused
from e2e.server import PROGRAM, Deck, environment

SECONDS = 120
ENDED = ("SUCCESS", "FAILED", "CANCELLED")
CONFIGURATIONS = "/api/cli/configurations"
DOCUMENT: dict[str, Any] = {
    "environment_stage": "staging", "region": "here", "provider": "local", "terraform_version": "1.11.4",
}  # fmt: skip
MADE = [
    "terraform_data.cluster[0]", "terraform_data.network[0]", "terraform_data.node[0]", "terraform_data.node[1]",
    "terraform_data.project",
]  # fmt: skip
"""By a specification that names nothing but its template."""


@dataclass
class Estate:
    """`client` is the first administrator. `cords` are directories of the points (`kernel.faults`) by process."""

    deck: Deck
    client: Client
    cords: dict[str, Path] = field(default_factory=dict)
    fabric: subprocess.Popen[bytes] | None = None
    names: int = 0
    extra: dict[str, str] = field(default_factory=dict)
    """More of the environment of the fabric runner."""

    @property
    def home(self) -> Path:
        return self.deck.data.parent

    @property
    def bearer(self) -> str:
        return self.client.header("Authorization").removeprefix("Bearer ")

    # Asking.

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Any answer. `token` is that of somebody else."""
        if token := more.pop("token", None):
            more["headers"] = {**more.get("headers", {}), "Authorization": f"Bearer {token}"}
        return self.client._http.request(method, path, json=body, **more)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = self.call(method, path, body, **more)
        if not answer.is_success:
            raise Refused(answer)
        return answer.json() if answer.content else None

    def name(self, word: str) -> str:
        self.names += 1
        return f"{word}-{self.names}"

    def spec(self, name: str | None = None, **more: Any) -> str:
        document = {**DOCUMENT, "project_name": name or self.name("ledger"), **more}
        return str(self.ok("POST", CONFIGURATIONS, document)["configuration"]["id"])

    def change(self, spec: str, **more: Any) -> None:
        """Put some sections of the document in the place of those there are."""
        kept = self.ok("GET", f"{CONFIGURATIONS}/{spec}")["configuration"]
        document = {**DOCUMENT, "project_name": kept["project_name"], "zone_id": kept["zone_id"], **more}
        self.ok("PUT", f"{CONFIGURATIONS}/{spec}", document)

    def status(self, spec: str) -> str:
        return str(self.ok("GET", f"{CONFIGURATIONS}/{spec}")["configuration"]["status"])

    def ask(self, job_type: str, spec: str, **more: Any) -> str:
        """Answers the id of the job."""
        body = {"job_type": job_type, "configuration_id": spec, **more}
        return str(self.ok("POST", "/api/jobs", body)["job"]["id"])

    def job(self, uid: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ok("GET", f"/api/cli/jobs/{uid}")
        return found

    def newest(self, spec: str) -> str:
        """The id of its newest job."""
        query = {"surface": "infra", "configuration_id": spec, "limit": "1"}
        return str(self.ok("GET", "/api/jobs", params=query)["jobs"][0]["id"])

    def ended(self, uid: str, *wanted: str) -> dict[str, Any]:
        """The job when it has ended; `wanted` are the ways in which it may, SUCCESS unless some are given."""
        job = self.until(lambda: (found := self.job(uid))["status"] in ENDED and found, lambda: self.told(uid))
        assert job["status"] in (wanted or ("SUCCESS",)), self.told(uid)
        return job  # type: ignore[no-any-return]

    def done(self, job_type: str, spec: str, **more: Any) -> str:
        """Ask, wait, expect success."""
        uid = self.ask(job_type, spec, **more)
        self.ended(uid)
        return uid

    def plan(self, uid: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ok("GET", f"/api/cli/jobs/{uid}/plan")
        return found

    def counted(self, uid: str) -> dict[str, int]:
        """How much a plan would change, without what it would not."""
        return {word: self.plan(uid)["summary"][word] for word in ("create", "update", "delete", "replace")}

    def applied(self, spec: str, **more: Any) -> str:
        """Plan, and apply exactly that. Answers the DEPLOY job."""
        return self.done("DEPLOY", spec, plan_job_id=self.done("PLAN", spec, **more), **more)

    # Looking.

    def state(self, spec: str) -> dict[str, Any]:
        """The state that counts, as Terraform wrote it."""
        answer = self.call("GET", f"{CONFIGURATIONS}/{spec}/state/versions/current")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = json.loads(answer.content)
        return found

    def kept(self, spec: str) -> dict[str, Any] | None:
        """What is said of the state: serial, lineage, resources, lock."""
        found: dict[str, Any] | None = self.ok("GET", f"{CONFIGURATIONS}/{spec}/state")["state"]
        return found

    def versions(self, spec: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ok("GET", f"{CONFIGURATIONS}/{spec}/state/versions?limit=100")["versions"]
        return found

    def resources(self, spec: str) -> list[str]:
        return addresses(self.state(spec))

    def push(self, spec: str, state: dict[str, Any], reason: str = "It was changed by hand.") -> None:
        self.ok("POST", f"{CONFIGURATIONS}/{spec}/state/push", {"state": state, "reason": reason})

    def drift(self, spec: str) -> dict[str, Any]:
        """Look now, and answer what was found."""
        self.ended(self.ok("POST", f"{CONFIGURATIONS}/{spec}/drift", {})["job"]["id"])
        found: dict[str, Any] = self.ok("GET", f"{CONFIGURATIONS}/{spec}/drift")["drift"]
        return found

    def lines(self, uid: str) -> str:
        return "".join(one["log_chunk"] for one in self.ok("GET", f"/api/cli/jobs/{uid}/logs")["logs"])

    def told(self, uid: str) -> str:
        """Everything about a job, for a person who reads a failure."""
        job = self.job(uid)
        facts = {name: job[name] for name in ("job_type", "status", "error_message", "worker_id", "execution_metadata")}
        said = [line for line in self.deck.log("server", 400).splitlines() if "quarterdeck.http" not in line]
        return "\n".join([str(facts), self.lines(uid)[-2500:], *said[-15:], self.deck.log("fabric", 15)])

    def until(self, condition: Callable[[], Any], what: Callable[[], object], seconds: float = SECONDS) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, what()
            time.sleep(0.05)
        return found

    # Others who take part.

    def qd(self, *words: str, status: int = 0) -> str:
        """Our command line, as the administrator."""
        more = {"QUARTERDECK_URL": self.deck.url, "QUARTERDECK_TOKEN": self.bearer, "HOME": str(self.home)}
        done = subprocess.run(
            [*PROGRAM, *words], env=environment(None, **more), capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == status, f"qd {' '.join(words)}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout

    def person(self, name: str, role: str) -> str:
        """Somebody of the organization who has been invited; answers a session."""
        where = "/api/organizations/org_self_hosted/invitations"
        made = self.ok("POST", where, {"email": f"{name}@example.test", "role": role})["invitationId"]
        link = self.ok("POST", f"{where}/{made}/resend", {})["link"].partition("#")[2]
        found = self.ok("POST", f"/api/auth/invite/{link}", {"password": "another correct horse"})
        return str(found["access_token"])

    def start_fabric(self) -> None:
        """`qd worker --capability infra` as a process of its own, enrolled at its first start."""
        token, data = self.home / "fabric-token", self.home / "fabric"
        if not token.exists():
            made = self.ok("POST", "/api/cli/workers/enrolment-tokens", {"label": "fabric"})["token"]
            token.touch(mode=0o600)
            token.write_text(made)
        cord = {"QUARTERDECK_FAULTS": str(self.cords["fabric"])} if "fabric" in self.cords else {}
        words = ["worker", "--server", self.deck.url, "--token", f"@{token}", "--capability", "infra"]
        with (self.home / "fabric.log").open("ab") as output:
            self.fabric = subprocess.Popen(
                [*PROGRAM, *words, "--name", "fabric", "--data-dir", str(data)],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment(None, **cord, **self.extra),
                cwd=self.home,
                start_new_session=True,
            )
        self.until(lambda: self.standing() in {"ONLINE", "DRAINING"}, lambda: self.deck.log("fabric"))

    def standing(self) -> str:
        """How the enrolled runner stands; "" while there is none."""
        return next((str(one["status"]) for one in self.runners() if one["name"] == "fabric"), "")

    def undrained(self) -> bool:
        """A person lets the enrolled runner have jobs again; whether that holds, since what is wrong drains it anew."""
        self.ok("POST", f"/api/cli/workers/{self.fabric_id}/drain", {"draining": False})
        return self.standing() == "ONLINE"

    def runners(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ok("GET", "/api/cli/workers")["workers"]
        return found

    @property
    def fabric_id(self) -> str:
        return str(next(one["id"] for one in self.runners() if one["name"] == "fabric"))

    def stop_fabric(self, number: int = signal.SIGKILL) -> None:
        if self.fabric is not None:
            if self.fabric.poll() is None:
                os.kill(self.fabric.pid, number)
            self.fabric.wait(60)
            self.fabric = None


def addresses(state: dict[str, Any]) -> list[str]:
    """What a state manages."""
    return sorted(
        f"{one['type']}.{one['name']}{'' if item.get('index_key') is None else [item['index_key']]}"
        for one in state["resources"]
        for item in one["instances"]
    )


def attributes(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Of the first instance of a resource, to be read or changed."""
    found = next(one for one in state["resources"] if one["name"] == name)
    made: dict[str, Any] = found["instances"][0]["attributes"]
    return made
