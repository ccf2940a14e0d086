"""Plans in the contract's words: checked against its own schema, for every fixture and both targets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from deploy.detection.fixture_plans import FIXTURES, planned
from quarterdeck.deploy.detection.values import ReasonCode
from quarterdeck.deploy.planning import answer_sections, runtime_plan_sections

CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "plan_answer.schema.json").read_text())
NAMES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())


def _closed(schema: Any) -> Any:
    """Make every object refuse keys that the contract does not name, so that an invented key fails."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


DEFINITIONS = _closed(CONTRACT["$defs"])
ANSWER = jsonschema.Draft202012Validator({**_closed(CONTRACT["plan"]), "$defs": DEFINITIONS})
ATTEMPT = jsonschema.Draft202012Validator({**DEFINITIONS["RuntimePlan"], "$defs": DEFINITIONS})


@pytest.mark.parametrize("target", ["docker-container", "host-process"])
@pytest.mark.parametrize("name", NAMES)
def test_a_plan_is_a_documented_answer(name: str, target: str) -> None:
    made = planned(name, target)
    answer = answer_sections(
        made, locator="/srv/app", display_name="app", target_kind="single-server", provider_key="local-shell"
    )
    whole = {
        "schemaVersion": "deployments.plan/v1",
        "context": dict.fromkeys(("projectId", "environmentId", "resourceId", "serverId", "destinationId"), "x"),
        "generatedAt": "2026-01-01T00:00:00.000Z",
        **answer,
    }
    ANSWER.validate(whole)
    for item in [*answer["warnings"], *answer["nextActions"]]:
        for path in item.get("fixPath", [item]):
            operation = path.get("targetOperation")
            assert operation is None or operation in CONTRACT["operations"]


@pytest.mark.parametrize("name", NAMES)
def test_an_attempt_can_store_its_plan(name: str) -> None:
    sections = runtime_plan_sections(planned(name, "docker-container"))
    inspection = sections.pop("inspection")
    whole = {
        "id": "plan_x",
        "source": {"kind": "local-folder", "locator": "/srv/app", "displayName": "app", "inspection": inspection},
        "target": {"kind": "single-server", "providerKey": "local-shell", "serverIds": ["srv_x"]},
        "generatedAt": "2026-01-01T00:00:00.000Z",
        **sections,
    }
    ATTEMPT.validate(whole)


def test_the_reason_codes_are_those_of_the_contract() -> None:
    assert list(get_args(ReasonCode)) == CONTRACT["$defs"]["ReasonCode"]["enum"]
