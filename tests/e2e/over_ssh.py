"""A server behind SSH, and what a person does with it, for tests."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from e2e.client import Application, Client, Refused
from e2e.engine import View
from e2e.truth import rows
from real.host import Machine
from real.sshd import new_key

SERVER = (
    "FROM busybox:latest\nRUN mkdir /www && echo VERSION > /www/index.html\n"
    "CMD trap 'exit 0' TERM; echo version VERSION starts; httpd -f -p 3000 -h /www & wait\n"
)
HEALTH = {"enabled": True, "type": "http", "intervalSeconds": 1, "timeoutSeconds": 5, "retries": 3,
          "startPeriodSeconds": 1, "http": {"method": "GET", "scheme": "http", "host": "localhost", "path": "/",
                                            "expectedStatusCode": 200}}  # fmt: skip


def dockerfile(version: str) -> dict[str, str]:
    return {"Dockerfile": SERVER.replace("VERSION", version)}


def key_pair() -> tuple[str, str]:
    """A private key, and its public line."""
    with tempfile.TemporaryDirectory() as made:
        public = new_key(Path(made) / "key")
        return (Path(made) / "key").read_text(), public


def register(client: Client, machine: Machine, private_key: str) -> str:
    """Make the machine known, with a stored credential."""
    body = {"name": f"There {machine.number}", "host": machine.address, "port": 22, "providerKey": "generic-ssh"}
    server = str(client.post("/api/servers", {**body, "proxyKind": "caddy"})["id"])
    kept = {
        "name": f"Key {server}", "kind": "ssh-private-key", "privateKey": private_key, "username": machine.username
    }  # fmt: skip
    credential = client.post("/api/credentials/ssh", kept)["id"]
    way = {"kind": "stored-ssh-private-key", "credentialId": credential}
    client.post(f"/api/servers/{server}/credentials", {"credential": way})
    return server


def application(client: Client, server: str, name: str, source: dict[str, Any], **more: Any) -> Application:
    made = client.application(name, source, **more)
    made.server = server
    return made


def visit(client: Client, machine: Machine, deployment: str, path: str = "/") -> httpx.Response:
    """A request as the public makes it, over the network to that machine's edge."""
    headers = {"Host": client.hostname(deployment)}
    return httpx.get(f"http://{machine.address}{path}", headers=headers, timeout=15, trust_env=False)


def running(machine: Machine, application: Application) -> list[str]:
    """Deployments of the application that have a running container there."""
    with View(machine.docker_host) as engine:
        return sorted(
            row["Labels"]["quarterdeck.deployment"]
            for row in engine.containers(application.id)
            if row["State"] == "running"
        )


def eventually(look: Any, wanted: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while (found := look()) != wanted:
        assert time.monotonic() < deadline, (found, wanted)
        time.sleep(0.1)


def lifecycle(client: Client, app: Application) -> str:
    return str(client.get(f"/api/resources/{app.id}/health")["runtime"]["lifecycle"])


def written(client: Client, app: Application) -> str:
    lines = client.get(f"/api/resources/{app.id}/runtime-logs", tailLines=50)["logs"]
    return "\n".join(line["message"] for line in lines)


def answer(client: Client, there: Machine, deployment: str) -> tuple[int, str]:
    try:
        found = visit(client, there, deployment)
    except httpx.HTTPError:
        return 0, ""
    return found.status_code, found.text


def begun(client: Client, deployment: str, phase: str) -> bool:
    found = rows(
        client.deck,
        "SELECT p.status FROM deploy_phases p JOIN deploy_deployments d ON d.id = p.deployment_id "
        f"WHERE d.ref = '{deployment}' AND p.phase = '{phase}'",
    )
    return bool(found)


def put_away(client: Client, server: str) -> None:
    """Stop and archive whatever is placed on the server."""
    for one in placed(client, server):
        with contextlib.suppress(Refused):  # it was stopped before
            client.post(f"/api/resources/{one}/runtime/stop", {"resourceId": one})
        client.post(f"/api/resources/{one}/archive", {"resourceId": one})
    eventually(lambda: placed(client, server), [], 60)


def placed(client: Client, server: str) -> list[str]:
    """Resources that something of serves on the server, or would if it were started."""
    query = (
        "SELECT r.ref FROM deploy_resources r JOIN deploy_deployments d ON d.id = r.serving_id "
        f"JOIN fleet_servers s ON s.id = d.server_id WHERE s.ref = '{server}' AND r.lifecycle <> 'deleted'"
    )
    return [str(row[0]) for row in rows(client.deck, query)]
