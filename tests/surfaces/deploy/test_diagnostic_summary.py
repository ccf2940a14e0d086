"""The bundle for whoever helps: complete, bounded, and without secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.logs import Line
from support.served import SOURCE, deployed, serve

KEY = "resources.diagnostic-summary"
PROCESS = {"kind": "process", "instance": "dep_x", "port": 4000, "upstream": "127.0.0.1:4000"}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def line(minutes, text):
    return Line(time=NOW + timedelta(minutes=minutes), source="application", stream="stdout", phase="verify",
                level="info", message=text)  # fmt: skip


async def test_a_resource_that_was_never_deployed_says_so_in_every_part(deck):
    resource = await deck.resource()
    found = await deck.do(KEY, resourceId=resource)
    assert "deployment" not in found
    assert found["focus"] == {"resourceId": resource}
    parts = {name: found[name]["status"] for name in ("access", "proxy", "deploymentLogs", "runtimeLogs")}
    assert parts == {
        "access": "not-configured",
        "proxy": "not-configured",
        "deploymentLogs": "empty",
        "runtimeLogs": "empty",
    }
    assert found["sourceErrors"] == []


async def test_all_that_is_known_is_there_and_no_secret_is(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    await deck.do("resources.secrets.create", {"key": "API_TOKEN", "value": "hunter22"}, resourceId=resource)
    deployment = await deployed(deck, resource, server)
    await serve(deck, deployment, PROCESS)
    logs = deck.instance.logs
    await logs.store(f"deployment:{deployment}", [line(number, f"line {number}") for number in range(30)])
    await logs.store(f"runtime:{resource}", [line(0, "token hunter22 and hunter22 again")])
    found = await deck.do(KEY, resourceId=resource, query={"tailLines": "5"})
    assert found["focus"] == {"resourceId": resource, "deploymentId": deployment}
    assert found["deployment"]["status"] == "succeeded"
    assert found["deployment"]["logCount"] == 30
    assert [one["message"] for one in found["deploymentLogs"]["lines"]] == [f"line {n}" for n in range(25, 30)]
    assert found["runtimeLogs"]["lines"][0]["message"] == "token **** and **** again"
    assert found["redaction"] == {
        "policy": "deployment-environment-secrets", "masked": True, "maskedValueCount": 2,
    }  # fmt: skip
    assert found["access"]["generatedUrl"].startswith("http://")
    assert (found["proxy"]["status"], found["proxy"]["configurationStatus"]) == ("available", "applied")
    assert found["context"]["serverId"] == server
    copied = msgspec.json.decode(found["copy"]["json"])
    assert copied["deployment"] == found["deployment"]
    assert not any("hunter22" in text for text in deck.heard)

    query = {
        "includeDeploymentLogTail": "false", "includeRuntimeLogTail": "false", "includeProxyConfiguration": "false",
    }  # fmt: skip
    less = await deck.do(KEY, resourceId=resource, query=query)
    for name in ("deploymentLogs", "runtimeLogs", "proxy"):
        assert less[name]["status"] == "not-requested"
    window = {"observationFrom": wire_time(NOW), "observationTo": wire_time(NOW + timedelta(minutes=3))}
    bounded = await deck.do(KEY, resourceId=resource, query={**window, "tailLines": "50"})
    assert [one["message"] for one in bounded["deploymentLogs"]["lines"]] == [f"line {n}" for n in range(4)]


async def test_what_cannot_be_meant_is_refused(deck):
    server = await deck.server()
    place = await deck.place()
    resource = await deck.resource(place, source=SOURCE)
    other = await deck.resource(place, name="Other", source=SOURCE)
    query = {"deploymentId": await deployed(deck, other, server)}
    await deck.refused(400, "resource_diagnostic_context_mismatch", KEY, resourceId=resource, query=query)
    await deck.refused(404, "not_found", KEY, resourceId=resource, query={"deploymentId": "dep_x"})
    for query in (
        {"observationFrom": wire_time(NOW)},
        {"observationFrom": "then", "observationTo": "now"},
        {"observationFrom": wire_time(NOW), "observationTo": wire_time(NOW - timedelta(hours=1))},
    ):
        await deck.refused(400, "validation_error", KEY, resourceId=resource, query=query)
    await deck.malformed(KEY, resourceId=resource, query={"tailLines": "51"})
    stranger = await deck.member("viewer", "org_other")
    await deck.refused(404, "not_found", KEY, resourceId=resource, token=stranger)
