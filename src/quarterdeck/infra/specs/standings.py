"""How the components of a specification stand (contract: infra §4.2), by what its applies and destructions do.

Only those of the document that a job works from are told of: what was declared since, nobody has made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel.db import Tx

CREATING, ACTIVE, UPDATING, FAILED = "CREATING", "ACTIVE", "UPDATING", "FAILED"
DESTROYING, DESTROYED = "DESTROYING", "DESTROYED"
UNDER_WAY = {CREATING: None, UPDATING: ACTIVE, DESTROYING: ACTIVE}
"""What is being done with a component, and where it stands when that was given up before it began."""
SINGLE = frozenset({"network", "cluster", "dns"})
Told = dict[str, Any]


def of(document: Mapping[str, Any], status: str) -> Told:
    """Every component of a document in that status; entries of lists by their names."""
    ours = document.get("module", {}).get("kind") == "bundled"
    found: Told = {name: {"status": status} for name in ("network", "cluster") if ours}
    if document.get("dns", {}).get("enabled"):
        found["dns"] = {"status": status}
    for name, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict) and "name" in value[0]:
            found[name] = {one["name"]: {"status": status} for one in value}
    return found


def began(tx: Tx, spec: Spec, document: Mapping[str, Any]) -> None:
    """An apply works on them: what stood is updated, and keeps its facts; the rest is created."""
    before = spec.components

    def known(name: str, entry: str | None) -> Told:
        found = before.get(name, {})
        return dict(found if entry is None else found.get(entry, {}))

    def status(one: Told) -> Told:
        stood = one.get("status") in {ACTIVE, UPDATING, FAILED}
        return {**one, "status": UPDATING if stood else CREATING}

    spec.components = _each(of(document, CREATING), lambda name, entry, _: status(known(name, entry)))
    tx.flush()


def leaving(tx: Tx, spec: Spec) -> None:
    """A destruction works on them."""
    spec.components = _each(spec.components, lambda _, __, one: {**one, "status": DESTROYING})
    tx.flush()


def gone(tx: Tx, spec: Spec) -> None:
    """They are destroyed; of what they were nothing is told any more."""
    spec.components = _each(spec.components, lambda _, __, ___: {"status": DESTROYED})
    tx.flush()


def failed(tx: Tx, spec: Spec) -> None:
    """What was being done did not end well."""
    spec.components = _each(
        spec.components, lambda _, __, one: {**one, "status": FAILED} if one.get("status") in UNDER_WAY else one
    )
    tx.flush()


def given_up(tx: Tx, spec: Spec) -> None:
    """What was being done changed nothing."""
    spec.components = _each(spec.components, lambda _, __, one: _back(one))
    tx.flush()


def _back(one: Told) -> Told | None:
    if one.get("status") not in UNDER_WAY:
        return one
    status = UNDER_WAY[one["status"]]
    return None if status is None else {**one, "status": status}


def _each(components: Mapping[str, Any], change: Callable[[str, str | None, Told], Told | None]) -> Told:
    found: Told = {}
    for name, one in components.items():
        if name in SINGLE:
            told = change(name, None, one)
        else:
            entries = {entry: change(name, entry, value) for entry, value in one.items()}
            told = {entry: value for entry, value in entries.items() if value is not None}
        if told:
            found[name] = told
    return found
