"""The outputs of a module as they may be told."""

from __future__ import annotations

import json
from typing import Any

from quarterdeck.infra.execution.redacting import masked

MOST_BYTES = 64 << 10
LONGEST_NAME = 200
CLUSTER = ("cluster_name", "cluster_endpoint", "cluster_version", "argocd_url")
"""Outputs that say where the cluster of a specification is."""


def redacted(content: bytes, secrets: set[str]) -> dict[str, Any]:
    """`terraform output -json` as {name: value}; a sensitive output is `{"sensitive": true}`, one that is too long
    `{"truncated": true}`.
    """
    try:
        listed = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    told: dict[str, Any] = {}
    left = MOST_BYTES
    for name, output in (listed if isinstance(listed, dict) else {}).items():
        if not isinstance(output, dict) or len(name) > LONGEST_NAME:
            continue
        if output.get("sensitive"):
            value: Any = {"sensitive": True}
        else:
            value = masked(output.get("value"), None, secrets, name)
        size = len(json.dumps(value)) + len(name)
        if size > left:
            value = {"truncated": True}
        else:
            left -= size
        told[name] = value
    return told


def cluster_of(outputs: dict[str, Any]) -> dict[str, str]:
    return {name: outputs[name] for name in CLUSTER if isinstance(outputs.get(name), str)}
