"""Every field of the deploy contract has its place in a wire struct, and what the structs write is documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from contract.shapes import example, properties, resolver
from quarterdeck.surfaces.deploy.contract import every_operation, operation_named

CONTRACT = json.loads((Path(__file__).resolve().parents[2] / "contract" / "deploy.operations.json").read_text())
ROWS = {row["operationKey"] + ("/stream" if row["stream"] else ""): row for row in CONTRACT["operations"]}
RESOLVE = resolver({"$defs": CONTRACT["$defs"]})
PARTS = [
    pytest.param(key, part, id=f"{key} {part}")
    for key, row in ROWS.items()
    for part in ("body", "response")
    if row[part] and row[part].get("type") != "null"
]


def own_schema(kind: Any) -> dict[str, Any]:
    return msgspec.json.schema(kind)


def test_every_documented_operation_is_listed_once() -> None:
    listed = [(row.method, row.path) for row in every_operation()]
    assert sorted(listed) == sorted((row["method"], "/api" + row["path"]) for row in CONTRACT["operations"])
    assert len(set(listed)) == 250


@pytest.mark.parametrize(("key", "part"), PARTS)
def test_every_property_of_the_contract_is_in_the_struct(key: str, part: str) -> None:
    schema = own_schema(operation_named(key).type(part))
    lost = properties(ROWS[key][part], RESOLVE) - properties(schema, resolver(schema))
    assert lost == set()


@pytest.mark.parametrize("key", [key for key, row in ROWS.items() if row["query"]])
def test_every_query_parameter_is_in_the_struct(key: str) -> None:
    fields = {entry.encode_name for entry in msgspec.structs.fields(operation_named(key).type("query"))}
    assert fields == set(ROWS[key]["query"])


@pytest.mark.parametrize("full", [True, False], ids=["every field", "required fields"])
@pytest.mark.parametrize(("key", "part"), PARTS)
def test_what_a_struct_reads_and_writes_is_documented(key: str, part: str, *, full: bool) -> None:
    documented = {**ROWS[key][part], "$defs": CONTRACT["$defs"]}
    given = example(ROWS[key][part], RESOLVE, full=full)
    validator = jsonschema.Draft202012Validator(documented)
    validator.validate(given)
    written = msgspec.to_builtins(msgspec.convert(given, operation_named(key).type(part)))
    validator.validate(written)
    if full:
        kept = properties(documented, RESOLVE) if not isinstance(given, dict) else set(given)
        assert not isinstance(written, dict) or kept <= set(written)


@pytest.mark.parametrize(("key", "part"), PARTS)
def test_a_missing_required_field_is_refused(key: str, part: str) -> None:
    row = RESOLVE(ROWS[key][part])
    given = example(row, RESOLVE, full=True)
    if part != "body" or not isinstance(given, dict):
        return
    kind = operation_named(key).type(part)
    for name in row.get("required", ()):
        child = RESOLVE(row["properties"][name])
        if "default" in child or "const" in child:
            continue
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert({other: value for other, value in given.items() if other != name}, kind)
