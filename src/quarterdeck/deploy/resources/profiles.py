"""Profiles of a resource: source, runtime, network, access, health; checked and with their defaults filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from quarterdeck.deploy.resources import build_places, deploy_keys
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.sources.documents import checked, fingerprint
from quarterdeck.deploy.sources.folders import Folders
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid

SECTIONS = ("source", "runtime", "network", "access", "health")
"""The parts of a resource's profile, each changed for itself."""
HEALTH = {
    "enabled": True,
    "type": "http",
    "intervalSeconds": 5,
    "timeoutSeconds": 5,
    "retries": 10,
    "startPeriodSeconds": 5,
}
HEALTH_HTTP = {"method": "GET", "scheme": "http", "host": "localhost", "path": "/", "expectedStatusCode": 200}
RELATIVE = ("publishDirectory", "dockerfilePath", "dockerComposeFilePath")
RUNTIME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")
ORCHESTRATOR = (
    "kubernetesNamespace",
    "helmChart",
    "swarmService",
    "replicas",
    "nodeSelector",
    "ingressClass",
    "providerOptions",
)


@dataclass(frozen=True, slots=True)
class Given:
    """Profiles as a caller gave them; None is not given."""

    source: dict[str, Any] | None = None
    runtime: dict[str, Any] | None = None
    network: dict[str, Any] | None = None
    access: dict[str, Any] | None = None
    health: dict[str, Any] | None = None


def apply(tx: Tx, resource: Resource, given: Given) -> None:
    """Check what is given, whole, then set it. Raises `Invalid`; nothing is set then. A token that came inside an
    address is sealed apart from it.
    """
    source, credential = checked(given.source) if given.source is not None else (None, None)
    if source is not None and source != resource.source:
        tx.part(Folders).admit(tx, source)
        deploy_keys.admit(tx, source)
        build_places.admit(tx, source)
    runtime = _runtime(given.runtime) if given.runtime is not None else None
    health = _health(given.health) if given.health is not None else None
    if runtime is not None and "healthCheck" in runtime:
        health = _health(runtime.pop("healthCheck"))
    network = _network(given.network) if given.network is not None else None
    access = _access(given.access) if given.access is not None else None
    kind = (source or resource.source or {}).get("kind")
    strategy = (runtime or resource.runtime or {}).get("strategy")
    if kind == "docker-image" and strategy not in {None, "auto", "prebuilt-image"}:
        raise Invalid(
            "An image source runs with the strategy prebuilt-image.",
            hint="Set strategy to prebuilt-image.",
            field="strategy",
        )
    if source is not None:
        resource.source, resource.source_fingerprint = source, fingerprint(source)
        resource.source_credential = (
            tx.vault.seal(Resource.__tablename__, resource.uid, "source_credential", credential) if credential else None
        )
    if runtime is not None:
        resource.runtime = runtime
    if network is not None:
        resource.network = network
    if access is not None:
        resource.access = access
    if health is not None:
        set_health(resource, health)


def set_health(resource: Resource, policy: dict[str, Any]) -> None:
    if resource.runtime is None:
        resource.runtime = {"strategy": "auto"}
    resource.health = policy


def relative_path(value: str, field: str) -> str:
    """A path inside the source tree. A leading slash means its root, as the contract's defaults write it."""
    trimmed = value.strip().lstrip("/")
    parts = trimmed.split("/")
    if ".." in parts or "\\" in trimmed or "://" in value or any(ord(c) < 32 for c in value) or len(value) > 500:
        raise Invalid(f"{field} must be a path inside the source.", hint="Give it relative, without '..'.", field=field)
    return trimmed or "."


def _runtime(given: dict[str, Any]) -> dict[str, Any]:
    for key in ORCHESTRATOR:
        if given.get(key) is not None:
            raise Invalid(f"{key} belongs to an orchestrator and is not taken.", hint="Leave it out.", field=key)
    profile = {key: value for key, value in given.items() if value is not None and key not in ORCHESTRATOR}
    profile.setdefault("strategy", "auto")
    for key in RELATIVE:
        if key in profile:
            profile[key] = relative_path(profile[key], key)
    for key in ("installCommand", "buildCommand", "startCommand"):
        if key in profile and (len(profile[key]) > 4000 or "\x00" in profile[key]):
            raise Invalid(f"{key} is too long.", hint="Put it into a script of the repository.", field=key)
    if "runtimeName" in profile and not RUNTIME_NAME.fullmatch(profile["runtimeName"]):
        raise Invalid("runtimeName has letters, digits, dot, dash and underscore.", field="runtimeName")
    if profile["strategy"] == "static" and "publishDirectory" not in profile:
        raise Invalid(
            "The strategy static needs publishDirectory.",
            hint="Name the directory to publish, such as dist.",
            field="publishDirectory",
        )
    return profile


def _health(given: dict[str, Any]) -> dict[str, Any]:
    policy = {**HEALTH, **{key: value for key, value in given.items() if value is not None}}
    if policy["type"] != "http":
        raise Invalid("Only http health checks can be configured.", field="healthCheck.type")
    policy["http"] = {
        **HEALTH_HTTP,
        **{key: value for key, value in (given.get("http") or {}).items() if value is not None},
    }
    path = policy["http"]["path"]
    if not path.startswith("/") or any(ord(c) < 33 for c in path) or len(path) > 1000:
        raise Invalid("A health path starts with / and has no spaces.", field="healthCheck.http.path")
    if not re.fullmatch(r"[A-Za-z0-9.:_\[\]-]{1,253}", policy["http"]["host"]):
        raise Invalid("The health host is no host name.", field="healthCheck.http.host")
    for key, most in (
        ("intervalSeconds", 300),
        ("timeoutSeconds", 300),
        ("retries", 1000),
        ("startPeriodSeconds", 3600),
    ):
        if policy[key] > most:
            raise Invalid(f"{key} is at most {most}.", field=f"healthCheck.{key}")
    return policy


PORTS = {"internalPort": "The port that it listens on", "hostPort": "The port of the host"}


def _network(given: dict[str, Any]) -> dict[str, Any]:
    profile = {
        "upstreamProtocol": "http",
        "exposureMode": "reverse-proxy",
        **{k: v for k, v in given.items() if v is not None},
    }
    for key, what in PORTS.items():
        if key in profile and not 1 <= profile[key] <= 65535:
            raise Invalid(f"{what} is a number from 1 to 65535, not {profile[key]}.", field=key)
    if "hostPort" in profile and profile["exposureMode"] != "direct-port":
        raise Invalid(
            "A port of the host goes with the exposure direct-port only.", hint="Leave it out.", field="hostPort"
        )
    return profile


def _access(given: dict[str, Any]) -> dict[str, Any]:
    profile = {
        "generatedAccessMode": given.get("generatedAccessMode") or "inherit",
        "pathPrefix": given.get("pathPrefix") or "/",
    }
    if not re.fullmatch(r"/[A-Za-z0-9._~/-]{0,200}", profile["pathPrefix"]) or ".." in profile["pathPrefix"]:
        raise Invalid("A path prefix starts with / and has plain path characters.", field="accessProfile.pathPrefix")
    return profile


def configure(tx: Tx, ref: str, given: Given, *, version: int | None = None) -> Resource:
    """Change profiles of an active resource. `version` is the one a form was made from; another one is a conflict."""
    from quarterdeck.deploy.resources import resources

    resource = resources.locked(tx, ref)
    resources.check_active(resource)
    if version is not None and version != resource.version:
        raise Conflict(
            f"The settings of {resource.name} have changed since this form was made.",
            code="resource_version_conflict",
            hint="Look at the new settings, then change them again.",
            version=resource.version,
        )
    apply(tx, resource, given)
    resource.version += 1
    changed = [name for name in SECTIONS if getattr(given, name) is not None]
    resources.note(
        tx,
        resource,
        resources.ResourceAction.CONFIGURED,
        f"resource-{changed[0] if changed else 'profile'}-configured",
        {"profiles": changed},
    )
    return resource


def reset_health(tx: Tx, ref: str) -> Resource:
    """Remove the health policy."""
    from quarterdeck.deploy.resources import resources

    resource = resources.locked(tx, ref)
    resources.check_active(resource)
    if resource.health is not None:
        resource.health = None
        resource.version += 1
        resources.note(
            tx, resource, resources.ResourceAction.CONFIGURED, "resource-health-reset", {"profiles": ["health"]}
        )
    return resource
