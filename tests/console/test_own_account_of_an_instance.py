"""One's own account in the console of a real instance: every deed counts, is recorded, and says no in its place."""

from __future__ import annotations

import html
import re

import pyotp
import pytest
from sqlalchemy import select

from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.clock import SystemClock
from quarterdeck.kernel.vault import Secret
from support.deck import EMAIL, PASSWORD, running, signed_in

NEW = "a password of tomorrow"
ME, FACTOR, TOKENS = "/console/me", "/console/me/second-factor", "/console/me/tokens"


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        made.client.cookies.set("qd_session", made.instance.signer.sign(Secret(made.token)))
        made.client.headers["origin"] = "http://localhost"
        yield made


async def post(deck, path, **form):
    answer = await deck.client.post(path, data=form, follow_redirects=False)
    assert answer.headers["cache-control"] == "no-store"
    return answer


async def told(deck):
    """What the trail has so far, oldest first."""
    query = select(audit_events.c.action).order_by(audit_events.c.id)
    return [row.action for row in await deck.instance.db.read(lambda tx: tx.execute(query).all())]


def code(secret, later=0):
    return pyotp.TOTP(secret).at(int(SystemClock().now().timestamp()) + 30 * later)


async def other_session(deck, password=PASSWORD):
    """A token of another session of Ada's."""
    answer = await deck.send("POST", "/api/auth/login", {"username": EMAIL, "password": password}, token=None)
    deck.client.cookies.delete("better-auth.session_token", domain="localhost.local")
    return answer.json()["access_token"]


async def lives(deck, token):
    return (await deck.send("GET", "/api/account/profile", token=token, headers={"cookie": ""})).status_code == 200


async def test_a_new_password_ends_the_other_sessions_and_signs_in(deck):
    other = await other_session(deck)
    assert "Your other session ends" in (await deck.client.get(f"{ME}/password")).text
    wrong = {"currentPassword": "a guess of somebody", "password": NEW, "passwordAgain": NEW}
    refused = await post(deck, f"{ME}/password", **wrong)
    assert (refused.status_code, 'id="f-currentPassword-e"' in refused.text) == (400, True)
    short = await post(deck, f"{ME}/password", currentPassword=PASSWORD, password="short", passwordAgain="short")
    assert (short.status_code, 'id="f-password-e"' in short.text) == (400, True)
    assert await lives(deck, other)
    done = await post(deck, f"{ME}/password", currentPassword=PASSWORD, password=NEW, passwordAgain=NEW)
    assert (done.status_code, done.headers["location"]) == (303, f"{ME}/password")
    assert "Password changed. Your other sessions have ended." in (await deck.client.get(f"{ME}/password")).text
    assert not await lives(deck, other)
    assert await lives(deck, await other_session(deck, NEW))


async def test_guesses_at_the_password_of_an_open_session_are_held_back(deck):
    form = {"currentPassword": "a guess of somebody", "password": NEW, "passwordAgain": NEW}
    answers = [(await post(deck, f"{ME}/password", **form)).status_code for _ in range(22)]
    assert answers[0] == 400
    assert answers[-1] == 429


async def test_a_second_factor_is_set_up_asked_for_at_the_door_and_turned_off(deck):
    assert "Off" in (await deck.client.get(FACTOR)).text
    begun = await post(deck, FACTOR)
    (secret,) = re.findall('name="secret" value="([A-Z2-7]{32})"', begun.text)
    assert "<svg" in begun.text.partition('class="qr"')[2]
    wrong = await post(deck, f"{FACTOR}/confirm", code="000000", secret=secret)
    assert (wrong.status_code, 'id="f-code-e"' in wrong.text, 'class="qr"' in wrong.text) == (400, True, True)
    forged = await post(deck, f"{FACTOR}/confirm", code="000000", secret="A" * 32)
    assert (forged.status_code, secret in forged.text, 'class="qr"' in forged.text) == (400, False, False)
    on = await post(deck, f"{FACTOR}/confirm", code=code(secret), secret=secret)
    codes = re.findall("[0-9a-f]{8}-[0-9a-f]{8}", on.text.partition("<main")[2])[:10]
    assert len(set(codes)) == 10
    assert (await post(deck, FACTOR)).status_code == 409
    page = (await deck.client.get(FACTOR)).text
    assert "10 left" in page
    assert not any(text in page for text in (secret, *codes))

    async def at_the_door(typed):
        asked = await post(deck, "/console/sign-in", username=EMAIL, password=PASSWORD, next="/console/jobs")
        assert (asked.status_code, "set-cookie" in asked.headers) == (401, False)
        (step,) = re.findall('name="step" value="([^"]+)"', asked.text)
        return step, await post(deck, "/console/sign-in", step=step, totpCode=typed, next="/console/jobs")

    mine = deck.client.cookies["qd_session"]
    deck.client.cookies.clear()
    _, refused = await at_the_door("000000")
    assert (refused.status_code, "The code is wrong." in refused.text) == (401, True)
    _, replayed = await at_the_door(code(secret))
    assert replayed.status_code == 401
    step, came = await at_the_door(code(secret, 1))
    assert (came.status_code, came.headers["location"]) == (303, "/console/jobs")
    deck.client.cookies.clear()
    again = await post(deck, "/console/sign-in", step=step, totpCode=codes[0])
    assert (again.status_code, 'name="password"' in again.text) == (400, True)
    _, recovered = await at_the_door(codes[0])
    assert recovered.status_code == 303
    deck.client.cookies.clear()
    _, twice = await at_the_door(codes[0])
    assert twice.status_code == 401
    deck.client.cookies.set("qd_session", mine)
    assert "9 left" in (await deck.client.get(FACTOR)).text
    assert 'id="r-code-e"' in (await post(deck, f"{FACTOR}/codes", code=codes[0])).text
    renewed = await post(deck, f"{FACTOR}/codes", code=codes[1])
    fresh = re.findall("[0-9a-f]{8}-[0-9a-f]{8}", renewed.text.partition("<main")[2])[:10]
    assert set(fresh).isdisjoint(codes)
    for form, field in (
        ({"password": NEW, "code": fresh[0]}, "password"),
        ({"password": PASSWORD, "code": codes[2]}, "code"),
    ):
        kept = await post(deck, f"{FACTOR}/off", **form)
        assert (kept.status_code, f'id="o-{field}-e"' in kept.text) == (400, True)
    off = await post(deck, f"{FACTOR}/off", password=PASSWORD, code=fresh[0])
    assert (off.status_code, off.headers["location"]) == (303, FACTOR)
    deck.client.cookies.clear()
    assert (await post(deck, "/console/sign-in", username=EMAIL, password=PASSWORD)).status_code == 303
    trail = [action for action in await told(deck) if action.startswith("user.")]
    assert [action for action in trail if "factor" in action or "recovery" in action] == [
        "user.second-factor-begun", "user.second-factor-enabled", "user.recovery-code-used",
        "user.recovery-code-used", "user.recovery-codes-renewed",
        "user.recovery-code-used", "user.second-factor-disabled",
    ]  # fmt: skip


async def test_a_personal_token_works_as_chosen_until_it_is_revoked(deck):
    made = await post(deck, TOKENS, label="ci", ends="30", **{"scope-deploy:read": "yes"})
    assert made.status_code == 200
    (token,) = set(re.findall(r"ov_pat_\d+_[A-Za-z0-9_-]{43}", html.unescape(made.text)))
    page = (await deck.client.get(TOKENS)).text
    assert token not in page
    assert "never used" in page
    deck.client.cookies.delete("qd_session")
    assert await lives(deck, token)
    refused = await deck.request("projects.create", {"name": "Shop"}, token=token)
    assert refused.status_code == 403
    # A token of a program changes nothing of what one signs in with, here as little as over the API.
    by_token = {"authorization": f"Bearer {token}"}
    for path, form in (
        (TOKENS, {"label": "more", "ends": ""}),
        (FACTOR, {}),
        (f"{ME}/sign-out-elsewhere", {}),
        (f"{ME}/password", {"currentPassword": PASSWORD, "password": NEW, "passwordAgain": NEW}),
    ):
        answer = await deck.client.post(path, data=form, headers=by_token)
        assert (answer.status_code, "This token is narrowed to scopes" in answer.text) == (403, True), path
    deck.client.cookies.set("qd_session", deck.instance.signer.sign(Secret(deck.token)))
    page = (await deck.client.get(TOKENS)).text
    assert "never used" not in page
    (ref,) = set(re.findall(rf"{TOKENS}/(\d+)/revoke", page))
    assert "Revoke ci?" in (await deck.client.get(f"{TOKENS}/{ref}/revoke")).text
    assert (await post(deck, f"{TOKENS}/99{ref}/revoke")).status_code == 404
    assert (await post(deck, f"{TOKENS}/{ref}/revoke")).status_code == 303
    deck.client.cookies.delete("qd_session")
    assert not await lives(deck, token)


async def test_bad_labels_and_times_make_no_token(deck):
    for form, field in (({"label": " ", "ends": "30"}, "label"), ({"label": "x" * 201, "ends": "30"}, "label"),
                        ({"label": "ci", "ends": "4000"}, "ends")):  # fmt: skip
        answer = await post(deck, TOKENS, **form)
        assert (answer.status_code, f'id="f-{field}-e"' in answer.text) == (400, True)
    odd = await post(deck, TOKENS, label="ci", ends="", **{"scope-everything": "yes"})
    assert (odd.status_code, "There is no scope everything" in odd.text) == (400, True)
    assert "None yet." in (await deck.client.get(TOKENS)).text


async def test_signing_out_everywhere_else_leaves_this_session_alone(deck):
    others = [await other_session(deck) for _ in range(2)]
    assert (await post(deck, f"{ME}/sign-out-elsewhere")).status_code == 303
    assert not any([await lives(deck, token) for token in others])
    page = (await deck.client.get(ME)).text
    assert "Signed out everywhere else" in page
    assert page.count('<form class="push" method="post" action="/console/me/sessions/') == 0
    assert (await told(deck)).count("session.revoked") == 2
    assert "You are signed in nowhere else." in (await deck.client.get(f"{ME}/sign-out-elsewhere")).text


async def test_what_the_browser_let_in_ends_with_it_and_is_not_renewed(deck):
    program = {"device_code": "c" * 40}
    assert (await deck.send("POST", "/api/auth/cli/exchange", program, token=None)).status_code == 404
    await deck.send("POST", "/api/auth/cli/generate", program)
    told_once = (await deck.send("POST", "/api/auth/cli/exchange", program, token=None)).json()
    assert await lives(deck, told_once["access_token"])
    assert (await post(deck, f"{ME}/sign-out-elsewhere")).status_code == 303
    assert not await lives(deck, told_once["access_token"])
    renewal = {"refresh_token": told_once["refresh_token"]}
    assert (await deck.send("POST", "/api/auth/cli/refresh", renewal, token=None)).status_code == 401


async def test_a_session_acts_in_another_organization_of_its_owner_only(deck):
    assert "Act here" not in (await deck.client.get(ME)).text
    made = (await deck.send("POST", "/api/organizations", {"name": "Acme"})).json()["organizationId"]
    assert "Act here" in (await deck.client.get(ME)).text
    assert (await post(deck, f"{ME}/organization", organization="org_elsewhere00")).status_code == 404
    moved = await post(deck, f"{ME}/organization", organization=made)
    assert (moved.status_code, moved.headers["location"]) == (303, "/console/")
    assert '<span class="org cut">Acme</span>' in (await deck.client.get("/console/")).text
    assert (await told(deck)).count("session.organization-switched") == 1


async def test_a_form_of_another_site_changes_nothing(deck):
    for path, form in (
        (FACTOR, {}),
        (TOKENS, {"label": "ci", "ends": ""}),
        (f"{ME}/sign-out-elsewhere", {}),
        (f"{ME}/password", {"currentPassword": PASSWORD, "password": NEW, "passwordAgain": NEW}),
    ):
        answer = await deck.client.post(path, data=form, headers={"origin": "https://evil.example"})
        assert answer.status_code == 403, path
    assert "None yet." in (await deck.client.get(TOKENS)).text
