"""The caller's own profile, sessions and account."""

from __future__ import annotations

import pytest

from support.deck import EMAIL, PASSWORD
from support.people import audited, noted, person, personal_token


async def test_a_profile_is_shown_and_changed(deck):
    bob = await person(deck, "viewer", name="bob")
    shown = await deck.do("account.profile.show", token=bob.token)
    assert (shown["userId"], shown["email"], shown["displayName"]) == (bob.id, bob.email, "bob")
    assert "avatarUrl" not in shown
    picture = "https://example.com/bob.png"
    body = {"displayName": "  Bob B. ", "avatarUrl": picture}
    changed = await audited(deck, bob, "user.changed", bob.uid, "account.profile.change", body, token=bob.token)
    assert (changed["displayName"], changed["avatarUrl"]) == ("Bob B.", picture)
    # What is so already is no change.
    _, events = await noted(deck, "account.profile.change", body, token=bob.token)
    assert events == []
    for nothing in (None, ""):
        await deck.do("account.profile.change", {"avatarUrl": picture}, token=bob.token)
        assert "avatarUrl" not in await deck.do("account.profile.change", {"avatarUrl": nothing}, token=bob.token)
    assert (await deck.do("account.profile.change", {"displayName": " "}, token=bob.token))["displayName"] == "bob"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"idempotencyKey": "k"},
        {"displayName": "a\nb"},
        {"avatarUrl": "javascript:alert(1)"},
        {"avatarUrl": "https://example.com/" + "x" * 3000},
        {"avatarUrl": 'https://example.com/"><script>'},
    ],
)
async def test_a_profile_that_cannot_be_is_refused(deck, body):
    await deck.refused(400, "validation_error", "account.profile.change", body)
    assert "avatarUrl" not in await deck.do("account.profile.show")


async def test_malformed_bodies_of_an_account_are_refused(deck):
    await deck.malformed("account.profile.change", {"displayName": "x" * 121})
    await deck.malformed("account.profile.change", {"displayName": 7})
    await deck.malformed("account.delete", {"confirmation": {}})
    await deck.malformed("account.delete", {})


async def test_sessions_are_listed_and_only_own_ones_are_ended(deck):
    bob = await person(deck, "viewer")
    (mine,) = (await deck.do("account.sessions.list", token=bob.token))["items"]
    assert (mine["current"], mine["clientKind"], mine["userAgent"]) == (True, "web", "Browser 1")
    assert mine["userId"] == bob.id
    ada = {"email": EMAIL, "password": PASSWORD}
    answer = await deck.send("POST", "/api/auth/sign-in/email", ada, token=None)
    deck.client.cookies.clear()
    other = answer.json()["token"]
    found = (await deck.do("account.sessions.list"))["items"]
    (ended,) = [one["sessionId"] for one in found if not one["current"]]

    refused = await deck.refused(
        403, "product_auth_forbidden", "account.sessions.revoke", {}, sessionId=ended, token=bob.token
    )
    assert "own" in refused["message"]
    gone = await audited(deck, None, "session.revoked", "{sessionId}", "account.sessions.revoke", {}, sessionId=ended)
    assert gone["sessionId"] == ended
    assert (await deck.request("account.profile.show", token=other)).status_code == 401
    assert len((await deck.do("account.sessions.list"))["items"]) == 1
    again, events = await noted(deck, "account.sessions.revoke", {}, sessionId=ended)
    assert (again.json(), events) == (gone, [])
    for unknown in ("0" * 32, "x", "%00"):
        await deck.refused(404, "not_found", "account.sessions.revoke", {}, sessionId=unknown)


async def test_an_account_goes_with_all_that_lets_it_in_and_its_things_stay(deck):
    bob = await person(deck, "admin", name="bob")
    project = await deck.project("Bobs", token=bob.token)
    laptop = await personal_token(deck, bob)
    wrong = {"confirmation": {"userId": "0" * 32}}
    await deck.refused(400, "validation_error", "account.delete", wrong, token=bob.token)
    body = {"confirmation": {"userId": bob.id}}
    await deck.refused(403, "session_required", "account.delete", body, token=laptop)
    gone = await audited(deck, bob, "user.deleted", "{userId}", "account.delete", body, token=bob.token)
    assert gone["userId"] == bob.id
    for token in (bob.token, laptop):
        assert (await deck.request("account.profile.show", token=token)).status_code == 401
    shown = await deck.do("organizations.list-members", organizationId="org_self_hosted")
    assert [one["displayName"] for one in shown["items"]] == ["Ada"]
    assert (await deck.do("projects.show", projectId=project))["name"] == "Bobs"
    # Name and address are free again.
    assert (await person(deck, "viewer", name="bob")).id != bob.id


async def test_the_last_owner_cannot_delete_themselves(deck):
    me = (await deck.do("account.profile.show"))["userId"]
    body = {"confirmation": {"userId": me}}
    await deck.refused(409, "last_administrator", "account.delete", body)
    assert (await deck.do("account.profile.show"))["userId"] == me


async def test_a_key_of_one_person_is_not_anothers(deck):
    bob = await person(deck, "viewer")
    body = {"displayName": "Same", "idempotencyKey": "key"}
    mine = await deck.do("account.profile.change", body)
    theirs = await deck.do("account.profile.change", body, token=bob.token)
    assert (mine["email"], theirs["email"]) == (EMAIL, bob.email)
