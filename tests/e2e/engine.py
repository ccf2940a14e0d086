"""What a test sees of a Docker engine, asked over its socket and not through the product."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

import httpx


class View:
    """A look at one engine: containers, images and events of resources."""

    def __init__(self, host: str) -> None:
        transport = httpx.HTTPTransport(uds=host.removeprefix("unix://"))
        self._client = httpx.Client(transport=transport, base_url="http://docker", timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def _get(self, path: str, **params: str) -> Any:
        answer = self._client.get(path, params=params)
        answer.raise_for_status()
        return answer.json()

    def containers(self, resource: str) -> list[dict[str, Any]]:
        """Every container of a resource, running or not."""
        found: list[dict[str, Any]] = self._get("/containers/json", all="true", filters=_label("resource", resource))
        return found

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = self._get(f"/containers/{container}/json")
        return found

    def memory(self, container: str) -> tuple[int, int]:
        """What a container may take, and what the engine's host has."""
        limit = self.inspect(container)["HostConfig"]["Memory"]
        return int(limit), int(self._get("/info")["MemTotal"])

    def images(self, resource: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("/images/json", filters=_label("resource", resource))
        return found

    def events(self, resource: str, since: float, until: float) -> list[dict[str, Any]]:
        """Container events of a resource between two instants (seconds since the epoch)."""
        asked = {"since": f"{since:.9f}", "until": f"{until:.9f}", "filters": _label("resource", resource)}
        answer = self._client.get("/events", params=asked)
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines() if json.loads(line)["Type"] == "container"]

    def remove(self, container: str) -> None:
        self._client.delete(f"/containers/{container}", params={"force": "true"}).raise_for_status()

    def twin(self, container: str, name: str, **labels: str) -> str:
        """Another container like one that is there, started, with some other labels."""
        found = self.inspect(container)
        body = {
            "Image": found["Image"],
            "Cmd": found["Config"]["Cmd"],
            "Labels": {**found["Config"]["Labels"], **{f"quarterdeck.{key}": value for key, value in labels.items()}},
            "HostConfig": {"Mounts": found["HostConfig"].get("Mounts") or []},
        }
        made = self._client.post("/containers/create", params={"name": name}, json=body).raise_for_status().json()
        self._client.post(f"/containers/{made['Id']}/start").raise_for_status()
        return str(made["Id"])

    def all(self) -> list[dict[str, Any]]:
        """Every container, running or not."""
        found: list[dict[str, Any]] = self._get("/containers/json", all="true")
        return found

    def networks(self) -> set[str]:
        return {str(one["Name"]) for one in self._get("/networks")}

    def network(self, name: str, **labels: str) -> None:
        """Make a network with labels as ours are."""
        body = {"Name": name, "Labels": {f"quarterdeck.{key}": value for key, value in labels.items()}}
        self._client.post("/networks/create", json=body).raise_for_status()

    def clear(self, resources: list[str]) -> None:
        """Remove whatever these resources have in the engine."""
        for resource in resources:
            for container in self.containers(resource):
                self._client.delete(f"/containers/{container['Id']}", params={"force": "true", "v": "true"})
            for volume in self._get("/volumes", filters=_label("resource", resource))["Volumes"] or []:
                self._client.delete(f"/volumes/{volume['Name']}")
            for image in self.images(resource):
                self._client.delete(f"/images/{image['Id']}", params={"force": "true"})
        # The engine has room for few networks; it keeps those that somebody is joined to.
        self._client.post("/networks/prune", params={"filters": _label("managed", "true")})


def _label(name: str, value: str) -> str:
    return json.dumps({"label": [f"quarterdeck.{name}={value}"]})
