"""What an apply told of what it made, kept with the spec: bounded, and without anything that is sensitive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.infra.execution.outputs import CLUSTER
from quarterdeck.infra.specs import standings
from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.redaction import sensitive
from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.text import shown

HIDDEN = {"sensitive": True}
MOST, LARGEST, LONGEST = 500, 256 << 10, 4096
"""Outputs, bytes of all of them, characters of one text of the cluster."""
KNOWN = {
    "cluster": {"eks_cluster_arn": "arn", "gke_cluster_id": "arn", "aks_cluster_id": "arn"},
    "databases": {
        "rds_cluster_endpoint": "endpoint",
        "rds_cluster_reader_endpoint": "reader_endpoint",
        "rds_cluster_identifier": "identifier",
        "rds_cluster_arn": "arn",
    },
    "caches": {"redis_primary_endpoint_address": "endpoint", "redis_reader_endpoint_address": "reader_endpoint"},
}
"""Outputs whose meaning is known, and the components that they are about; a list's are about its first entry."""


def keep(
    tx: Tx, spec: Spec, document: Mapping[str, Any], outputs: Mapping[str, Any], cluster: Mapping[str, Any]
) -> None:
    """Keep outputs (name to value, or to Terraform's `{value, type, sensitive}`) and facts of the cluster, and mark the
    components of the document that was applied `ACTIVE`; the specification's own may be another one by now.
    """
    told = redacted(outputs)
    components = standings.of(document, standings.ACTIVE)
    for section, names in KNOWN.items():
        facts = {own: told[name] for name, own in names.items() if isinstance(told.get(name), str)}
        place = components.get(section)
        if facts and place:
            (place if section == "cluster" else next(iter(place.values()))).update(facts)
    facts = {name: told.get(name, cluster.get(name)) for name in CLUSTER}
    said = {name: shown(value, LONGEST) for name, value in facts.items() if isinstance(value, str) and value}
    if said:
        components.setdefault("cluster", {"status": "ACTIVE"}).update(said)
    spec.outputs, spec.components = told, components
    tx.flush()


def redacted(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name: what is marked sensitive, or goes under the name of a secret, only says that it is there."""
    found: dict[str, Any] = {}
    size = 0
    for name, value in list(outputs.items())[:MOST]:
        plain, hidden = _value(value)
        kept = HIDDEN if hidden or sensitive(str(name)) else storable(_without_secrets(plain))
        size += len(msgspec.json.encode(kept)) + len(str(name))
        if size > LARGEST:
            break
        found[storable(str(name))[:200]] = kept
    return found


def _value(value: Any) -> tuple[Any, bool]:
    if isinstance(value, Mapping) and "sensitive" in value and value.keys() <= {"value", "type", "sensitive"}:
        return value.get("value"), value["sensitive"] is not False
    return value, False


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if sensitive(str(name)) and one not in (None, "") else _without_secrets(one)
            for name, one in value.items()
        }
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value
