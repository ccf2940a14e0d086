"""Signing in and out, one's own account, second factors, keys and tokens, on every surface."""

from __future__ import annotations

import time
import uuid

import pyotp

from quarterdeck.fleet.credentials.keys import new_pair
from support.acts import Act, Person, Stage, act
from support.deck import PASSWORD
from support.mailbox import token as link_of
from surfaces.acts import making

NEW = "a password of tomorrow"
ANYBODY = ("organization:viewer", "tasks:developer")


@act("POST /api/auth/login")
async def login(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"username": who.name, "password": PASSWORD}, nobody=True, known=whose(who))


async def by_address(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"email": who.email, "password": PASSWORD}, nobody=True, known=whose(who))


act("POST /api/auth/sign-in/email")(by_address)
act("POST /api/v1/auth/login")(by_address)


@act("POST /api/auth/refresh")
async def refresh(stage: Stage) -> Act:
    who = await stage.person()
    found = await making.tokens(stage, who)
    return Act(body={"refreshToken": found["refreshToken"]}, nobody=True, known=whose(who))


@act("POST /api/auth/logout")
async def logout(stage: Stage) -> Act:
    who = await making.again(stage, await stage.person())
    return Act(body={}, by=who, known=whose(who))


@act("POST /api/auth/sign-out")
async def sign_out(stage: Stage) -> Act:
    who = await making.again(stage, await stage.person())
    return Act(by=who, known=whose(who))


@act("POST /api/v1/auth/logout")
async def broker_logout(stage: Stage) -> Act:
    who = await making.again(stage, await stage.person())
    return Act(by=who, known=whose(who))


@act("POST /api/auth/cli/generate")
async def device(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"device_code": str(uuid.uuid4())}, by=who, known=whose(who))


@act("POST /api/auth/cli/exchange")
async def exchange(stage: Stage) -> Act:
    who = await stage.person()
    body = {"device_code": str(uuid.uuid4())}
    await stage.ok("POST", "/api/auth/cli/generate", body, by=who)
    return Act(body=body, nobody=True, known=whose(who))


@act("POST /api/auth/cli/refresh")
async def device_refresh(stage: Stage) -> Act:
    who = await stage.person()
    body = {"device_code": str(uuid.uuid4())}
    await stage.ok("POST", "/api/auth/cli/generate", body, by=who)
    told = await stage.ok("POST", "/api/auth/cli/exchange", body, token=None)
    return Act(body={"refresh_token": told["refresh_token"]}, nobody=True, known=whose(who))


@act("POST /api/account/profile")
async def profile(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"displayName": stage.name("called")}, by=who, known=whose(who))


@act("POST /api/account/sessions/{sessionId}/revoke")
async def revoke_session(stage: Stage) -> Act:
    who = await stage.person()
    await making.tokens(stage, who)
    found = await stage.ok("GET", "/api/account/sessions", by=who)
    other = next(one["sessionId"] for one in found["items"] if not one["current"])
    return Act({"sessionId": other}, {}, by=who)


@act("DELETE /api/account")
async def leave(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"confirmation": {"userId": who.ref}}, by=who, known=whose(who))


@act("PUT /api/web/profile")
async def tasks_profile(stage: Stage) -> Act:
    who = await stage.person(*ANYBODY)
    return Act(body={"gitName": stage.name("called")}, by=who, known=whose(who))


@act("PUT /api/web/profile/password")
async def tasks_password(stage: Stage) -> Act:
    who = await stage.person(*ANYBODY)
    return Act(body={"currentPassword": PASSWORD, "newPassword": NEW}, by=who, known=whose(who))


@act("POST /api/web/profile/totp/setup")
async def totp_setup(stage: Stage) -> Act:
    who = await stage.person(*ANYBODY)
    return Act(body={}, by=who, known=whose(who))


@act("POST /api/web/profile/totp/verify")
async def totp_verify(stage: Stage) -> Act:
    who = await stage.person(*ANYBODY)
    made = await stage.ok("POST", "/api/web/profile/totp/setup", {}, by=who)
    return Act(body={"code": pyotp.TOTP(made["secret"]).now()}, by=who, known=whose(who))


@act("POST /api/web/profile/tokens")
async def personal_token(stage: Stage) -> Act:
    return Act(body={"label": stage.name("laptop")}, by=await stage.person(*ANYBODY))


@act("POST /api/web/profile/tokens/{id}/revoke")
async def revoke_personal_token(stage: Stage) -> Act:
    who = await stage.person(*ANYBODY)
    made = await stage.ok("POST", "/api/web/profile/tokens", {"label": stage.name("laptop")}, by=who)
    return Act({"id": str(made["id"])}, {}, by=who)


@act("PUT /api/users/profile")
async def runbooks_profile(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"display_name": stage.name("called")}, by=who, known=whose(who))


@act("POST /api/users/password")
async def runbooks_password(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"current_password": PASSWORD, "new_password": NEW}, by=who, known=whose(who))


@act("PUT /api/users/me/preferences")
async def preferences(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"pinned_services": [stage.name("pin")]}, by=who, known=whose(who))


@act("POST /api/auth/verify-identity")
async def prove(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"password": PASSWORD}, by=who, known=whose(who))


@act("POST /api/auth/forgot-password")
async def forgot(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"email": who.email}, nobody=True, known=whose(who))


@act("POST /api/auth/confirm-address")
async def confirm_address(stage: Stage) -> Act:
    who, email, count = await stage.person(), f"{stage.name('later')}@example.com", len(stage.box.letters)
    await stage.ok("PUT", "/api/users/profile", {"email": email}, token=who.token)
    await stage.box.wait(count + 2)
    (link,) = (link_of(letter) for letter in stage.box.letters if letter["to"] == email)
    return Act(body={"token": link}, nobody=True, known=whose(who))


@act("POST /api/auth/password-reset/{token}")
async def reset(stage: Stage) -> Act:
    who = await stage.person()
    count = len(stage.box.letters)
    await stage.ok("POST", "/api/auth/forgot-password", {"email": who.email}, token=None)
    letter = await stage.box.wait(count + 1)
    return Act({"token": link_of(letter)}, {"password": NEW}, nobody=True, known=whose(who))


@act("POST /api/auth/invite/{token}")
async def accept(stage: Stage) -> Act:
    made = await making.invited(stage)
    who = made["user"]
    return Act({"token": made["token"]}, {"password": NEW}, nobody=True, known={"name": who["username"]})


@act("POST /api/auth/mfa/enroll")
async def enroll(stage: Stage) -> Act:
    who = await stage.person()
    return Act(by=who, known=whose(who))


@act("POST /api/auth/mfa/confirm")
async def confirm(stage: Stage) -> Act:
    who = await stage.person()
    made = await stage.ok("POST", "/api/auth/mfa/enroll", by=who)
    return Act(body={"code": pyotp.TOTP(made["totp_secret"]).now()}, by=who, known=whose(who))


@act("POST /api/auth/mfa/verify")
async def verify(stage: Stage) -> Act:
    who = await stage.person(*ANYBODY)
    totp = await making.second_factor(stage, who)
    step = await making.tokens(stage, who)
    body = {"mfa_token": step["mfa_token"], "code": totp.at(time.time() + 30)}
    return Act(body=body, nobody=True, known=whose(who))


@act("POST /api/auth/mfa/disable")
async def disable(stage: Stage) -> Act:
    who = await stage.person(*ANYBODY)
    totp = await making.second_factor(stage, who)
    return Act(body={"code": totp.at(time.time() + 30), "password": PASSWORD}, by=who, known=whose(who))


@act("POST /api/auth/mfa/backup-codes/regenerate")
async def regenerate(stage: Stage) -> Act:
    who = await stage.person(*ANYBODY)
    totp = await making.second_factor(stage, who)
    return Act(body={"code": totp.at(time.time() + 30), "password": PASSWORD}, by=who, known=whose(who))


@act("POST /api/auth/me/ssh-key")
async def own_key(stage: Stage) -> Act:
    who = await stage.person()
    return Act(by=who, known=whose(who))


@act("DELETE /api/auth/me/ssh-key")
async def drop_own_key(stage: Stage) -> Act:
    who = await stage.person()
    await stage.ok("POST", "/api/auth/me/ssh-key", by=who)
    return Act(by=who, known=whose(who))


@act("PUT /api/auth/me/personal-ssh-key")
async def brought_key(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"key": new_pair().public}, by=who, known=whose(who))


@act("DELETE /api/auth/me/personal-ssh-key")
async def drop_brought_key(stage: Stage) -> Act:
    who = await stage.person()
    await stage.ok("PUT", "/api/auth/me/personal-ssh-key", {"key": new_pair().public}, by=who)
    return Act(by=who, known=whose(who))


def whose(who: Person) -> dict[str, str]:
    return {"uid": who.uid, "name": who.name}
