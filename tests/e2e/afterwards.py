"""What may befall an application after its deployment succeeded, wherever it runs: told as a person sees it."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from typing import Any

import httpx

from e2e.client import Application, Client
from e2e.repositories import APPS, Repository
from e2e.server import Deck
from e2e.truth import rows, settled, until

SERVER = (APPS / "dockerfile" / "server.py").read_text()
MORTAL = SERVER.replace(
    "        bodies =",
    """        if self.path.startswith("/die"):
            if self.path == "/die-for-good":
                open("dead", "w").close()
            os._exit(3)
        bodies =""",
).replace('if __name__ == "__main__":', 'if __name__ == "__main__":\n    os.path.exists("dead") and os._exit(4)')
DOCKERFILE = """FROM python:3.11-slim
WORKDIR /app
COPY server.py ./
EXPOSE 3000
STOPSIGNAL SIGKILL
CMD ["python3", "server.py"]
"""
CONTAINED = {"Dockerfile": DOCKERFILE}
HEALTH = {"enabled": True, "type": "http", "intervalSeconds": 1, "timeoutSeconds": 1, "retries": 10,
          "startPeriodSeconds": 1, "http": {"path": "/health", "method": "GET", "scheme": "http",
                                            "host": "localhost", "expectedStatusCode": 200}}  # fmt: skip
SECONDS = 40


def health(client: Client, application: Application) -> dict[str, Any]:
    """As it was observed, without asking the application now."""
    found: dict[str, Any] = client.get(f"/api/resources/{application.id}/health")
    return found


def dies(deck: Deck, client: Client, application: Application, repository: Repository) -> None:
    """It ends once and comes back; then it ends for good; then it is mended. Its deployment stays what it was."""
    deployment = client.deployed(application)
    host = client.hostname(deployment)
    settled(deck, client, application, deployment)
    until(lambda: health(client, application)["overall"] == "healthy", lambda: health(client, application), SECONDS)

    _visit(client, host, "/die")
    until(lambda: answers(client, host), lambda: health(client, application), SECONDS)
    until(lambda: health(client, application)["overall"] == "degraded", lambda: health(client, application), SECONDS)
    runtime = health(client, application)["runtime"]
    assert (runtime["lifecycle"], runtime["reasonCode"]) == ("running", "runtime_restarted")
    # The edge may have asked a second time, of the one that came back.
    assert re.search("restarted (once|[2-9] times)", runtime["message"]), runtime

    _visit(client, host, "/die-for-good")
    until(lambda: health(client, application)["overall"] == "unhealthy", lambda: health(client, application), SECONDS)
    runtime = health(client, application)["runtime"]
    assert runtime["lifecycle"] in {"restarting", "exited"}
    assert runtime["reasonCode"] == f"runtime_{runtime['lifecycle']}"
    assert client.visit(host).status_code in {502, 503}
    assert client.status(deployment) == "succeeded"

    repository.release("2")
    second = client.succeeded(client.redeploy(application))
    settled(deck, client, application, second)
    assert client.visit(host).text == "dockerfile 2\n"
    until(lambda: health(client, application)["overall"] == "healthy", lambda: health(client, application), SECONDS)
    assert client.status(deployment) == "succeeded"


def finds_its_port_taken(deck: Deck, client: Client, application: Application) -> tuple[str, dict[str, Any]]:
    """It is stopped, a stranger listens on its port, it is started. Answers its host name and the end of the start."""
    deployment = client.deployed(application)
    host = client.hostname(deployment)
    settled(deck, client, application, deployment)
    port = int(runtime_of(deck, deployment)["host_port"])
    control(client, application, "stop")
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        assert client.visit(host).status_code == 503, "the stranger would hang"
        done = control(client, application, "start")
    return host, done


def control(client: Client, application: Application, operation: str) -> dict[str, Any]:
    """Ask for `stop`, `start` or `restart`; answers the attempt when it has ended."""
    client.post(f"/api/resources/{application.id}/runtime/{operation}", {"resourceId": application.id})

    def latest() -> dict[str, Any]:
        found: dict[str, Any] = health(client, application)["latestRuntimeControl"]
        return found

    until(lambda: latest()["status"] in {"succeeded", "failed"}, latest, SECONDS)
    return latest()


def runtime_of(deck: Deck, deployment: str) -> dict[str, Any]:
    found = rows(deck, f"SELECT runtime FROM deploy_deployments WHERE ref = '{deployment}'")[0][0]
    kept: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
    return kept


def _visit(client: Client, host: str, path: str) -> None:
    with contextlib.suppress(httpx.HTTPError):
        client.visit(host, path)


def answers(client: Client, host: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return client.visit(host).status_code == 200
    return False
