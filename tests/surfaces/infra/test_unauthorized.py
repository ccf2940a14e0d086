"""Who is not let in reads the documented texts (contract: infra §1, §2), as published programs print them."""

from __future__ import annotations

from surfaces.infra.test_device_login import let_in

MISSING = ("Unauthorized: Missing token", "product_auth_missing")
INVALID = ("Unauthorized: Invalid token", "product_auth_invalid")
WRONG = ("Unauthorized: Invalid token type", "token_type_wrong")
ROUTES = (
    ("GET", "/api/cli/zones"), ("GET", "/api/cli/configurations/ledger"), ("POST", "/api/jobs"),
    ("GET", "/api/jobs?surface=infra"), ("GET", "/api/cli/jobs/01a22e78-c5de-76ac-b8c5-60814c282c51/logs"),
    ("GET", "/api/jobs/01a22e78-c5de-76ac-b8c5-60814c282c51"), ("GET", "/api/cli/runners"),
    ("POST", "/api/cli/workers"), ("GET", "/api/cli/repositories/github"),
    ("GET", "/api/stream/jobs/01a22e78-c5de-76ac-b8c5-60814c282c51"),
)  # fmt: skip


async def told(crew, method, path, authorization):
    headers = {} if authorization is None else {"authorization": authorization}
    body = {} if method == "POST" else None
    answer = await crew.send(method, path, body, token=None, headers=headers)
    assert answer.status_code == 401, answer.text
    assert answer.json().keys() - {"hint", "detail"} == {"code", "error"}
    return answer.json()["error"], answer.json()["code"]


async def test_every_route_of_people_tells_no_token_a_bad_one_and_one_of_the_wrong_kind_apart(crew):
    renewal = (await let_in(crew))["refresh_token"]
    for route in ROUTES:
        assert await told(crew, *route, None) == MISSING, route
        assert await told(crew, *route, "Bearer nonsense") == INVALID, route
        assert await told(crew, *route, f"Bearer {renewal}") == WRONG, route


async def test_whatever_is_no_bearer_token_is_a_missing_one_and_whatever_is_not_ours_an_invalid_one(crew):
    tokens, zones = await let_in(crew), ("GET", "/api/cli/zones")
    access = tokens["access_token"]
    for none in (None, "", "Bearer", "Bearer  ", "Basic YTpi", access):
        assert await told(crew, *zones, none) == MISSING, none
    head, dot, _ = access.rpartition(".")
    for bad in ("Bearer nonsense", "bearer a.b.c", f"Bearer {head}{dot}c2lnbmVk", "Bearer qd_pat_nobodys"):
        assert await told(crew, *zones, bad) == INVALID, bad


async def test_a_session_that_has_ended_is_an_invalid_token(crew):
    tokens = await let_in(crew)
    await crew.ok("POST", "/api/auth/logout", {"refreshToken": ""}, token=tokens["access_token"], status=200)
    assert await told(crew, "GET", "/api/cli/zones", f"Bearer {tokens['access_token']}") == INVALID


async def test_the_login_of_programs_has_texts_of_its_own(crew):
    tokens = await let_in(crew)
    generate, refresh = "/api/auth/cli/generate", "/api/auth/cli/refresh"
    for said in (None, "Bearer nonsense", f"Bearer {tokens['refresh_token']}"):
        assert (await told(crew, "POST", generate, said))[0] == "Unauthorized"
    for token, error in (("nonsense", "Invalid refresh token"), (tokens["access_token"], "Invalid token type")):
        answer = await crew.send("POST", refresh, {"refresh_token": token}, token=None)
        assert (answer.status_code, answer.json()["error"]) == (401, error)


async def test_other_surfaces_keep_their_one_word_for_all(crew):
    answer = await crew.send("GET", "/api/projects", token="nonsense")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "product_auth_missing")
