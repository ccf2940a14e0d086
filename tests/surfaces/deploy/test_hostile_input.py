"""Input that nobody means well: refused in the envelope, never a defect."""

from __future__ import annotations

import json

import pytest

LONG = "x" * 1_000_000
DEEP = "[" * 100_000
BODIES = {
    "deep": '{"name":' + DEEP,
    "deep and whole": '{"name":' + "[" * 5000 + "]" * 5000 + "}",
    "not JSON": "name=Shop",
    "not UTF-8": b'{"name":"\xff\xfe"}',
    "half a surrogate": b'{"name":"\\ud800"}',
    "zero byte": '{"name":"a\\u0000b"}',
    "control characters": '{"name":"a\\u001b[31m\\u0007"}',
    "a huge number": '{"name":' + "9" * 400 + "}",
    "a list": "[]",
    "a string": '"name"',
    "not a number": '{"name":NaN}',
    "very long": json.dumps({"name": LONG}),
    "the wrong type": '{"name":{"$ne":null}}',
}


@pytest.mark.parametrize("kind", BODIES)
async def test_a_hostile_body_is_refused_in_the_envelope(deck, kind):
    project = await deck.project("Mine")
    for path in ("/api/projects", f"/api/projects/{project}/rename", "/api/resources", "/api/environments"):
        answer = await deck.send("POST", path, content=BODIES[kind], headers={"content-type": "application/json"})
        assert answer.status_code == 400, (path, answer.status_code, answer.text[:300])
        assert answer.json()["code"] == "BAD_REQUEST"
        assert len(answer.text) < 20_000
    assert await deck.do("projects.count") == {"count": 1}


async def test_a_body_above_the_limit_is_refused_before_it_is_read(deck):
    body = json.dumps({"name": "x" * 11_000_000})
    answer = await deck.send("POST", "/api/projects", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "name", ["%00", "..%2f..%2fetc%2fpasswd", "res_'; DROP TABLE users; --", "%ff%fe", "a" * 5000, "{}", "*", "%"]
)
async def test_a_hostile_name_finds_nothing(deck, name):
    for path in ("projects", "environments", "servers", "resources", "deployments"):
        answer = await deck.send("GET", f"/api/{path}/{name}")
        assert answer.status_code in {400, 404}, (path, answer.status_code)
        assert "status" in answer.json()
    resource = await deck.resource()
    answer = await deck.send("GET", f"/api/resources/{resource}/secrets/{name}")
    assert answer.status_code in {400, 404}
    answer = await deck.send("DELETE", f"/api/resources/{resource}/variables/{name}", {"exposure": "runtime"})
    assert answer.status_code in {400, 404}


@pytest.mark.parametrize(
    "query",
    [
        "limit=1e3",
        "limit=0x10",
        "limit=",
        "limit=1&limit=2&limit=-1",
        "limit=%00",
        "projectId=%00",
        "a=%ff",
        "limit[]=1",
    ],
)
async def test_a_hostile_query_is_refused_or_ignored(deck, query):
    for path in ("projects", "environments", "resources", "deployments", "servers"):
        answer = await deck.send("GET", f"/api/{path}?{query}")
        assert answer.status_code in {200, 400}, (path, answer.status_code, answer.text[:300])


async def test_hostile_texts_go_through_profiles_without_harm(deck):
    resource = await deck.resource()
    texts = ["\u202e", "\ufeff", "\U0010ffff", "'\"`$(id)\\", "\x1b[31m", "a\r\nb", "\ud7ff", "%s%n", "{{7*7}}"]
    for text in texts:
        variable = {"key": "A", "value": text, "exposure": "runtime"}
        await deck.do("resources.set-variable", variable, resourceId=resource)
        found = await deck.do("resources.effective-config", resourceId=resource)
        assert found["ownedEntries"][0]["value"] == text
        for key, body in (
            ("configure-source", {"source": {"kind": "git-public", "locator": text, "gitRef": text}}),
            ("configure-source", {"source": {"kind": "local-folder", "locator": f"/{text}", "baseDirectory": text}}),
            ("configure-source", {"source": {"kind": "docker-image", "locator": text}}),
            ("configure-source", {"source": {"kind": "zip-artifact", "locator": text}}),
            ("configure-runtime", {"runtimeProfile": {"runtimeName": text, "dockerfilePath": text}}),
            ("configure-access", {"accessProfile": {"pathPrefix": f"/{text}"}}),
            ("configure-health", {"healthCheck": {"http": {"path": f"/{text}", "host": text}}}),
            ("configure-network", {"networkProfile": {"internalPort": 80, "targetServiceName": text}}),
        ):
            answer = await deck.request(f"resources.{key}", body, resourceId=resource)
            assert answer.status_code in {200, 400}, (key, text, answer.text[:300])
            await deck.do("resources.show", resourceId=resource)
            await deck.do("resources.health", resourceId=resource, query={"mode": "live"})
