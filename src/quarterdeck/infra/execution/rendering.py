"""A specification's snapshot as the variables of a module, and the backend that overrides whatever it declares."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarterdeck.infra.execution import failures
from quarterdeck.infra.execution.commands import BACKEND, OVERRIDE
from quarterdeck.infra.execution.orders import Cloud
from quarterdeck.kernel import trees

PLAIN = ("project_name", "environment_stage", "region")
SECTIONS = ("network", "cluster", "dns", "repositories")
LISTS = (
    "databases", "caches", "queues", "topics", "nosql_tables", "secrets", "container_registries", "storage_buckets",
)  # fmt: skip
RUNNER = (
    "worker_id", "worker_token", "worker_name", "image_tag", "region", "cloud_provider", "trellis_url", "cpu",
    "memory", "image_repository",
)  # fmt: skip
KEPT_BY_US = frozenset(
    {
        "id", "uid", "user_id", "spec_id", "status", "status_message", "estimated_monthly_cost", "outputs",
        "provider_outputs", "created_at", "updated_at", "endpoint", "reader_endpoint", "repository_url",
        "cluster_name", "cluster_endpoint", "argocd_url", "argocd_admin_password",
    }
)  # fmt: skip
"""What stands in a section and was not declared by anybody: it came of an apply, and shall not change a plan."""
OTHER_WORDS = {
    "ordered": "fifo", "partition_key": "hash_key", "partition_key_type": "hash_key_type", "sort_key": "range_key",
    "sort_key_type": "range_key_type", "capacity_mode": "billing_mode",
}  # fmt: skip
"""What other generations of specifications call a thing; a module may know either word."""
LONGEST_FILE = 1 << 20
_DECLARED = re.compile(r'^[ \t]*variable[ \t]+"?([A-Za-z_][A-Za-z0-9_-]*)"?[ \t]*\{', re.MULTILINE)
_OVERRIDES = re.compile(r"(.*_)?override\.(tf|tofu)(\.json)?", re.DOTALL)
_BACKEND = re.compile(r"\b(backend|cloud)\b")
_SOURCES = (".tf", ".tofu")
_JSON_SOURCES = (".tf.json", ".tofu.json")


def variables(snapshot: Mapping[str, Any], cloud: Cloud | None) -> dict[str, Any]:
    """The variables of every bundled template, and of a repository's module that declares them."""
    values: dict[str, Any] = {name: snapshot[name] for name in PLAIN if snapshot.get(name) is not None}
    values |= {name: _declared(snapshot[name]) for name in SECTIONS if isinstance(snapshot.get(name), dict)}
    values |= {
        name: [_declared(item) for item in snapshot[name] if isinstance(item, dict)]
        for name in LISTS
        if isinstance(snapshot.get(name), list)
    }
    if cloud is not None:
        account = cloud.account_id or cloud.project_id or cloud.subscription_id
        values["cloud_account_id"] = account
    return values


def own_variables(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """What a specification gives its module besides."""
    given = snapshot.get("variables")
    return dict(given) if isinstance(given, dict) else {}


def runner_variables(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a runner's own stack; `runner_*` names what `worker_*` does."""
    values = {name: snapshot[name] for name in RUNNER if snapshot.get(name) is not None}
    for name in ("id", "token", "name"):
        if snapshot.get(f"runner_{name}") is not None:
            values.setdefault(f"worker_{name}", snapshot[f"runner_{name}"])
    return values


def _declared(section: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in section.items() if key not in KEPT_BY_US and value is not None}
    return {name: given[other] for other, name in OTHER_WORDS.items() if other in given} | given


def declared_by(module: Path) -> set[str]:
    """The names of the variables that a module declares."""
    names: set[str] = set()
    for place in sorted(module.iterdir()):
        if place.name.endswith(_SOURCES):
            content = trees.beginning(place, LONGEST_FILE) or b""
            names.update(_DECLARED.findall(content.decode(errors="replace")))
        elif place.name.endswith(_JSON_SOURCES):
            names.update(_declared_in_json(trees.beginning(place, LONGEST_FILE) or b""))
    return names


def _declared_in_json(content: bytes) -> set[str]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return set()  # terraform says what is wrong with it
    found = document.get("variable") if isinstance(document, dict) else None
    blocks = found if isinstance(found, list) else [found]
    return {name for block in blocks if isinstance(block, dict) for name in block}


def for_module(module: Path, snapshot: Mapping[str, Any], cloud: Cloud | None) -> dict[str, Any]:
    """What a repository's module is given: of ours what it declares, and all that the specification gives."""
    declared = declared_by(module)
    ours = {name: value for name, value in variables(snapshot, cloud).items() if name in declared}
    return ours | own_variables(snapshot)


def has_sources(module: Path) -> bool:
    return any(place.name.endswith((*_SOURCES, *_JSON_SOURCES)) for place in module.iterdir())


def override_backend(module: Path) -> None:
    """Have the state where it belongs, whatever backend the module declares. Raises `Invalid`
    (`infra_backend_overridden`) when it would override ours, before anybody is given the credential of the state.
    """
    for name in (OVERRIDE, OVERRIDE.replace(".tf", ".tofu"), f"{OVERRIDE}.json", "errored.tfstate"):
        _clear(module / name)
    for place in module.iterdir():
        if _OVERRIDES.fullmatch(place.name) and _speaks_of_backend(place.name, trees.beginning(place, LONGEST_FILE)):
            raise failures.backend_overridden(place.name)
    write_new(module / OVERRIDE, BACKEND.encode())


def _speaks_of_backend(name: str, content: bytes | None) -> bool:
    """Whether an override file has anything about where state is; one that cannot be read may have."""
    if content is None or len(content) >= LONGEST_FILE:
        return True
    text = content.decode(errors="replace")
    if name.endswith(".json"):  # where a word may be written in escapes, and a key may stand twice
        try:
            text = json.dumps(json.loads(text, object_pairs_hook=list), ensure_ascii=False)
        except (ValueError, RecursionError):
            return True
    return _BACKEND.search(text) is not None


def write_new(path: Path, content: bytes) -> None:
    """Write a file (0600) in the place of whatever a module has under that name; no link is followed."""
    _clear(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - the descriptor carries the mode
        file.write(content)


def _clear(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        trees.remove(path)
