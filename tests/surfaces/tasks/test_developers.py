"""People as administrators of the tasks surface create, change and keep them out."""

from __future__ import annotations

import pyotp

PEOPLE = "/api/admin/developers"
BOB = {"name": "bob", "password": "a password of bob", "role": "lead", "gitName": "Bob", "gitEmail": "bob@example.com"}


async def bob_of(crew, **given):
    return await crew.ok("POST", PEOPLE, {**BOB, **given}, status=201)


async def test_somebody_who_is_created_signs_in_and_has_their_role(crew):
    made = await crew.once("user.created", "POST", PEOPLE, BOB, status=201)
    assert {key: made[key] for key in ("name", "role", "gitName", "gitEmail", "isActive", "totpEnabled")} == {
        "name": "bob",
        "role": "lead",
        "gitName": "Bob",
        "gitEmail": "bob@example.com",
        "isActive": True,
        "totpEnabled": False,
    }
    assert "password" not in str(made).lower()
    session = await crew.tokens("bob", BOB["password"])
    assert (await crew.ok("GET", "/api/web/profile", token=session["accessToken"]))["id"] == made["id"]
    await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "GET", PEOPLE, token=session["accessToken"])
    assert "tasks:machines.drain" in session["permissions"]
    assert not [one for one in session["permissions"] if not one.startswith("tasks:")]


async def test_people_are_listed_found_and_paged(crew):
    await bob_of(crew)
    await bob_of(crew, name="carol", role="developer", gitName="Carol", gitEmail=None)
    listed = await crew.ok("GET", PEOPLE)
    assert [(one["name"], one["role"]) for one in listed["items"]] == [
        ("carol", "developer"), ("bob", "lead"), ("ada", "admin")
    ]  # fmt: skip
    assert (listed["total"], listed["nextCursor"]) == (3, None)
    assert [one["name"] for one in (await crew.ok("GET", PEOPLE, params={"q": "BOB@ex"}))["items"]] == ["bob"]
    first = await crew.ok("GET", PEOPLE, params={"limit": 2})
    second = await crew.ok("GET", PEOPLE, params={"limit": 2, "cursor": first["nextCursor"]})
    assert [one["name"] for one in second["items"]] == ["ada"]


async def test_people_of_another_organization_do_not_exist_here(crew):
    there, token = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    assert [one["name"] for one in (await crew.ok("GET", PEOPLE))["items"]] == ["ada"]
    for path, body in ((f"{PEOPLE}/{there}", {"role": "lead"}), (f"{PEOPLE}/{there}/reset-totp", {})):
        await crew.refused(404, "DEVELOPER_NOT_FOUND", "PUT", path, body)
    ada = (await crew.ok("GET", "/api/web/profile"))["id"]
    await crew.refused(404, "DEVELOPER_NOT_FOUND", "PUT", f"{PEOPLE}/{ada}", {"isActive": False}, token=token)
    assert [one["name"] for one in (await crew.ok("GET", PEOPLE, token=token))["items"]] == ["eve"]


async def test_a_member_without_a_role_here_is_listed_and_can_be_given_one(crew):
    dan, token = await crew.person("dan", "organization:viewer")
    assert (await crew.ok("GET", PEOPLE))["items"][0]["role"] is None
    await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "GET", "/api/web/profile", token=token)
    given = await crew.once("member.roles-changed", "PUT", f"{PEOPLE}/{dan}", {"role": "developer"})
    assert given["role"] == "developer"
    assert (await crew.ok("GET", "/api/web/profile", token=token))["role"] == "developer"


async def test_what_is_given_is_changed_and_nothing_else(crew):
    bob = await bob_of(crew)
    path = f"{PEOPLE}/{bob['id']}"
    assert await crew.once("user.changed", "PUT", path, {"platform_uid": "ou_1"}) == {**bob, "platformUid": "ou_1"}
    changed = await crew.once("user.changed", "PUT", path, {"platformUid": "U2", "gitName": None})
    assert (changed["platformUid"], changed["gitName"], changed["role"]) == ("U2", None, "lead")
    before = len(await crew.told())
    assert await crew.ok("PUT", path, {}) == changed
    assert await crew.ok("PUT", path, {"role": "lead", "isActive": True}) == changed
    assert len(await crew.told()) == before
    token = (await crew.tokens("bob", BOB["password"]))["accessToken"]
    bindings = (await crew.ok("GET", "/api/web/profile", token=token))["platformBindings"]
    assert bindings == [{"platform": "slack", "uid": "U2"}]


async def test_a_role_counts_from_the_next_request_on(crew):
    bob = await bob_of(crew, role="admin")
    token = (await crew.tokens("bob", BOB["password"]))["accessToken"]
    await crew.ok("GET", PEOPLE, token=token)
    await crew.once("member.roles-changed", "PUT", f"{PEOPLE}/{bob['id']}", {"role": "developer"})
    await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "GET", PEOPLE, token=token)


async def test_whoever_is_kept_out_is_out_at_once_and_comes_back(crew):
    bob = await bob_of(crew)
    session = await crew.tokens("bob", BOB["password"])
    pat = await crew.ok("POST", "/api/web/profile/tokens", {"label": "x"}, token=session["accessToken"], status=201)
    out = await crew.once("user.deactivated", "PUT", f"{PEOPLE}/{bob['id']}", {"isActive": False})
    assert out["isActive"] is False
    for token in (session["accessToken"], session["access_token"], pat["token"]):
        await crew.refused(401, "PRODUCT_AUTH_MISSING", "GET", "/api/web/profile", token=token)
    refused = await crew.login("bob", BOB["password"])
    unknown = await crew.login("nobody", BOB["password"])
    assert refused.status_code == unknown.status_code == 401
    assert refused.json() == unknown.json()
    await crew.once("user.activated", "PUT", f"{PEOPLE}/{bob['id']}", {"isActive": True})
    assert (await crew.login("bob", BOB["password"])).status_code == 200


async def test_a_password_that_is_set_ends_every_session(crew):
    bob = await bob_of(crew)
    session = await crew.tokens("bob", BOB["password"])
    body = {"password": "a new one of bob"}
    await crew.once("user.password-reset", "PUT", f"{PEOPLE}/{bob['id']}", body)
    await crew.refused(401, "PRODUCT_AUTH_MISSING", "GET", "/api/web/profile", token=session["accessToken"])
    assert (await crew.login("bob", BOB["password"])).status_code == 401
    assert (await crew.login("bob", "a new one of bob")).status_code == 200


async def test_a_lost_second_factor_is_reset(crew):
    bob = await bob_of(crew)
    token = (await crew.tokens("bob", BOB["password"]))["accessToken"]
    made = await crew.ok("POST", "/api/web/profile/totp/setup", token=token)
    code = {"code": pyotp.TOTP(made["secret"]).now()}
    await crew.ok("POST", "/api/web/profile/totp/verify", code, token=token)
    assert (await crew.login("bob", BOB["password"], totpCode="")).json()["code"] == "TOTP_REQUIRED"
    told = await crew.once("user.second-factor-disabled", "PUT", f"{PEOPLE}/{bob['id']}/reset-totp")
    assert told["totpEnabled"] is False
    assert (await crew.login("bob", BOB["password"], totpCode="")).status_code == 200
    before = len(await crew.told())
    assert (await crew.ok("PUT", f"{PEOPLE}/{bob['id']}/reset-totp"))["totpEnabled"] is False
    assert len(await crew.told()) == before


async def test_the_last_administrator_and_ones_own_account_are_kept(crew):
    ada = (await crew.ok("GET", "/api/web/profile"))["id"]
    path = f"{PEOPLE}/{ada}"
    await crew.refused(409, "LAST_ADMINISTRATOR", "PUT", path, {"role": "lead"})
    await crew.refused(400, "OWN_ACCOUNT", "PUT", path, {"isActive": False})
    await crew.refused(400, "OWN_ACCOUNT", "PUT", path, {"password": "a new one of ada"})
    await crew.refused(400, "OWN_ACCOUNT", "PUT", f"{path}/reset-totp")
    await bob_of(crew, role="admin")
    assert (await crew.ok("PUT", path, {"role": "lead"}))["role"] == "lead"


async def test_an_administrator_of_this_surface_does_not_take_over_who_may_more(crew):
    ada = (await crew.ok("GET", "/api/web/profile"))["id"]
    await bob_of(crew, role="admin")
    token = (await crew.tokens("bob", BOB["password"]))["accessToken"]
    for path, body in (
        (f"{PEOPLE}/{ada}", {"password": "a new one of ada"}),
        (f"{PEOPLE}/{ada}", {"isActive": False}),
        (f"{PEOPLE}/{ada}", {"role": "developer", "isActive": False}),
        (f"{PEOPLE}/{ada}/reset-totp", {}),
    ):
        await crew.refused(403, "ACCOUNT_OUTRANKS", "PUT", path, body, token=token)
    assert (await crew.ok("GET", "/api/web/profile"))["role"] == "admin"


async def test_nobody_takes_a_role_that_carries_what_they_have_not_got(crew):
    """On this surface as on every other: who looks after people is no way past who may more."""
    body = {"name": "People", "permissions": ["tasks:developers.manage", "tasks:profile.own"]}
    made = await crew.ok("POST", "/api/access/roles", body, status=201)
    eve = await bob_of(crew, role="admin")
    admin = await crew.ok("POST", PEOPLE, {**BOB, "name": "dora", "role": "admin"}, status=201)
    await crew.ok("POST", "/api/access/grants", {"user": "bob", "role": made["key"]})
    await crew.ok("PUT", f"{PEOPLE}/{eve['id']}", {"role": "developer"})
    token = (await crew.tokens("bob", BOB["password"]))["accessToken"]
    path = f"{PEOPLE}/{admin['id']}"
    await crew.refused(403, "PERMISSION_NOT_HELD", "PUT", path, {"role": "developer"}, token=token)
    assert (await crew.ok("PUT", path, {"gitName": "Dora"}, token=token))["role"] == "admin"
    assert (await crew.ok("PUT", path, {"role": "developer"}))["role"] == "developer"


async def test_a_name_is_taken_once_whatever_its_case(crew):
    await bob_of(crew)
    await crew.refused(409, "USERNAME_TAKEN", "POST", PEOPLE, {**BOB, "name": "BOB"})
    assert (await crew.ok("GET", PEOPLE))["total"] == 2


async def test_input_of_another_shape_changes_nothing(crew):
    for given in (
        {"name": ""},
        {"name": "b b"},
        {"name": 7},
        {"name": "x" * 101},
        {"password": "short"},
        {"password": None},
        {"role": "owner"},
        {"role": None},
        {"gitEmail": "nowhere"},
        {"gitName": {}},
    ):
        await crew.refused(400, "VALIDATION_ERROR", "POST", PEOPLE, {**BOB, **given})
    await crew.refused(400, "VALIDATION_ERROR", "POST", PEOPLE, {})
    assert (await crew.ok("GET", PEOPLE))["total"] == 1
    bob = await bob_of(crew)
    for given in ({"role": "owner"}, {"isActive": "no"}, {"password": "short"}, {"gitEmail": "x"}, {"platformUid": 1}):
        await crew.refused(400, "VALIDATION_ERROR", "PUT", f"{PEOPLE}/{bob['id']}", given)
    for number in ("999999", "0", "-1", "x", "9" * 40, "1.0", "\u0661"):
        await crew.refused(404, "DEVELOPER_NOT_FOUND", "PUT", f"{PEOPLE}/{number}", {"role": "lead"})
        await crew.refused(404, "DEVELOPER_NOT_FOUND", "PUT", f"{PEOPLE}/{number}/reset-totp")
