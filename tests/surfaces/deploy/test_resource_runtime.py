"""Stopping, starting and restarting over the API, and what the runtime wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from quarterdeck.deploy.observation import runtime_logs
from quarterdeck.kernel import events as domain_events
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.logs import Line
from support.deck import contract, operations
from support.served import SOURCE, deployed, serve

PROCESS = {"kind": "process", "instance": "dep_x", "port": 4000, "host_port": 4000, "upstream": "127.0.0.1:4000"}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def line(text, number=0, stream="stdout", phase=None):
    time = NOW + timedelta(seconds=number)
    return Line(time=time, source="application", stream=stream, phase=phase, level="info", message=text)


async def serving(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    deployment = await deployed(deck, resource, server)
    await serve(deck, deployment, PROCESS)
    return resource, deployment


async def test_what_was_never_deployed_cannot_be_controlled(deck):
    resource = await deck.resource()
    for word in ("stop", "start", "restart"):
        found = await deck.refused(
            409, "resource_runtime_metadata_missing", f"resources.runtime.{word}", {}, resourceId=resource
        )
        assert found["error"]["details"]["blockedReason"] == "runtime-not-found"


async def test_a_restart_is_accepted_with_its_phases_and_blocks_the_next_one(deck):
    resource, deployment = await serving(deck)
    key = {"idempotencyKey": "once", "reason": "because", "deploymentId": deployment}
    made = await deck.do("resources.runtime.restart", key, resourceId=resource)
    assert (made["operation"], made["status"], made["runtimeState"]) == ("restart", "accepted", "restarting")
    assert made["phases"] == [{"phase": "stop", "status": "pending"}, {"phase": "start", "status": "pending"}]
    again = await deck.do("resources.runtime.restart", key, resourceId=resource)
    assert again["runtimeControlAttemptId"] == made["runtimeControlAttemptId"]
    await deck.refused(409, "conflict", "resources.runtime.stop", {"idempotencyKey": "once"}, resourceId=resource)
    found = await deck.refused(
        409, "resource_runtime_control_blocked", "resources.runtime.restart", {}, resourceId=resource
    )
    assert found["error"]["details"]["blockedReason"] == "runtime-control-in-progress"
    listed = (await deck.do("resources.list"))["items"][0]
    assert listed["latestRuntimeControl"]["runtimeControlAttemptId"] == made["runtimeControlAttemptId"]
    assert (await deck.do("resources.health", resourceId=resource))["overall"] == "starting"


async def test_what_runs_already_is_not_started_and_a_stale_deployment_not_stopped(deck):
    resource, _ = await serving(deck)
    await deck.refused(409, "resource_runtime_already_in_state", "resources.runtime.start", {}, resourceId=resource)
    stale = {"deploymentId": "dep_000000000000"}
    await deck.refused(409, "resource_runtime_control_blocked", "resources.runtime.stop", stale, resourceId=resource)


async def test_an_archived_resource_can_be_stopped_but_not_restarted(deck):
    resource, _ = await serving(deck)
    await deck.do("resources.archive", resourceId=resource)
    answer = await deck.request("resources.runtime.restart", {}, resourceId=resource)
    assert answer.status_code == 409
    assert (await deck.do("resources.runtime.stop", {}, resourceId=resource))["status"] == "accepted"


async def test_the_tail_of_the_log_is_bounded_masked_and_paged(deck):
    resource, deployment = await serving(deck)
    logs, stream = deck.instance.logs, f"runtime:{resource}"
    assert await deck.do("resources.runtime-logs", resourceId=resource) == {
        "resourceId": resource,
        "deploymentId": deployment,
        "logs": [],
    }
    logs.mask(stream, ["pear-tree-4711"])
    await logs.store(stream, [line(f"line {number}", number) for number in range(1, 151)])
    await logs.store(stream, [line("token pear-tree-4711", 151, "stderr")])
    found = (await deck.do("resources.runtime-logs", resourceId=resource))["logs"]
    assert len(found) == 100
    assert (found[-1]["sequence"], found[-1]["stream"], found[-1]["masked"]) == (151, "stderr", True)
    assert "pear-tree" not in found[-1]["message"]
    assert found[0]["message"] == "line 52"
    assert not found[0]["masked"]
    page = await deck.do("resources.runtime-logs", resourceId=resource, query={"tailLines": "3", "cursor": "10"})
    assert [one["sequence"] for one in page["logs"]] == [11, 12, 13]
    since = {"since": "2026-03-01T12:02:30Z"}
    late = (await deck.do("resources.runtime-logs", resourceId=resource, query=since))["logs"]
    assert [one["sequence"] for one in late] == [150, 151]
    assert (await deck.do("resources.runtime-logs", resourceId=resource, query={"tailLines": "0"}))["logs"] == []


async def test_each_line_names_the_version_that_wrote_it(deck):
    resource, deployment = await serving(deck)
    stream, before = f"runtime:{resource}", runtime_logs.spoken_by(1, "dep_000000000001")
    now = runtime_logs.spoken_by(2, deployment)
    written = [line("old", 1, phase=before), line("new", 2, phase=now), line("old, still answering", 3, phase=before)]
    await deck.instance.logs.store(stream, written)
    found = (await deck.do("resources.runtime-logs", resourceId=resource))["logs"]
    assert [one["deploymentId"] for one in found] == ["dep_000000000001", deployment, "dep_000000000001"]
    assert [one.get("runtimeInstanceId") for one in found] == [None, "dep_x", None]
    own = await deck.do("resources.runtime-logs", resourceId=resource, query={"deploymentId": deployment})
    assert own["logs"] == []  # all of it was said before this version was there


async def test_a_version_is_heard_however_much_another_has_said_since(deck):
    resource, deployment = await serving(deck)
    stream, later = f"runtime:{resource}", "dep_000000000009"
    start = int((datetime.now(UTC) - NOW).total_seconds()) + 60

    def said(number, who):
        return line(f"line {number}", start + number, phase=runtime_logs.spoken_by(1, who))

    own = {1, 2, 3, 1500, 2900}
    written = [said(number, deployment if number in own else later) for number in range(1, 3001)]
    await deck.instance.logs.store(stream, written)

    async def asked(**query):
        query = {"deploymentId": deployment, **query}
        found = await deck.do("resources.runtime-logs", resourceId=resource, query=query)
        return [one["sequence"] for one in found["logs"]]

    assert await asked() == [1, 2, 3, 1500, 2900]
    assert await asked(tailLines="2") == [1500, 2900]
    assert await asked(tailLines="2", cursor="3") == [1500, 2900]
    assert await asked(tailLines="2", cursor="2900") == []
    whole = await deck.do("resources.runtime-logs", resourceId=resource, query={"tailLines": "1000"})
    assert [one["sequence"] for one in whole["logs"]] == list(range(2001, 3001))
    query = {"deploymentId": deployment, "tailLines": "2", "follow": "false"}
    streamed = events((await deck.request("resources.runtime-logs/stream", resourceId=resource, query=query)).text)
    assert [data["line"]["message"] for _, data in streamed if "line" in data] == ["line 1500", "line 2900"]


async def ended(deck, ref, state):
    """What the end of the attempt's job means, as the ledger tells it."""
    from sqlalchemy import select

    from quarterdeck.deploy.resources import runtime
    from quarterdeck.deploy.resources.model import Resource, RuntimeControl
    from quarterdeck.kernel import jobs

    def verb(tx):
        attempt = tx.one(select(RuntimeControl).where(RuntimeControl.ref == ref), what=ref)
        job = jobs.get(tx, attempt.job_id)
        if attempt.status == "accepted":
            moved_to(tx, ref, "running")
        runtime.kind(deck.instance.placement).finish(tx, job, jobs.Outcome(state))
        return tx.get(Resource, attempt.resource_id).wanted

    return await deck.instance.db.write(verb)


async def controlled(deck, resource, word):
    return (await deck.do(f"resources.runtime.{word}", {}, resourceId=resource))["runtimeControlAttemptId"]


async def test_the_job_of_an_attempt_that_has_ended_changes_nothing_more(deck):
    resource, _ = await serving(deck)
    first = await controlled(deck, resource, "stop")
    assert await ended(deck, first, "failed") == "running"
    assert await ended(deck, await controlled(deck, resource, "stop"), "succeeded") == "stopped"
    for state in ("failed", "succeeded"):
        assert await ended(deck, first, state) == "stopped"


async def test_what_a_failed_restart_left_can_be_started_and_stopped(deck):
    resource, _ = await serving(deck)
    for word in ("start", "stop"):
        assert await ended(deck, await controlled(deck, resource, "restart"), "failed") == "running"
        assert await ended(deck, await controlled(deck, resource, word), "succeeded")
    await deck.refused(409, "resource_runtime_already_in_state", "resources.runtime.stop", {}, resourceId=resource)


async def test_wrong_questions_about_logs_are_refused(deck):
    resource, deployment = await serving(deck)
    other = await deck.resource(await deck.place("Other"), name="Other")
    for query in ({"tailLines": "1001"}, {"tailLines": "-1"}, {"tailLines": "x"}):
        await deck.malformed("resources.runtime-logs", resourceId=resource, query=query)
    for query in ({"since": "yesterday"}, {"since": "9999-99-99"}, {"cursor": "x"}, {"cursor": "9" * 40}):
        for key in ("resources.runtime-logs", "resources.runtime-logs/stream"):
            await deck.refused(400, "validation_error", key, resourceId=resource, query=query)
    code = "resource_runtime_logs_context_mismatch"
    await deck.refused(400, code, "resources.runtime-logs", resourceId=other, query={"deploymentId": deployment})
    await deck.refused(400, code, "resources.runtime-logs", resourceId=resource, query={"serviceName": "db"})
    unknown = {"deploymentId": "dep_000000000000"}
    await deck.refused(404, "not_found", "resources.runtime-logs", resourceId=resource, query=unknown)


def events(text):
    """The events of a stream as (name, data)."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(row.split(": ", 1) for row in block.splitlines() if not row.startswith(":"))
        if fields:
            found.append((fields["event"], msgspec.json.decode(fields["data"])))
    return found


async def test_a_stream_that_does_not_follow_ends_as_documented(deck):
    from jsonschema import Draft202012Validator

    resource, deployment = await serving(deck)
    await deck.instance.logs.store(f"runtime:{resource}", [line("one", 1), line("two", 2)])
    answer = await deck.request("resources.runtime-logs/stream", resourceId=resource, query={"follow": "false"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = events(answer.text)
    assert [name for name, _ in found] == ["message", "message", "message", "done"]
    assert [data["line"]["message"] for _, data in found[:2]] == ["one", "two"]
    assert found[2][1] == {"kind": "closed", "reason": "completed"}
    assert found[3][1] == {"resourceId": resource, "deploymentId": deployment}
    schema = {**operations()["resources.runtime-logs/stream"]["response"], "$defs": contract()["$defs"]}
    for _, data in found[:3]:
        assert Draft202012Validator(schema).is_valid(data), data


async def test_a_follower_gets_the_tail_then_new_lines_each_once(deck):
    resource, _ = await serving(deck)
    logs, stream = deck.instance.logs, f"runtime:{resource}"
    await logs.store(stream, [line(f"old {number}", number) for number in range(1, 6)])
    window = await deck.instance.db.read(asked_window, resource)
    source = runtime_logs.follow(logs, window, 2, None, heartbeat=0.05)
    assert [(await anext(source)).message for _ in range(2)] == ["old 4", "old 5"]
    assert await anext(source) is None  # a sign of life
    await logs.store(stream, [line("new 1", 6), line("new 2", 7)])
    got = []
    async for item in source:
        if item is not None:
            got.append(item.number)
        if len(got) == 2:
            break
    assert got == [6, 7]
    await source.aclose()
    behind = runtime_logs.follow(logs, window, 100, 3, heartbeat=5)
    assert [(await anext(behind)).number for _ in range(4)] == [4, 5, 6, 7]
    await behind.aclose()


def asked_window(tx, resource):
    from quarterdeck.deploy.observation.runtime_logs import Window

    return Window(resource, f"runtime:{resource}", None, False, None, None, None, None)


def moved_to(tx, ref, status, code=None):
    from sqlalchemy import select

    from quarterdeck.deploy.resources.model import Resource, RuntimeControl
    from quarterdeck.deploy.resources.transitions import move

    attempt = tx.one(select(RuntimeControl).where(RuntimeControl.ref == ref), what=ref)
    move(tx, tx.get(Resource, attempt.resource_id), attempt, status, error_code=code)
    return attempt.status, attempt.runtime_state, attempt.phases, attempt.completed_at is not None


async def told(deck, resource):
    stream = f"resource:{resource}"
    found = await deck.instance.db.read(domain_events.read, stream, 0, 100)
    return [one.data["status"] for one in found if one.type == "resource-runtime-control"]


async def test_an_attempt_moves_by_its_table_alone_and_tells_each_move_once(deck):
    resource, _ = await serving(deck)
    ref = (await deck.do("resources.runtime.restart", {}, resourceId=resource))["runtimeControlAttemptId"]
    write = deck.instance.db.write
    with pytest.raises(Problem) as illegal:
        await write(moved_to, ref, "succeeded")
    assert illegal.value.code == "invariant_violation"
    assert await told(deck, resource) == ["accepted"]
    for _ in range(2):  # the second time by a worker that takes a lost attempt up
        status, state, phases, ended = await write(moved_to, ref, "running")
        assert (status, state, ended) == ("running", "restarting", False)
        assert [phase["status"] for phase in phases] == ["running", "pending"]
    status, state, phases, ended = await write(moved_to, ref, "failed", "engine_unavailable")
    assert (status, state, ended) == ("failed", "unknown", True)
    assert [phase["errorCode"] for phase in phases] == ["engine_unavailable"] * 2
    for status in ("accepted", "running", "succeeded"):  # what has ended stays ended
        with pytest.raises(Problem):
            await write(moved_to, ref, status)
    assert await told(deck, resource) == ["accepted", "running", "failed"]
    again = await deck.do("resources.runtime.stop", {}, resourceId=resource)  # what ended blocks nothing
    await write(moved_to, again["runtimeControlAttemptId"], "running")
    assert (await write(moved_to, again["runtimeControlAttemptId"], "succeeded"))[1] == "stopped"


def test_every_status_of_the_table_is_one_of_the_contract_and_ends():
    from quarterdeck.deploy.resources.transitions import FIRST, MOVES, TERMINAL, UNDER_WAY

    assert set(MOVES) == {*UNDER_WAY, *TERMINAL}
    assert FIRST in UNDER_WAY
    assert {status for status, onwards in MOVES.items() if not onwards} == set(TERMINAL)
    documented = json.dumps(operations()["resources.runtime.restart"]["response"]) + json.dumps(contract()["$defs"])
    assert all(f'"{status}"' in documented for status in MOVES)
