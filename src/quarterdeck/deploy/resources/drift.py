"""Where a resource has moved on since its newest deployment was admitted: fields of its profiles, and variables."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from quarterdeck.deploy.deployments.admission import reaching_variables, snapshot_variables
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.profiles import SECTIONS
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import MASK
from quarterdeck.workspace import variables

COMPARISON = "resource-vs-latest-snapshot"
MOST = 200
KINDS = frozenset({"deployment-strategy", "plain-config", "provider-specific", "secret"})
MISSING: dict[str, Any] = {"state": "missing"}


def drift(tx: Tx, resource: Resource, latest: Deployment | None) -> list[dict[str, Any]]:
    """One diagnostic for each field and each variable that is not what the newest deployment was admitted with.

    Secret values are compared, and never shown, not even as a hash.
    """
    if latest is None:
        return []
    found: list[dict[str, Any]] = []
    for section in SECTIONS:
        found += _profile(resource, latest, section)
    found += _configuration(tx, resource, latest)
    return found[:MOST]


def _profile(resource: Resource, latest: Deployment, section: str) -> list[dict[str, Any]]:
    present = getattr(resource, section)
    if section == "runtime":
        present = present or {"strategy": "auto"}
    before = latest.snapshot.get(section)
    if (present is None) != (before is None):
        # A profile that came or went is one change, however many fields it has.
        sides = ({"state": "present"}, MISSING) if before is None else (MISSING, {"state": "present"})
        return [_diagnostic(latest, section, None, *sides)]
    now, then = flat(present), flat(before)
    return [
        _diagnostic(latest, section, path, shown(now, path), shown(then, path))
        for path in sorted(now.keys() | then.keys())
        if now.get(path) != then.get(path) or (path in now) != (path in then)
    ]


def _diagnostic(
    latest: Deployment, section: str, path: str | None, now: dict[str, Any], then: dict[str, Any]
) -> dict[str, Any]:
    where = f"{section}.{path}" if path else section
    return {
        "code": f"resource_{section}_profile_drift",
        "severity": "info",
        "message": f"{where if path else f'The {section} profile'} has changed since {latest.ref}: deploy to use it.",
        "path": where,
        "section": section,
        **({"fieldPath": path} if path else {}),
        "comparison": COMPARISON,
        "resourceValue": now,
        "deploymentSnapshotValue": then,
        "latestDeploymentId": latest.ref,
        "blocksDeploymentAdmission": False,
        "suggestedCommand": f"resources.configure-{section}",
    }


def flat(profile: dict[str, Any] | None, before: str = "") -> dict[str, Any]:
    """A profile as its fields, the inner ones named `outer.inner`."""
    fields: dict[str, Any] = {}
    for name, value in (profile or {}).items():
        if isinstance(value, dict):
            fields |= flat(value, f"{before}{name}.")
        else:
            fields[f"{before}{name}"] = value
    return fields


def shown(fields: dict[str, Any], path: str) -> dict[str, Any]:
    """A value as a diagnostic gives it: itself where it is one word or number, and a hash that tells it from others."""
    if path not in fields:
        return MISSING
    value = fields[path]
    told: dict[str, Any] = {"state": "present", "valueHash": hashed(value)}
    if value is None or isinstance(value, str | int | float | bool):
        told["displayValue"] = value
    return told


def hashed(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]


def _configuration(tx: Tx, resource: Resource, latest: Deployment) -> list[dict[str, Any]]:
    now = {
        (row.key, row.exposure): (variables.reveal(tx, row).reveal(), row.is_secret, row.kind, row.scope)
        for row in reaching_variables(tx, resource)
    }
    then = {
        (value["key"], value["exposure"]): (value["value"], value["secret"], value["kind"], value["scope"])
        for value in snapshot_variables(tx, latest)
    }
    found = []
    for key, exposure in sorted(now.keys() | then.keys()):
        here, there = now.get((key, exposure)), then.get((key, exposure))
        if here is not None and there is not None and here[:2] == there[:2]:
            continue
        _, _, kind, scope = here or there or ("", False, "plain-config", "resource")
        word = "was removed" if here is None else "was added" if there is None else "has changed"
        found.append(
            {
                "code": "resource_configuration_drift",
                "severity": "info",
                "message": f"The {exposure} variable {key} {word} since {latest.ref}: deploy to use it.",
                "path": f"variables.{exposure}.{key}",
                "section": "configuration",
                "fieldPath": f"{exposure}.{key}",
                "configKey": key,
                "configExposure": exposure,
                "configKind": kind if kind in KINDS else "plain-config",
                "configScope": scope,
                "configSource": "deployment-snapshot" if here is None else "resource",
                "configPointer": f"/variables/{exposure}/{key}",
                "comparison": COMPARISON,
                "resourceValue": _told(here),
                "deploymentSnapshotValue": _told(there),
                "latestDeploymentId": latest.ref,
                "blocksDeploymentAdmission": False,
                "suggestedCommand": "resources.unset-variable" if there is None else "resources.set-variable",
            }
        )
    return found


def _told(value: tuple[str, bool, str, str] | None) -> dict[str, Any]:
    if value is None:
        return MISSING
    text, secret = value[:2]
    if secret:
        return {"state": "masked", "displayValue": MASK}
    return {"state": "present", "displayValue": text, "valueHash": hashed(text)}
