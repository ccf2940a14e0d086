"""The OpenAPI document of the deploy surface holds every field of the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contract.deploy_app import whole_surface
from contract.shapes import blanked, properties, resolver
from quarterdeck.kernel.http.openapi import document

CONTRACT = json.loads((Path(__file__).resolve().parents[2] / "contract" / "deploy.operations.json").read_text())
RESOLVE = resolver({"$defs": CONTRACT["$defs"]})


@pytest.fixture(scope="module")
def spec() -> dict:
    return document(whole_surface(), title="Quarterdeck", version="0")


def test_the_document_has_every_operation_parameter_and_field(spec) -> None:
    operations = {
        (method.upper(), blanked(path)): told for path, item in spec["paths"].items() for method, told in item.items()
    }
    own = resolver(spec)
    gaps = []
    for row in CONTRACT["operations"]:
        told = operations[row["method"], blanked("/api" + row["path"])]
        asked = {entry["name"] for entry in told.get("parameters", []) if entry["in"] == "query"}
        gaps += [f"{row['path']}: query {name}" for name in set(row["query"]) - asked]
        body = next(iter(told.get("requestBody", {}).get("content", {}).values()), {}).get("schema", {})
        success = told["responses"][str(row["successStatus"])]
        answer = next(iter(success.get("content", {}).values()), {}).get("schema", {})
        for wanted, have in ((row["body"], body), (row["response"], answer)):
            if wanted:
                gaps += [f"{row['path']}: {name}" for name in properties(wanted, RESOLVE) - properties(have, own)]
    assert gaps == []


def test_component_names_are_plain(spec) -> None:
    assert [name for name in spec["components"]["schemas"] if "." in name or "quarterdeck" in name] == []


def test_documented_errors_stand_in_the_document(spec) -> None:
    answers = spec["paths"]["/api/projects"]["post"]["responses"]
    assert answers["409"]["x-codes"] == ["conflict", "project_slug_conflict"]
