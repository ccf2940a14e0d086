"""Agents as administrators see them."""

from __future__ import annotations

import base64
import re

import pytest

from surfaces.broker.agent_yard import NOBODY, booted, minted

NINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
KEY = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw="


async def test_a_minted_agent_is_listed_without_anything_that_is_secret(crew):
    agent = await minted(crew, scope={"cluster": "eu"}, public_key=KEY, public_key_algorithm="x25519")
    assert len(agent.secret) == 43
    (listed,) = await crew.ok("GET", "/api/v1/agents")
    assert listed == {
        "id": agent.id, "name": "vault-eu", "status": "active", "scope": {"cluster": "eu"},
        "created_at": listed["created_at"],
    }  # fmt: skip
    assert NINE.fullmatch(listed["created_at"])
    await agent.heartbeat()
    (listed,) = await crew.ok("GET", "/api/v1/agents")
    assert NINE.fullmatch(listed["last_seen_at"])
    heard = "".join(crew.deck.heard[-2:]) + str(await crew.told())
    assert agent.secret not in heard
    assert KEY not in heard


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": ""}, 400),
        ({"name": "  "}, 400),
        ({"name": 7}, 400),
        ({"name": "x" * 201}, 400),
        ({"name": "a", "scope": []}, 400),
        ({"name": "a", "scope": {"cluster": 7}}, 400),
        ({"name": "a", "public_key": "YQ=="}, 400),
        ({"name": "a", "public_key": base64.b64encode(bytes(32)).decode()}, 400),
        ({"name": "a", "public_key": "?"}, 400),
        ({"name": "a", "public_key": KEY, "public_key_algorithm": "rsa"}, 400),
        ({"name": "taken"}, 409),
    ],
)
async def test_what_is_wrong_about_an_agent_is_said(crew, body, status):
    await minted(crew, "taken")
    answer = await crew.send("POST", "/api/v1/agents", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]
    assert len(await crew.ok("GET", "/api/v1/agents")) == 1


async def test_a_revoked_agent_is_refused_with_its_next_call(crew):
    agent, other = await booted(crew), await booted(crew, "vault-us")
    for _ in range(2):
        answer = await crew.send("POST", f"/api/v1/agents/{agent.id}/revoke", {"reason": "stolen"})
        assert (answer.status_code, answer.content) == (204, b"")
    for method, path, body in (
        ("POST", "/heartbeat", None), ("POST", "/jobs/claim", None), ("POST", "/dek", None),
        ("GET", f"/wraps/{NOBODY}", None), ("PUT", "/public-key", {"public_key": KEY}),
    ):  # fmt: skip
        answer = await agent.call(method, path, body)
        assert (answer.status_code, answer.json()["error"]) == (401, "agent auth rejected")
    assert {one["name"]: one["status"] for one in await crew.ok("GET", "/api/v1/agents")} == {
        "vault-eu": "revoked", "vault-us": "active",
    }  # fmt: skip
    await other.heartbeat()
    assert (await crew.send("POST", f"/api/v1/agents/{NOBODY}/revoke")).status_code == 404
    assert (await crew.send("POST", "/api/v1/agents/nobody/revoke")).status_code == 400


async def test_a_rotated_agent_has_another_secret(crew):
    agent = await booted(crew)
    made = await crew.ok("POST", f"/api/v1/agents/{agent.id}/rotate")
    assert made["id"] == agent.id
    await agent.heartbeat()
    assert not agent.heartbeats_ended
    newest = await crew.ok("POST", f"/api/v1/agents/{agent.id}/rotate", {"grace_seconds": 0})
    await agent.heartbeat()
    assert agent.heartbeats_ended
    agent.secret, agent.heartbeats_ended = newest["agent_secret"], False
    await agent.heartbeat()
    assert not agent.heartbeats_ended
    for grace in (-1, 86_401, "x"):
        answer = await crew.send("POST", f"/api/v1/agents/{agent.id}/rotate", {"grace_seconds": grace})
        assert answer.status_code == 400


async def test_agents_are_for_administrators(crew):
    agent = await minted(crew)
    for name, role in (("dee", "broker:developer"), ("app", "broker:approver")):
        _, token = await crew.person(name, role)
        for method, path in (
            ("POST", "/api/v1/agents"), ("GET", "/api/v1/agents"), ("POST", f"/api/v1/agents/{agent.id}/revoke"),
            ("POST", f"/api/v1/agents/{agent.id}/rotate"), ("POST", "/api/v1/jobs"),
        ):  # fmt: skip
            body = {"name": "x", "job_type": "verify"} if path.endswith(("agents", "jobs")) and method == "POST" else {}
            answer = await crew.send(method, path, None if method == "GET" else body, token=token)
            assert answer.status_code == 403, (method, path, answer.text)
            assert "missing permission" in answer.json()["error"]
    answer = await crew.send("GET", "/api/v1/agents", token=None)
    assert (answer.status_code, answer.json()["error"]) == (401, "authentication required")


async def test_an_agent_of_another_organization_is_not_there(crew):
    agent = await minted(crew)
    _, eve = await crew.person("eve", "broker:admin", organization="org_elsewhere")
    assert await crew.ok("GET", "/api/v1/agents", token=eve) == []
    for verb in ("revoke", "rotate"):
        answer = await crew.send("POST", f"/api/v1/agents/{agent.id}/{verb}", token=eve)
        assert (answer.status_code, answer.json()["error"]) == (404, "agent not found")


async def test_the_trail_of_agents_reads_as_documented(crew):
    agent = await booted(crew)
    await crew.send("POST", f"/api/v1/agents/{agent.id}/revoke")
    found = await crew.ok("GET", f"/api/v1/audit-events?resource=agent:{agent.id}")
    assert [one["action"] for one in found] == ["agent.revoke", "agent.public_key.set", "agent.mint"]
    assert [one["actor"].partition(":")[0] for one in found] == ["user", "agent", "user"]
    mine = await crew.ok("GET", f"/api/v1/audit-events?actor=agent:{agent.id}")
    assert [one["action"] for one in mine] == ["agent.public_key.set"]
