"""Selectors: which requests a policy is about (contract: broker §5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.text import one_line, several

PROD, NON_PROD = "prod", "non_prod"
OPERATIONS = ("read", "patch", "update", "rotate", "reveal")
PREFIX = "secret_ref_prefix"
EXACT = ("project_id", "environment", "environment_kind", "provider_type", "operation")
"""Keys whose value a request has to have as it is written, case and all."""
KEYS = frozenset({*EXACT, PREFIX})
CHOICES: Mapping[str, tuple[str, ...]] = {"environment_kind": (PROD, NON_PROD), "operation": OPERATIONS}
LONGEST: Mapping[str, int] = {PREFIX: 1000, "environment": 100, "provider_type": 40}


def checked(given: Mapping[str, Any]) -> dict[str, str]:
    """A selector as it may be written. One that could never match is refused, since whoever writes it means something
    else. Raises `Invalid` (`selector_key_unknown`, `selector_malformed`).
    """
    unknown = sorted(set(given) - KEYS)
    if unknown:
        raise Invalid(
            f"selector: unknown {'key' if len(unknown) == 1 else 'keys'} {several(unknown)}.",
            code="selector_key_unknown",
            hint=f"A selector has the keys {', '.join(sorted(KEYS))}.",
            field="selector",
        )
    return {key: _value(key, given[key]) for key in sorted(given)}


def never_matches(selector: Mapping[str, Any]) -> bool:
    """Whether no request can fit: a key that nobody knows, or a value that is no text or an empty one."""
    return any(key not in KEYS or not isinstance(value, str) or not value for key, value in selector.items())


def _value(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _malformed(key, "it is a text of one character or more, and left out where it does not matter")
    if key in CHOICES and value not in CHOICES[key]:
        raise _malformed(key, f"it is one of {', '.join(CHOICES[key])}")
    if one_line(value, f"selector.{key}", LONGEST.get(key, 200)) != value:
        raise _malformed(key, "it begins or ends with a space, which no request has")
    return value.lower() if key == "project_id" else value


def _malformed(key: str, why: str) -> Invalid:
    return Invalid(
        f"selector.{key}: {why}.",
        code="selector_malformed",
        hint="Leave the key out to match every request.",
        field=f"selector.{key}",
    )
