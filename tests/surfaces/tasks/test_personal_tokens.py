"""Personal access tokens: shown once, narrowed, ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from quarterdeck.identity.model import PersonalToken
from support.deck import HOME

TOKENS = "/api/web/profile/tokens"


async def test_a_token_is_shown_once_and_acts_as_its_owner(crew):
    made = await crew.once("personal-token.created", "POST", TOKENS, {"label": "laptop"}, status=201)
    assert made["token"].startswith(f"ov_pat_{made['id']}_")
    assert made["token"].startswith(made["prefix"])
    assert (made["scopes"], made["expiresAt"], made["revokedAt"]) == ([], None, None)
    listed = await crew.ok("GET", TOKENS)
    assert (listed["total"], listed["nextCursor"]) == (1, None)
    assert "token" not in listed["items"][0]
    assert (await crew.ok("GET", "/api/web/profile", token=made["token"]))["name"] == "ada"
    assert (await crew.ok("GET", TOKENS))["items"][0]["lastUsedAt"] is not None
    assert (await crew.ok("GET", "/api/admin/developers", token=made["token"]))["total"] == 1


async def test_a_token_ends_with_its_revocation_at_once(crew):
    made = await crew.ok("POST", TOKENS, {"label": "laptop"}, status=201)
    path = f"{TOKENS}/{made['id']}/revoke"
    ended = await crew.once("personal-token.revoked", "POST", path)
    assert ended["revokedAt"] is not None
    before = len(await crew.told())
    assert await crew.ok("POST", path) == ended
    assert len(await crew.told()) == before
    await crew.refused(401, "PRODUCT_AUTH_MISSING", "GET", "/api/web/profile", token=made["token"])


async def test_whoever_has_no_role_of_tasks_looks_after_their_own_tokens(crew):
    viewer = await crew.deck.member("viewer", "org_self_hosted")
    mine = await crew.ok("POST", TOKENS, {"label": "laptop"}, status=201)
    made = await crew.ok("POST", TOKENS, {"label": "theirs"}, token=viewer, status=201)
    assert [one["id"] for one in (await crew.ok("GET", TOKENS, token=viewer))["items"]] == [made["id"]]
    await crew.refused(404, "TOKEN_NOT_FOUND", "POST", f"{TOKENS}/{mine['id']}/revoke", token=viewer)
    assert (await crew.ok("POST", f"{TOKENS}/{made['id']}/revoke", token=viewer))["revokedAt"] is not None
    await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "GET", "/api/web/profile", token=viewer)


async def test_no_token_of_a_pipeline_nor_one_for_other_things_reads_the_list(crew):
    other = await crew.ok("POST", TOKENS, {"label": "broker", "scopes": ["broker"]}, status=201)
    await crew.refused(403, "TOKEN_NARROWED", "GET", TOKENS, token=other["token"])
    body = {"organizationId": HOME, "displayName": "ci", "scope": {"workflowCommands": ["preview-cleanup"]}}
    pipeline = (await crew.deck.do("deploy-tokens.create", body))["token"]
    await crew.refused(401, "PRODUCT_AUTH_MISSING", "GET", TOKENS, token=pipeline)
    await crew.refused(401, "PRODUCT_AUTH_MISSING", "POST", TOKENS, {"label": "x"}, token=pipeline)


async def test_a_token_ends_at_its_time(crew):
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    made = await crew.ok("POST", TOKENS, {"label": "a day", "expiresAt": tomorrow}, status=201)
    assert made["expiresAt"] == f"{tomorrow}T00:00:00.000Z"
    await crew.ok("GET", "/api/web/profile", token=made["token"])
    await crew.db.write(lambda tx: tx.execute(update(PersonalToken).values(expires_at=tx.now)))
    await crew.refused(401, "PRODUCT_AUTH_MISSING", "GET", "/api/web/profile", token=made["token"])


async def test_a_narrowed_token_reads_and_changes_nothing(crew):
    made = await crew.ok("POST", TOKENS, {"label": "reader", "scopes": ["tasks:read"]}, status=201)
    assert made["scopes"] == ["tasks:read"]
    token = made["token"]
    await crew.ok("GET", "/api/web/profile", token=token)
    await crew.refused(403, "TOKEN_NARROWED", "PUT", "/api/web/profile", {"gitName": "Eve"}, token=token)
    await crew.refused(403, "TOKEN_NARROWED", "POST", f"{TOKENS}/{made['id']}/revoke", token=token)
    for path in ("/api/admin/developers", "/api/admin/settings"):
        await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "GET", path, token=token)


NO_TOKENS = [
    {},
    {"label": ""},
    {"label": "x" * 201},
    {"label": 1},
    {"label": "a", "expiresAt": "tomorrow"},
    {"label": "a", "expiresAt": "2020-01-01"},
    {"label": "a", "expiresAt": "0001-01-01T00:00:00+23:00"},
    {"label": "a", "expiresAt": 7},
    {"label": "a", "scopes": ["everything"]},
    {"label": "a", "scopes": "tasks:read"},
    {"label": "a", "scopes": [None]},
    [],
]


async def test_a_token_of_another_shape_is_not_made(crew):
    for body in NO_TOKENS:
        await crew.refused(400, "VALIDATION_ERROR", "POST", TOKENS, body)
    assert (await crew.ok("GET", TOKENS))["total"] == 0


async def test_nobody_ends_the_token_of_another(crew):
    made = await crew.ok("POST", TOKENS, {"label": "laptop"}, status=201)
    _, bob = await crew.person("bob", "tasks:developer")
    for number in (made["id"], 999_999, 0, -1, "x", "9" * 40, "%00", "1e3", "\u0661"):
        answer = await crew.send("POST", f"{TOKENS}/{number}/revoke", token=bob)
        assert answer.status_code in {400, 404}, (number, answer.text)
        assert answer.json()["statusCode"] == answer.status_code
    await crew.refused(404, "TOKEN_NOT_FOUND", "POST", f"{TOKENS}/{made['id']}/revoke", token=bob)
    await crew.ok("GET", "/api/web/profile", token=made["token"])
    assert (await crew.ok("GET", TOKENS, token=bob))["total"] == 0


async def test_tokens_are_listed_in_pages(crew):
    for index in range(5):
        await crew.ok("POST", TOKENS, {"label": f"t{index}"}, status=201)
    seen, cursor = [], ""
    for _ in range(3):
        page = await crew.ok("GET", TOKENS, params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        seen += [one["label"] for one in page["items"]]
        assert page["total"] == 5
        cursor = page["nextCursor"]
    assert (seen, cursor) == (["t4", "t3", "t2", "t1", "t0"], None)
    for query in ({"limit": 0}, {"limit": 101}, {"limit": "x"}, {"cursor": "!"}, {"cursor": "AAAA"}):
        answer = await crew.send("GET", TOKENS, params=query)
        assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR"), query
