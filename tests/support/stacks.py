"""A Compose stack to deploy on a yard: a page, a store with a volume, a worker, and a job that has to end first."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.execution.order import DeploymentOrder
from support.yard import Yard, folder, secret

COMPOSE = """
services:
  web:
    build: .
    init: true
    ports: ["8080:8080"]
    environment:
      TEXT: ${TEXT}
    depends_on:
      store: {condition: service_healthy}
      prepare: {condition: service_completed_successfully}
  prepare:
    image: busybox
    command: ["sh", "-c", "test -n \\"$$WORD\\" && echo prepared"]
    environment: {WORD: "VERSION"}
    depends_on: {store: {condition: service_healthy}}
  store:
    image: busybox
    command: sh -c "echo $$(cat /data/starts 2>/dev/null)x > /data/starts; exec httpd -f -p 5432 -h /data"
    environment: {GENERATION: "STORE"}
    volumes: [data:/data]
    healthcheck: {test: "wget -qO- http://127.0.0.1:5432/starts", interval: 1s, timeout: 2s, retries: 5}
    stop_grace_period: 0s
  worker:
    build: {context: ., dockerfile: worker.Dockerfile}
    command: sh /loop
    volumes: ["./words:/etc/words:ro"]
    init: true
volumes:
  data:
"""
DOCKERFILE = """FROM busybox
COPY page /page
CMD mkdir -p /www && (cat /page; echo "$TEXT"; wget -qO- http://store:5432/starts) | tr '\\n' ' ' > /www/index.html \\
  && exec httpd -f -p 8080 -h /www
"""


WORKER = {
    "words": "kept\n",
    "worker__Dockerfile": "FROM busybox\nCOPY loop /loop\n",
    "loop": "while sleep 0.2; do wget -qO- http://store:5432/starts; done\n",
}


def stack(yard: Yard, text: str, *, store: str = "1", compose: str = COMPOSE, **more: Any) -> DeploymentOrder:
    """An attempt whose page says `text`; another `store` is another definition of the service with the volume."""
    files = {"compose__yml": compose.replace("STORE", store), "Dockerfile": DOCKERFILE, "page": f"{text}\n", **WORKER}
    return yard.order(
        folder(yard.root, f"stack-{text}-{store}", **files),
        resource_kind="compose-stack",
        variables=[secret("TEXT", "hidden")],
        **more,
    )


async def alive(yard: Yard) -> dict[str, list[tuple[str, str, str]]]:
    return {name: [one for one in found if one[2] == "running"] for name, found in (await yard.services()).items()}
