"""What a JSON schema can hold, as property paths: the measure of how far a surface follows its contract."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]


def blanked(path: str) -> str:
    """A path with its parameter names blanked: `/a/{b}/c` -> `/a/{}/c`."""
    return re.sub(r"{[^}]*}", "{}", path.rstrip("/") or "/")


def resolver(root: Schema) -> Callable[[Schema], Schema]:
    """Follows `$ref`s inside one document."""

    def resolve(node: Schema) -> Schema:
        while isinstance(node, dict) and "$ref" in node:
            target: Any = root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    return resolve


def properties(schema: Schema, resolve: Callable[[Schema], Schema], prefix: str = "", depth: int = 0) -> set[str]:
    """Every property path that a schema can produce (`items[].id`), through references, arrays and unions."""
    schema = resolve(schema)
    found: set[str] = set()
    if depth > 12 or not isinstance(schema, dict):
        return found
    for union in ("oneOf", "anyOf", "allOf"):
        for part in schema.get(union, []):
            found |= properties(part, resolve, prefix, depth + 1)
    for name, child in schema.get("properties", {}).items():
        found.add(prefix + name)
        found |= properties(child, resolve, f"{prefix}{name}.", depth + 1)
    if isinstance(schema.get("items"), dict):
        found |= properties(schema["items"], resolve, prefix.rstrip(".") + "[].", depth + 1)
    return found


def example(schema: Schema, resolve: Callable[[Schema], Schema], *, full: bool, depth: int = 0) -> Any:
    """A value that the schema allows: with every property when `full`, else with the required ones."""
    schema = resolve(schema)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for union in ("oneOf", "anyOf"):
        if union in schema:
            return example(schema[union][0], resolve, full=full, depth=depth + 1)
    match schema.get("type"):
        case "object":
            required = set(schema.get("required", ()))
            return {
                name: example(child, resolve, full=full, depth=depth + 1)
                for name, child in schema.get("properties", {}).items()
                if name in required or (full and depth < 10)
            }
        case "array":
            count = schema.get("minItems", 1 if full else 0)
            return [example(schema.get("items", {}), resolve, full=full, depth=depth + 1)] * count
        case "string":
            return _text(schema)
        case "integer" | "number":
            least = schema.get("minimum", 0)
            return max(least, schema["exclusiveMinimum"] + 1) if "exclusiveMinimum" in schema else least
        case "boolean":
            return True
        case _:
            return None


def _text(schema: Schema) -> str:
    known = {"date-time": "2026-01-01T00:00:00.000Z", "uri": "https://example.test/", "email": "a@example.test"}
    if schema.get("format") in known:
        return known[schema["format"]]
    if "pattern" in schema:
        for candidate in ("a", "1", "a" * 64, "0" * 64, "2026-01-01T00:00:00Z", "a-b"):
            if re.search(schema["pattern"], candidate):
                return candidate
    return "x" * max(1, schema.get("minLength", 1))
