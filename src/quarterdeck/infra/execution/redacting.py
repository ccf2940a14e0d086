"""What may be told of a plan's values: whatever terraform marks as sensitive is masked, wherever it shows up again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from quarterdeck.kernel.redaction import sensitive
from quarterdeck.kernel.vault import MASK

SHORTEST = 4
"""Characters of a sensitive value that is looked for elsewhere: shorter ones stand everywhere by chance."""
WITHIN = 8
"""Characters from which it is looked for within longer texts, too."""
UNKNOWN = "(known after apply)"
LARGEST_INTEGER = 2**53


def secrets_of(plan: dict[str, Any]) -> set[str]:
    """Every text that terraform marks as sensitive in its JSON of a plan: of variables, of outputs, of attributes."""
    found: set[str] = set()
    root = _at(plan, "configuration", "root_module")
    for name, declared in _at(root, "variables").items():
        if isinstance(declared, dict) and declared.get("sensitive") is True:
            found.update(_texts(_at(plan, "variables", name).get("value")))
    for outputs in (_at(plan, "planned_values", "outputs"), _at(plan, "prior_state", "values", "outputs")):
        for output in outputs.values():
            if isinstance(output, dict) and output.get("sensitive") is True:
                found.update(_texts(output.get("value")))
    for change in changes_of(plan):
        for side in ("before", "after"):
            found.update(_marked(change.get(side), change.get(f"{side}_sensitive")))
    return {text for text in found if len(text) >= SHORTEST}


def changes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The `change` objects of resources, of drift, and of outputs."""
    for key in ("resource_changes", "resource_drift"):
        listed = plan.get(key)
        for entry in listed if isinstance(listed, list) else ():
            change = _at(entry, "change")
            if change:
                yield change
    yield from (change for change in _at(plan, "output_changes").values() if isinstance(change, dict))


def masked(value: Any, marks: Any, secrets: set[str], name: str = "") -> Any:
    """The value without what is marked, what stands under the name of a secret, and what is known to be one."""
    if marks is True or (name and sensitive(name) and value not in (None, "")):
        return None if value is None else MASK
    if isinstance(value, dict):
        inner = marks if isinstance(marks, dict) else {}
        return {key: masked(item, inner.get(key), secrets, key) for key, item in value.items()}
    if isinstance(value, list):
        listed = marks if isinstance(marks, list) else []
        return [masked(item, listed[at] if at < len(listed) else None, secrets, name) for at, item in enumerate(value)]
    if isinstance(value, str):
        return _hidden(value, secrets)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_INTEGER:
        return str(value)
    return value


def _hidden(text: str, secrets: set[str]) -> str:
    if text in secrets:
        return MASK
    for secret in secrets:
        if len(secret) >= WITHIN and secret in text:
            text = text.replace(secret, MASK)
    return text


def _marked(value: Any, marks: Any) -> Iterator[str]:
    if marks is True:
        yield from _texts(value)
    elif isinstance(value, dict) and isinstance(marks, dict):
        for key, item in value.items():
            yield from _marked(item, marks.get(key))
    elif isinstance(value, list) and isinstance(marks, list):
        for item, mark in zip(value, marks, strict=False):
            yield from _marked(item, mark)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _at(value: Any, *path: str) -> dict[str, Any]:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
