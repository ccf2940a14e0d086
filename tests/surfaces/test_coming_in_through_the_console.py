"""The links of real mails let people in through the console's pages, as they do over the API."""

from __future__ import annotations

import pytest

from quarterdeck.identity.passwords import hashed
from quarterdeck.kernel.clock import SystemClock
from quarterdeck.kernel.vault import Secret
from support.deck import PASSWORD
from support.lodge import Lodge
from support.mailbox import text, token

NEW = "a password of tomorrow"
ORIGIN = {"origin": "http://localhost"}


async def post(lodge: Lodge, page: str, **form: str):
    return await lodge.deck.client.post(f"/console/{page}", data=form, headers=ORIGIN, follow_redirects=False)


async def asked_in(lodge: Lodge, name: str, **more) -> str:
    """The token of the mail that somebody got."""
    count = len(lodge.box.letters) + 1
    await lodge.send("POST", "/api/users", {"username": name, "email": f"{name}@example.com", **more})
    letter = await lodge.box.wait(count)
    assert "/console/accept-invitation#" in text(letter)
    return token(letter)


async def test_the_mailed_invitation_lets_a_newcomer_in_once(lodge):
    client = lodge.deck.client
    link = await asked_in(lodge, "bob")
    assert (await client.get("/console/accept-invitation")).status_code == 200
    looked = await post(lodge, "accept-invitation", token=link)
    assert (looked.status_code, looked.text.count('type="password"')) == (200, 2)
    assert "Your account here is bob@example.com." in looked.text
    assert "Join " in looked.text
    short = await post(lodge, "accept-invitation", token=link, password="short")
    assert (short.status_code, "10 to 512 characters" in short.text) == (400, True)
    came = await post(lodge, "accept-invitation", token=link, name="Bobby", password=PASSWORD)
    assert (came.status_code, came.headers["location"]) == (303, "/console/")
    assert "HttpOnly" in came.headers["set-cookie"]
    home = await client.get("/console/me")
    assert (home.status_code, "Bobby" in home.text) == (200, True)
    told = await lodge.told()
    assert [(one["action"], one["actor_label"]) for one in told[-1:]] == [("invitation.accepted", "bob")]
    assert link not in str(told)
    client.cookies.clear()
    again = await post(lodge, "accept-invitation", token=link, password=PASSWORD)
    assert (again.status_code, "not valid any more" in again.text) == (400, True)
    assert "set-cookie" not in again.headers
    signed = await post(lodge, "sign-in", username="bob", password=PASSWORD)
    assert (signed.status_code, signed.headers["location"]) == (303, "/console/")


@pytest.mark.parametrize("second_factor", [False, True])
async def test_who_has_an_account_comes_by_its_password_alone(lodge, second_factor):
    since = SystemClock().now() if second_factor else None
    known = {"password_hash": hashed(Secret(PASSWORD)), "totp_enabled_at": since}
    await lodge.person("eve", "runbooks:super-admin", organization="org_other", **known)
    link = await asked_in(lodge, "eve", username="eve-too")
    guessed = await post(lodge, "accept-invitation", token=link, password=NEW)
    assert (guessed.status_code, "The password is wrong." in guessed.text) == (401, True)
    assert "qd_session" not in str(guessed.headers)
    came = await post(lodge, "accept-invitation", token=link, password=PASSWORD)
    assert (came.status_code, "qd_session" in str(came.headers)) == (303, not second_factor)
    assert came.headers["location"] == ("/console/sign-in" if second_factor else "/console/")
    assert (await lodge.told())[-1]["action"] == "invitation.accepted"
    home = await lodge.deck.client.get("/console/me", follow_redirects=False)
    assert home.status_code == (303 if second_factor else 200)


async def test_the_mailed_link_sets_a_new_password_and_known_and_unknown_look_alike(lodge):
    client = lodge.deck.client
    await lodge.reach()
    known = await post(lodge, "forgot-password", email="ada@example.com")
    unknown = await post(lodge, "forgot-password", email="eve@example.com")
    assert known.status_code == unknown.status_code == 200
    assert "is on its way" in known.text
    assert shape(known.text).replace("ada@", "eve@") == shape(unknown.text)
    letter = await lodge.box.wait(1)
    assert (letter["to"], "http://localhost/console/reset-password#" in text(letter)) == ("ada@example.com", True)
    link = token(letter)
    done = await post(lodge, "reset-password", token=link, password=NEW)
    assert (done.status_code, done.headers["location"]) == (303, "/console/sign-in")
    assert "Your new password is set." in (await client.get("/console/sign-in")).text
    client.cookies.clear()
    await lodge.refused(401, "GET", "/api/auth/me")
    assert (await post(lodge, "reset-password", token=link, password=NEW)).status_code == 400
    assert (await post(lodge, "sign-in", username="ada", password=PASSWORD)).status_code == 401
    assert (await post(lodge, "sign-in", username="ada", password=NEW)).status_code == 303


async def test_asking_for_mails_is_held_back(lodge):
    statuses = [(await post(lodge, "forgot-password", email="eve@example.com")).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_without_a_mail_server_nothing_is_asked_for(deck):
    page = await deck.client.get("/console/forgot-password")
    assert (page.status_code, "Nobody is written to" in page.text) == (200, True)


def shape(page: str) -> str:
    """The page without its frame, where nonces and the time stand."""
    return page.partition("<main")[2].partition("</main>")[0]
