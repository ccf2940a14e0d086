"""The document says what the routes do."""

from __future__ import annotations

import json

import msgspec
import pytest

from kernel.http.frame import SURFACES, application
from quarterdeck.kernel.http.openapi import document


@pytest.fixture(scope="module")
def spec() -> dict:
    return document(application(), title="Test", version="1")


def test_the_document_is_the_same_every_time(spec) -> None:
    assert json.dumps(document(application(), title="Test", version="1")) == json.dumps(spec)


def test_an_operation_carries_key_permission_types_and_security(spec) -> None:
    create = spec["paths"]["/deploy/things"]["post"]
    assert (create["operationId"], create["x-permission"]) == ("deploy.create", "things:create")
    assert create["summary"] == "Create a thing."
    assert create["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Body"}
    assert create["security"] == [{"bearer": []}, {"session": []}]
    assert spec["paths"]["/deploy/open"]["get"]["security"] == []
    assert spec["components"]["schemas"]["Body"]["required"] == ["fullName"]


def test_query_parameters_have_their_wire_names_and_types(spec) -> None:
    parameters = {entry["name"]: entry for entry in spec["paths"]["/deploy/things"]["get"]["parameters"]}
    assert set(parameters) == {"pageSize", "archived", "tags", "scope.kind"}
    assert parameters["pageSize"]["schema"] == {"type": "integer", "default": 20}
    assert parameters["archived"]["required"] is False


@pytest.mark.parametrize("surface", SURFACES)
def test_refusals_are_documented_in_the_dialect_of_the_surface(spec, surface) -> None:
    answers = spec["paths"][f"/{surface}/things"]["post"]["responses"]
    shape = "422" if surface == "runbooks" else "400"
    assert {"201", shape, "401", "403", "413", "415", "429", "500"} <= set(answers)
    reference = answers[shape]["content"]["application/json"]["schema"]["$ref"]
    assert reference == f"#/components/schemas/{surface.title()}Error{shape}"


def test_every_reference_leads_somewhere(spec) -> None:
    text = msgspec.json.encode(spec).decode()
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(spec["components"]["schemas"])


def test_sockets_are_listed_with_their_frames(spec) -> None:
    frame = {"$ref": "#/components/schemas/Frames"}
    assert spec["x-websockets"] == [
        {
            "path": "/deploy/echo/{room}",
            "x-permission": "things:echo",
            "summary": "Say it again.",
            "frames": {"client": [frame], "server": [frame]},
            "parameters": ["room"],
        }
    ]
