"""What a person or a program does with the deploy surface, for tests: sign in, describe an application, deploy it."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from e2e.server import Deck

EMAIL = "ada@example.test"
PASSWORD = "correct horse battery staple"
TERMINAL = {"succeeded", "failed", "canceled", "rolled-back"}
DEPLOY_SECONDS = 180


class Refused(AssertionError):
    """An answer that is no success, with its documented parts."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:600]}")
        self.status = answer.status_code
        body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        error = body.get("error")
        self.code = (body.get("data") or {}).get("domainCode") or (
            error.get("code") if isinstance(error, dict) else None
        )
        self.message = str(body.get("message", ""))


@dataclass
class Application:
    """A resource that tests deploy."""

    id: str
    project: str
    environment: str
    server: str
    name: str


class Client:
    """The first administrator's hands."""

    def __init__(self, deck: Deck) -> None:
        self.deck = deck
        # A connection is let go of before the server does, which would be in the middle of a request now and then.
        limits = httpx.Limits(keepalive_expiry=2)
        self._http = httpx.Client(base_url=deck.url, timeout=130, limits=limits, trust_env=False)
        self._server: str | None = None
        self._environment: tuple[str, str] | None = None

    def close(self) -> None:
        self._http.close()

    def begin(self) -> None:
        """Create the first administrator where there is none, and sign in."""
        status = self.get("/api/bootstrap/auth/status")
        if status["bootstrapRequired"]:
            printed = re.findall(r"Setup token for the first administrator: (\S+)", self.deck.log(lines=1000))
            headers = {"x-setup-token": printed[-1]} if printed else {}
            body = {"email": EMAIL, "displayName": "Ada", "password": PASSWORD}
            self._answer(self._http.post("/api/bootstrap/auth/first-admin", json=body, headers=headers))
        self.sign_in()

    def sign_in(self) -> None:
        token = self.post("/api/auth/sign-in/email", {"email": EMAIL, "password": PASSWORD})["token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._http.cookies.clear()

    def header(self, name: str) -> str:
        """What it sends with each request: "" for what it does not."""
        return self._http.headers.get(name, "")

    def get(self, path: str, **query: Any) -> Any:
        return self._answer(self._http.get(path, params=query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._answer(self._http.post(path, json=body if body is not None else {}))

    @staticmethod
    def _answer(answer: httpx.Response) -> Any:
        if not answer.is_success:
            raise Refused(answer)
        return answer.json() if answer.content else None

    def server(self) -> str:
        """This machine as a server."""
        if self._server is None:
            known = self.get("/api/servers")["items"]
            body = {"name": "here", "host": "127.0.0.1", "providerKey": "local-shell", "proxyKind": "caddy"}
            self._server = known[0]["id"] if known else self.post("/api/servers", body)["id"]
        return self._server

    def environment(self) -> tuple[str, str]:
        """A project and its environment, made once."""
        if self._environment is None:
            project = self.post("/api/projects", {"name": "Samples"})["id"]
            body = {"projectId": project, "name": "production", "kind": "production"}
            self._environment = project, self.post("/api/environments", body)["id"]
        return self._environment

    def application(
        self,
        name: str,
        source: dict[str, Any],
        *,
        port: int | None = 3000,
        runtime: dict[str, Any] | None = None,
        health: dict[str, Any] | None = None,
        kind: str = "application",
    ) -> Application:
        """Describe an application; nothing runs yet."""
        project, environment = self.environment()
        body: dict[str, Any] = {
            "projectId": project,
            "environmentId": environment,
            "name": name,
            "kind": kind,
            "source": source,
            "runtimeProfile": runtime or {"strategy": "auto"},
        }
        if port is not None:
            body["networkProfile"] = {
                "internalPort": port, "upstreamProtocol": "http", "exposureMode": "reverse-proxy"
            }  # fmt: skip
        made = Application(self.post("/api/resources", body)["id"], project, environment, self.server(), name)
        self.deck.resources.append(made.id)
        if health is not None:
            self.post(f"/api/resources/{made.id}/health-policy", {"healthCheck": health})
        return made

    def deploy(self, application: Application) -> str:
        """Admit a deployment; answers its id at once."""
        body = {
            "projectId": application.project,
            "environmentId": application.environment,
            "resourceId": application.id,
            "serverId": application.server,
        }
        return str(self.post("/api/deployments", body)["id"])

    def redeploy(self, application: Application) -> str:
        return str(self.post(f"/api/resources/{application.id}/redeploy")["id"])

    def rollback(self, latest: str, candidate: str) -> str:
        asked = {"rollbackCandidateDeploymentId": candidate}
        return str(self.post(f"/api/deployments/{latest}/rollback", asked)["id"])

    def cancel(self, deployment: str) -> Any:
        return self.post(f"/api/deployments/{deployment}/cancel", {"confirm": deployment})

    def show(self, deployment: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.get(f"/api/deployments/{deployment}")
        return shown

    def status(self, deployment: str) -> str:
        return str(self.show(deployment)["status"]["current"])

    def wait(self, deployment: str, seconds: float = DEPLOY_SECONDS) -> dict[str, Any]:
        """The deployment when it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            shown = self.show(deployment)
            if shown["status"]["current"] in TERMINAL:
                return shown
            assert time.monotonic() < deadline, f"{deployment} is {shown['status']}: {self.told(deployment)}"
            time.sleep(0.1)

    def deployed(self, application: Application, seconds: float = DEPLOY_SECONDS) -> str:
        """Deploy and expect success."""
        return self.succeeded(self.deploy(application), seconds)

    def succeeded(self, deployment: str, seconds: float = DEPLOY_SECONDS) -> str:
        shown = self.wait(deployment, seconds)
        why = (shown.get("latestFailure"), self.told(deployment), self.deck.log("server", 15))
        assert shown["status"]["current"] == "succeeded", why
        return deployment

    def logs(self, deployment: str) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self.get(f"/api/deployments/{deployment}/logs")["logs"]
        return lines

    def told(self, deployment: str) -> str:
        """The last lines of a deployment's log, for a person who reads a failure."""
        return "\n".join(f"{line['phase']}: {line['message']}" for line in self.logs(deployment)[-25:])

    def stream(self, path: str, **query: Any) -> Iterator[tuple[str, Any]]:
        """Server-sent events as (name, data), until the server ends the stream."""
        with self._http.stream("GET", path, params=query, headers={"Accept": "text/event-stream"}) as answer:
            assert answer.status_code == 200, answer.read()
            name, data = "message", ""
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    name = line.removeprefix("event:").strip()
                elif line.startswith("data:"):
                    data += line.removeprefix("data:").strip()
                elif not line and data:
                    yield name, json.loads(data)
                    name, data = "message", ""

    def hostname(self, deployment: str) -> str:
        """The first generated name of a deployment."""
        routes = self.show(deployment)["deployment"]["runtimePlan"]["execution"]["accessRoutes"]
        return str(routes[0]["domains"][0])

    def visit(self, hostname: str, path: str = "/") -> httpx.Response:
        """A request as the public makes it: through the edge, by name."""
        address = f"http://127.0.0.1:{self.deck.edge_port}{path}"
        return httpx.get(address, headers={"Host": hostname}, timeout=15, trust_env=False)


@contextlib.contextmanager
def signed_in(deck: Deck) -> Iterator[Client]:
    """A client of an installation, with its first administrator."""
    made = Client(deck)
    try:
        made.begin()
        yield made
    finally:
        made.close()
