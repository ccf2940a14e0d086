"""A spec as a file that can be imported again: nested as JSON or YAML, or flat as YAML for older programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from quarterdeck.infra.specs import flat, versions
from quarterdeck.infra.specs.components import LISTS
from quarterdeck.infra.specs.document import SCHEMA, TOLD
from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel.db import Tx

Format = Literal["yaml", "json", "legacy-yaml"]
ENDINGS = {"yaml": "yaml", "json": "json", "legacy-yaml": "legacy.yaml"}
LEGACY_LEFT_OUT = TOLD | {"version", "cluster_admin_list", "zone_name", "cloud_provider"}
"""What the flat form has twice, or only tells."""


@dataclass(frozen=True, slots=True)
class Exported:
    content: str
    filename: str
    format: Format


def export(tx: Tx, spec: Spec, form: Format, number: int | None = None) -> Exported:
    """The spec as it is now, or as it was in a version. A token of its module is never in it."""
    document = spec.document if number is None else versions.show(tx, spec, number).document
    (one,) = flat.around(tx, [spec])
    whole = ordered(
        {
            **document,
            "zone_id": one.zone,
            "drift_minutes": spec.drift_minutes,
            "drift_cloud_identity_id": one.drift_identity,
        },
        SCHEMA,
    )
    if form == "legacy-yaml":
        whole = _legacy(flat.flat(one, document), whole)
    content = (
        json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
        if form == "json"
        else yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120)
    )
    name = f"{whole['project_name']}-{whole['environment_stage']}"
    return Exported(content, f"{name}.{ENDINGS[form]}", form)


def ordered(value: Any, schema: Mapping[str, Any]) -> Any:
    """The same value with its fields in the order of the documentation, which no database keeps."""
    if isinstance(value, list):
        return [ordered(one, schema.get("items", {})) for one in value]
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    names = [*(name for name in known if name in value), *sorted(name for name in value if name not in known)]
    return {name: ordered(value[name], known.get(name, {})) for name in names}


def _legacy(columns: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Flat keys first, then what these cannot say."""
    told = {name: value for name, value in columns.items() if name not in LEGACY_LEFT_OUT}
    network, module = whole["network"], whole["module"]
    rest = {
        "network": {name: network[name] for name in ("allowed_cidr_blocks", "provider_config")},
        **{name: whole[name] for name in LISTS},
        "module": module,
        "variables": whole["variables"],
        "cloud_identity_id": whole["cloud_identity_id"],
        "drift_minutes": whole["drift_minutes"],
        "drift_cloud_identity_id": whole["drift_cloud_identity_id"],
    }
    return {**told, **rest}
