"""`qd diagnose` and `qd lookup`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer, Refusal
from cli.installation import Installation

Command = Callable[..., Result]


def test_a_diagnosis_is_what_can_be_copied(qd: Command, server: ContractServer, installation: Installation) -> None:
    resource = installation.exists("storefront/production/shop")
    empty = {"status": "empty", "tailLimit": 5, "lineCount": 0, "lines": []}
    asked: list[dict[str, str]] = []

    def summary(_parameters: Any, query: dict[str, str], _body: Any) -> dict[str, Any]:
        asked.append(query)
        return {
            "schemaVersion": "resources.diagnostic-summary/v1",
            "generatedAt": NOW,
            "focus": {"resourceId": resource},
            "context": {
                "projectId": "prj_1",
                "environmentId": "env_1",
                "resourceName": "shop",
                "resourceSlug": "shop",
                "resourceKind": "application",
                "services": [],
            },
            "access": {"status": "empty"},
            "proxy": {"status": "not-configured", "configurationIncluded": False},
            "deploymentLogs": empty,
            "runtimeLogs": empty,
            "system": {"entrypoint": "http", "requestId": "req_1", "locale": "en-US"},
            "sourceErrors": [],
            "redaction": {"policy": "deployment-environment-secrets", "masked": False, "maskedValueCount": 0},
            "copy": {"json": '{"focus": 1}'},
        }

    server.answers["resources.diagnostic-summary"] = summary
    assert qd("diagnose", "shop", "--lines", "5").out == '{"focus": 1}\n'
    assert asked == [{"tailLines": "5"}]
    assert json.loads(qd("diagnose", "shop", "-o", "json").out)["focus"] == {"resourceId": resource}


def test_a_request_that_was_not_served_is_explained(qd: Command, server: ContractServer) -> None:
    server.answers["resources.access-failure-evidence.lookup"] = lambda parameters, *_: {
        "schemaVersion": "resources.access-failure-evidence.lookup/v1",
        "requestId": parameters["requestId"],
        "generatedAt": NOW,
        "status": "found",
        "matchedSource": "short-retention-evidence-read-model",
        "evidence": {
            "schemaVersion": "resource-access-failure/v1",
            "requestId": parameters["requestId"],
            "generatedAt": NOW,
            "code": "resource_access_upstream_unavailable",
            "category": "infra",
            "phase": "upstream-connection",
            "httpStatus": 502,
            "retriable": True,
            "ownerHint": "resource",
            "nextAction": "inspect-runtime-logs",
            "affected": {"hostname": "shop.localhost", "path": "/cart", "method": "GET"},
        },
        "relatedIds": {"resourceId": "res_1"},
        "nextAction": "inspect-runtime-logs",
        "capturedAt": NOW,
        "expiresAt": NOW,
    }
    out = qd("lookup", "abc").out
    for words in (
        "502  resource_access_upstream_unavailable", "GET shop.localhost/cart", "res_1", "inspect runtime logs",
    ):  # fmt: skip
        assert words in out
    refusal = Refusal(404, "resource_access_failure_evidence_not_found", "Nothing is kept.")
    server.answers["resources.access-failure-evidence.lookup"] = refusal
    assert qd("lookup", "abc").code == 5
