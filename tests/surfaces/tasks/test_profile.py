"""One's own profile, password and second factor."""

from __future__ import annotations

import time

import pyotp

from quarterdeck.identity import users
from quarterdeck.identity.attempts import PROOFS
from support.deck import PASSWORD

PROFILE = "/api/web/profile"
SECRET_KEYS = {"passwordHash", "totpSecret", "password_hash", "totp_secret"}


async def pat(crew, **given) -> str:
    body = {"label": "laptop", **given}
    return (await crew.ok("POST", f"{PROFILE}/tokens", body, status=201))["token"]


async def test_a_profile_is_shown_without_what_is_secret(crew):
    shown = await crew.ok("GET", PROFILE)
    assert shown["name"] == "ada"
    assert (shown["role"], shown["isActive"], shown["totpEnabled"]) == ("admin", True, False)
    assert shown["platformBindings"] == []
    assert not SECRET_KEYS & shown.keys()


async def test_what_commits_are_signed_with_is_changed_and_taken_away(crew):
    body = {"gitName": "Ada L.", "gitEmail": "ada@git.example.com"}
    shown = await crew.once("user.changed", "PUT", PROFILE, body)
    assert (shown["gitName"], shown["gitEmail"]) == ("Ada L.", "ada@git.example.com")
    before = len(await crew.told())
    assert await crew.ok("PUT", PROFILE, body) == shown
    assert await crew.ok("PUT", PROFILE, {}) == shown
    assert len(await crew.told()) == before
    shown = await crew.once("user.changed", "PUT", PROFILE, {"gitName": None})
    assert (shown["gitName"], shown["gitEmail"]) == (None, "ada@git.example.com")


async def test_a_profile_of_another_shape_is_refused(crew):
    for body in ({"gitName": 1}, {"gitEmail": "nowhere"}, {"gitName": "x" * 201}, {"gitEmail": ["a@b.c"]}, [1]):
        await crew.refused(400, "VALIDATION_ERROR", "PUT", PROFILE, body)


async def test_a_password_is_changed_by_the_one_before_and_ends_other_sessions(crew):
    here, elsewhere = await crew.tokens(), await crew.tokens()
    body = {"currentPassword": PASSWORD, "newPassword": "another good password"}
    told = await crew.once("user.password-changed", "PUT", f"{PROFILE}/password", body, token=here["accessToken"])
    assert told == {"success": True}
    assert (await crew.ok("GET", PROFILE, token=here["accessToken"]))["name"] == "ada"
    assert (await crew.send("GET", PROFILE, token=elsewhere["accessToken"])).status_code == 401
    assert (await crew.login()).status_code == 401
    assert (await crew.login(password="another good password")).status_code == 200


async def test_a_wrong_password_is_400_and_a_new_one_that_is_none_too(crew):
    wrong = {"currentPassword": "nope", "newPassword": "another good password"}
    await crew.refused(400, "PASSWORD_WRONG", "PUT", f"{PROFILE}/password", wrong)
    short = {"currentPassword": PASSWORD, "newPassword": "short"}
    await crew.refused(400, "VALIDATION_ERROR", "PUT", f"{PROFILE}/password", short)
    for body in ({}, {"currentPassword": PASSWORD}, {"currentPassword": 1, "newPassword": 2}):
        await crew.refused(400, "VALIDATION_ERROR", "PUT", f"{PROFILE}/password", body)
    assert (await crew.login()).status_code == 200


async def test_guessing_at_the_current_password_is_slowed_down(crew):
    wrong = {"currentPassword": "nope", "newPassword": "another good password"}
    instance = crew.deck.instance
    ada = await instance.db.read(users.find, "ada")
    for _ in range(PROOFS.count):  # as many wrong ones, without the time that each takes
        instance.attempts.begin_proof("password", ada.uid)
    await crew.refused(429, "RATE_LIMITED", "PUT", f"{PROFILE}/password", wrong)


async def set_up(crew, token="") -> tuple[pyotp.TOTP, list[str]]:
    made = await crew.ok("POST", f"{PROFILE}/totp/setup", token=token)
    totp = pyotp.TOTP(made["secret"])
    told = await crew.ok("POST", f"{PROFILE}/totp/verify", {"code": totp.now()}, token=token)
    assert told["totpEnabled"] is True
    return totp, told["recoveryCodes"]


async def test_a_second_factor_waits_for_a_code_of_it(crew):
    first = await crew.once("user.second-factor-begun", "POST", f"{PROFILE}/totp/setup")
    assert first["qrCodeUri"].startswith("otpauth://totp/")
    assert first["secret"] in first["qrCodeUri"]
    second = await crew.ok("POST", f"{PROFILE}/totp/setup")
    assert (await crew.login()).status_code == 200  # pending: not asked for yet
    old = {"code": pyotp.TOTP(first["secret"]).now()}
    await crew.refused(400, "SECOND_FACTOR_CODE_WRONG", "POST", f"{PROFILE}/totp/verify", old)
    good = {"code": pyotp.TOTP(second["secret"]).now()}
    told = await crew.once("user.second-factor-enabled", "POST", f"{PROFILE}/totp/verify", good)
    assert len(told["recoveryCodes"]) == len(set(told["recoveryCodes"])) == 10
    assert (await crew.ok("GET", PROFILE))["totpEnabled"] is True
    await crew.refused(409, "SECOND_FACTOR_ENABLED", "POST", f"{PROFILE}/totp/setup")
    await crew.refused(409, "SECOND_FACTOR_NOT_PENDING", "POST", f"{PROFILE}/totp/verify", good)


async def test_a_sign_in_asks_for_the_code_and_takes_none_twice(crew):
    totp, codes = await set_up(crew)
    missing = await crew.login(totpCode="")
    assert (missing.status_code, missing.json()["code"]) == (401, "TOTP_REQUIRED")
    # The code that confirmed the factor is used up; the next one is good once.
    used = await crew.login(totpCode=totp.now())
    assert used.status_code == 401
    following = totp.at(time.time() + 30)
    assert (await crew.login(totpCode=following)).status_code == 200
    replayed = await crew.login(totpCode=following)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "SECOND_FACTOR_CODE_WRONG")
    assert (await crew.login(totpCode=codes[0])).status_code == 200
    assert (await crew.login(totpCode=codes[0])).status_code == 401


async def test_a_code_of_another_shape_is_refused(crew):
    for body in ({}, {"code": ""}, {"code": 123456}, {"code": "1" * 33}, {"code": None}):
        await crew.refused(400, "VALIDATION_ERROR", "POST", f"{PROFILE}/totp/verify", body)


async def test_a_token_of_a_program_changes_nothing_that_one_signs_in_with(crew):
    token = await pat(crew)
    assert (await crew.ok("GET", PROFILE, token=token))["name"] == "ada"
    password = {"currentPassword": PASSWORD, "newPassword": "another good password"}
    for method, path, body in (
        ("PUT", "/password", password),
        ("POST", "/totp/setup", {}),
        ("POST", "/totp/verify", {"code": "123456"}),
        ("POST", "/tokens", {"label": "child"}),
    ):
        await crew.refused(403, "SESSION_REQUIRED", method, PROFILE + path, body, token=token)
    await crew.refused(403, "SESSION_REQUIRED", "POST", "/api/auth/logout", {}, token=token)
    for method, path in (("GET", "get-session"), ("GET", "session"), ("POST", "sign-out")):
        answer = await crew.send(method, f"/api/auth/{path}", token=token)
        assert (answer.status_code, answer.json()["data"]["domainCode"]) == (403, "session_required")


async def test_nobody_is_told_a_profile(crew):
    for method, path in (
        ("GET", ""),
        ("PUT", ""),
        ("PUT", "/password"),
        ("POST", "/totp/setup"),
        ("POST", "/totp/verify"),
        ("GET", "/tokens"),
        ("POST", "/tokens"),
        ("POST", "/tokens/1/revoke"),
    ):
        await crew.refused(401, "PRODUCT_AUTH_MISSING", method, PROFILE + path, token=None)
