"""People of the organization over the runbooks surface: asking in, roles, leaving, and what nobody may do to whom."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from quarterdeck.identity import leaving
from quarterdeck.identity.model import Invitation, User
from quarterdeck.identity.passwords import hashed
from quarterdeck.kernel.vault import Secret
from support.deck import HOME, PASSWORD
from support.lodge import Lodge
from support.mailbox import text, token

BOB = {"username": "bob", "email": "bob@example.com", "display_name": "Bob"}


async def invited(lodge: Lodge, **more):
    return await lodge.do("POST", "/api/users", {**BOB, **more}, tells="invitation.created")


async def test_somebody_is_asked_in_by_a_real_mail_and_comes_by_its_link_once(lodge):
    role = await lodge.custom("users.view")
    made = await invited(lodge, role_ids=[role["id"], 999_999_999])
    assert made["invite_sent"] is True
    assert made["user"]["is_active"] is False
    assert made["user"]["roles"] == [{"id": role["id"], "name": "Own"}]
    letter = await lodge.box.wait(1)
    assert (letter["to"], letter["from"]) == ("bob@example.com", "Quarterdeck <deck@example.com>")
    assert "ada invites you" in text(letter)
    by_mail = token(letter)
    assert by_mail != made["token"]
    assert "http://localhost/console/accept-invitation#" in text(letter)
    await lodge.refused(401, "POST", "/api/auth/login", {"username": "bob", "password": PASSWORD}, token=None)
    # Nobody but the invitation lets in who was asked in.
    path = f"/api/users/{made['user']['id']}"
    await lodge.refused(400, "PUT", path, {"is_active": True}, says="has not accepted")
    await lodge.refused(400, "POST", f"{path}/reset-password", {"new_password": PASSWORD}, says="has not accepted")
    body = {"password": PASSWORD, "display_name": "Bobby"}
    came = await lodge.do("POST", f"/api/auth/invite/{made['token']}", body, tells="invitation.accepted", token=None)
    assert (came["user"]["display_name"], came["token_type"]) == ("Bobby", "bearer")
    assert "users.view" in came["permissions"]
    me = (await lodge.send("GET", "/api/auth/me", token=came["access_token"])).json()
    assert (me["username"], me["permissions"], me["roles"]) == (
        "bob", ["users.view"], [{"id": role["id"], "name": "Own"}],
    )  # fmt: skip
    for path, more in (
        (f"/api/auth/invite/{made['token']}", {}),
        ("/api/auth/accept-invite", {"token": by_mail}),
    ):
        await lodge.refused(400, "POST", path, {"password": "another password", **more}, token=None, says="detail")
    answer = await lodge.send("POST", "/api/auth/login", {"username": "bob", "password": PASSWORD}, token=None)
    assert answer.status_code == 200


async def verified(lodge: Lodge, user: int) -> bool:
    return await lodge.deck.instance.db.read(lambda tx: tx.get(User, user).email_verified)


async def test_only_a_mail_proves_an_address(lodge):
    """Whoever asks in is shown a token: it must not make somebody else's address theirs."""
    for name, way in (("bob", "handed"), ("cleo", "mailed")):
        body = {"username": name, "email": f"{name}@example.com"}
        made = await lodge.do("POST", "/api/users", body, tells="invitation.created")
        letter = await lodge.box.wait(1 if name == "bob" else 2)
        link = made["token"] if way == "handed" else token(letter)
        await lodge.do(
            "POST", f"/api/auth/invite/{link}", {"password": PASSWORD}, tells="invitation.accepted", token=None
        )
        assert await verified(lodge, made["user"]["id"]) is (way == "mailed")


async def test_what_was_handed_to_one_organization_opens_nothing_of_another(lodge):
    eve = await lodge.person("eve", "runbooks:super-admin", organization="org_other")
    theirs = (await lodge.send("POST", "/api/users", BOB, by=eve)).json()
    mine = await lodge.do("POST", "/api/users", {**BOB, "username": "bob2"}, tells="invitation.created")
    for link in (theirs["token"], mine["token"]):
        await lodge.refused(400, "POST", f"/api/auth/invite/{link}", {"password": PASSWORD}, token=None)
    await lodge.box.wait(2)
    by_mail = next(token(one) for one in lodge.box.letters if "ada invites" in text(one))
    await lodge.do(
        "POST", f"/api/auth/invite/{by_mail}", {"password": PASSWORD}, tells="invitation.accepted", token=None
    )


async def test_the_documented_alias_takes_the_token_in_the_body(lodge):
    made = await invited(lodge)
    body = {"token": made["token"], "password": PASSWORD}
    await lodge.do("POST", "/api/auth/accept-invite", body, tells="invitation.accepted", token=None)
    await lodge.refused(422, "POST", "/api/auth/accept-invite", {"password": PASSWORD}, token=None, says='"token"')


async def test_an_invitation_sent_again_ends_the_link_before(lodge):
    made = await invited(lodge)
    user = made["user"]["id"]
    answer = await lodge.do("POST", f"/api/users/{user}/resend-invite", tells="invitation.renewed")
    assert answer == {"status": "invite_resent"}
    newer = token(await lodge.box.wait(2))
    await lodge.refused(400, "POST", f"/api/auth/invite/{made['token']}", {"password": PASSWORD}, token=None)
    await lodge.do("POST", f"/api/auth/invite/{newer}", {"password": PASSWORD}, tells="invitation.accepted", token=None)
    await lodge.refused(400, "POST", f"/api/users/{user}/resend-invite", says="no invitation that waits")
    await lodge.refused(400, "POST", f"/api/users/{lodge.ada.id}/resend-invite")


@pytest.mark.parametrize(
    "body",
    [
        {**BOB, "username": "ADA"},
        {**BOB, "email": "ada.example.com"},
        {**BOB, "username": "a b"},
        {**BOB, "username": ""},
    ],
)
async def test_who_cannot_be_asked_in_is_refused_in_words(lodge, body):
    answer = await lodge.refused(400, "POST", "/api/users", body)
    assert isinstance(answer.json()["detail"], str)
    assert lodge.box.letters == []


async def test_nobody_is_asked_in_twice(lodge):
    await invited(lodge)
    await lodge.refused(400, "POST", "/api/users/invite", BOB, says="has an invitation that is open")
    carol = await lodge.person("carol")
    await lodge.refused(400, "POST", "/api/users", {**BOB, "email": "carol@example.com"}, says="is a member already")
    await lodge.do("PUT", f"/api/users/{carol.id}", {"is_active": False}, tells="user.deactivated")
    await lodge.refused(400, "POST", "/api/users", {**BOB, "email": "carol@example.com"})


async def test_whoever_asks_somebody_in_that_has_an_account_never_gets_into_it(lodge):
    """The token of an invitation is known to whoever made it; it opens nothing without the password."""
    eve = await lodge.person("eve", "runbooks:super-admin", organization="org_other")
    made = await lodge.do("POST", "/api/users", {**BOB, "email": "eve@example.com"}, tells="invitation.created")
    shown = made["user"]
    assert (shown["username"], shown["is_active"], shown["invite_accepted_at"]) == ("bob", False, None)
    await lodge.refused(404, "GET", f"/api/users/{eve.id}")
    await lodge.refused(404, "POST", f"/api/users/{eve.id}/reset-password", {"new_password": "taken over now"})
    body = {"password": "any password at all"}
    await lodge.refused(400, "POST", f"/api/auth/invite/{made['token']}x", body, token=None)
    by_mail = token(await lodge.box.wait(1))
    await lodge.refused(400, "POST", f"/api/auth/invite/{made['token']}", body, token=None)
    await lodge.refused(403, "POST", f"/api/auth/invite/{by_mail}", body, token=None, says="identity provider")
    known = hashed(Secret(PASSWORD))

    def verb(tx):
        tx.get(User, eve.id).password_hash = known

    await lodge.deck.instance.db.write(verb)
    await lodge.refused(401, "POST", f"/api/auth/invite/{by_mail}", body, token=None)
    last = (await lodge.told())[-1]
    assert (last["action"], last["resource_id"], last["outcome"]) == ("session.sign-in-failed", "eve", "denied")
    await lodge.do(
        "POST", f"/api/auth/invite/{by_mail}", {"password": PASSWORD}, tells="invitation.accepted", token=None
    )
    # Eve is one of us now; in her own organization she may what Ada may not there.
    await lodge.refused(
        403, "POST", f"/api/users/{eve.id}/reset-password", {"new_password": "taken over now"}, says="may do things"
    )


async def test_nothing_tells_whether_who_was_asked_in_has_an_account_elsewhere(lodge):
    """Not the answer, the list or the page of the person, nor what can be done with them; they come as themselves."""
    eve = await lodge.person("eve", "runbooks:super-admin", organization="org_other", display_name="Evelyn E.")
    known = hashed(Secret(PASSWORD))

    def verb(tx):
        tx.get(User, eve.id).password_hash = known

    await lodge.deck.instance.db.write(verb)
    seen = {}
    for name, email in (("bob", "bob@example.com"), ("mallory", "eve@example.com")):
        body = {"username": name, "email": email, "display_name": name.capitalize()}
        made = (await lodge.do("POST", "/api/users", body, tells="invitation.created"))["user"]
        path = f"/api/users/{made['id']}"
        shown = await lodge.do("GET", path)
        listed = next(one for one in (await lodge.do("GET", "/api/users"))["users"] if one["id"] == made["id"])
        assert made["id"] > eve.id
        assert made == listed
        assert (shown["username"], shown["email"], shown["display_name"]) == (name, email, name.capitalize())
        await lodge.do("POST", f"{path}/resend-invite", tells="invitation.renewed")
        await lodge.do("PUT", path, {"email": email})
        changed = {"display_name": "Somebody"}
        assert (await lodge.do("PUT", path, changed, tells="user.changed"))["display_name"] == "Somebody"
        pending = await lodge.refused(400, "PUT", path, {"email": "other@example.com"}, says="not accepted")
        reset = await lodge.refused(400, "POST", f"{path}/reset-password", {"new_password": "a password of theirs"})
        again = await lodge.refused(400, "POST", "/api/users", {**body, "username": "other"}, says="that is open")
        same = {key: made[key] for key in made if key not in {"id", "username", "email", "display_name", "created_at"}}
        texts = [one.text.replace(name, "X").replace(email, "Y") for one in (pending, reset, again)]
        seen[name] = (same, sorted(shown), [text.split('"detail"')[0] for text in texts])
    assert seen["bob"] == seen["mallory"]
    link = next(token(one) for one in reversed(lodge.box.letters) if one["to"] == "eve@example.com")
    body = {"password": PASSWORD}
    came = await lodge.do("POST", f"/api/auth/invite/{link}", body, tells="invitation.accepted", token=None)
    assert came["user"]["id"] == eve.id
    people = (await lodge.do("GET", "/api/users"))["users"]
    assert [one["username"] for one in people] == ["ada", "eve", "bob"]
    # The name that was kept for them is free again.
    body = {"username": "mallory", "email": "m@example.com"}
    await lodge.do("POST", "/api/users", body, tells="invitation.created")


async def test_a_seat_of_an_account_that_is_gone_is_for_whoever_has_the_address(lodge):
    eve = await lodge.person("eve", organization="org_other")
    body = {"username": "mallory", "email": "eve@example.com"}
    made = (await lodge.do("POST", "/api/users", body, tells="invitation.created"))["user"]
    link = token(await lodge.box.wait(1))

    def verb(tx):
        leaving.forget(tx, tx.get(User, eve.id))

    await lodge.deck.instance.db.write(verb)
    came = await lodge.do(
        "POST", f"/api/auth/invite/{link}", {"password": PASSWORD}, tells="invitation.accepted", token=None
    )
    assert (came["user"]["id"], came["user"]["username"]) == (made["id"], "mallory")
    assert (await lodge.do("GET", f"/api/users/{made['id']}"))["email"] == "eve@example.com"


async def test_a_seat_is_kept_over_invitations_and_goes_with_who_is_deleted(lodge):
    await lodge.person("eve", organization="org_other")
    body = {"username": "mallory", "email": "eve@example.com"}
    made = (await lodge.do("POST", "/api/users", body, tells="invitation.created"))["user"]

    def late(tx):
        tx.execute(update(Invitation).values(expires_at=tx.now))

    await lodge.deck.instance.db.write(late)
    again = {**body, "username": "other"}
    assert (await lodge.do("POST", "/api/users", again, tells="invitation.created"))["user"]["id"] == made["id"]
    assert [one["username"] for one in (await lodge.do("GET", "/api/users"))["users"]] == ["ada", "mallory"]
    await lodge.do("DELETE", f"/api/users/{made['id']}", tells="user.deleted")
    assert [one["username"] for one in (await lodge.do("GET", "/api/users"))["users"]] == ["ada"]
    anew = (await lodge.do("POST", "/api/users", body, tells="invitation.created"))["user"]
    assert anew["username"] == "mallory"


async def test_the_list_names_everybody_of_the_organization_and_nobody_else(lodge):
    bob = await lodge.person("bob", "runbooks:super-admin")
    eve = await lodge.person("eve", "runbooks:super-admin", organization="org_other")
    answer = (await lodge.send("GET", "/api/users")).json()
    assert [one["username"] for one in answer["users"]] == ["ada", "bob"]
    assert (answer["total"], answer["page"]) == (2, 1)
    page = (await lodge.send("GET", "/api/users?page=2&per_page=1")).json()
    assert [one["id"] for one in page["users"]] == [bob.id]
    mine = (await lodge.send("GET", "/api/users", by=eve)).json()["users"]
    assert [one["id"] for one in mine] == [eve.id]
    shown = (await lodge.send("GET", f"/api/users/{bob.id}")).json()
    assert shown.keys() == {
        "id", "username", "email", "display_name", "is_active", "created_at", "last_login_at", "invite_accepted_at",
        "roles", "storage_quota_mb", "mfa_enabled", "permissions",
    }  # fmt: skip
    assert shown["created_at"].endswith("+00:00")
    assert "users.mfa_reset" in shown["permissions"]


async def test_a_person_is_changed_with_one_event(lodge):
    bob = await lodge.person("bob")
    body = {"display_name": "Robert", "storage_quota_mb": 512}
    found = await lodge.do("PUT", f"/api/users/{bob.id}", body, tells="user.changed")
    assert {name: found[name] for name in body} == body
    await lodge.do("PUT", f"/api/users/{bob.id}", body)
    await lodge.do("PUT", f"/api/users/{bob.id}", {"is_active": False, "display_name": "B"}, tells="user.deactivated")
    assert (await lodge.send("GET", "/api/auth/me", by=bob)).status_code == 401
    await lodge.do("PUT", f"/api/users/{bob.id}", {"is_active": True}, tells="user.activated")
    await lodge.refused(422, "PUT", f"/api/users/{bob.id}", {"storage_quota_mb": 0}, says="storage_quota_mb")


async def test_roles_are_replaced_under_both_verbs_and_the_last_administrator_stays(lodge):
    role = await lodge.custom("users.view")
    bob = await lodge.person("bob", "tasks:developer")
    path = f"/api/users/{bob.id}/roles"
    found = await lodge.do("PUT", path, {"role_ids": [role["id"]]}, tells="member.roles-changed")
    assert found["roles"] == [{"id": role["id"], "name": "Own"}]
    assert (await lodge.send("GET", "/api/users", by=bob)).status_code == 200
    found = await lodge.do("POST", path, {"role_ids": []}, tells="member.roles-changed")
    assert found["roles"] == []
    refused = await lodge.refused(403, "GET", "/api/users", by=bob, says="Permission denied: users.view")
    assert "super-admin" in refused.json()["detail"]
    assert (await lodge.send("GET", "/api/auth/me", by=bob)).status_code == 200
    await lodge.refused(
        400, "PUT", f"/api/users/{lodge.ada.id}/roles", {"role_ids": []}, says="last super-admin of runbooks"
    )
    highest = next(one for one in (await lodge.send("GET", "/api/roles")).json()["roles"] if one["is_system"])
    await lodge.do("PUT", path, {"role_ids": [highest["id"]]}, tells="member.roles-changed")
    await lodge.do("PUT", f"/api/users/{lodge.ada.id}/roles", {"role_ids": []}, tells="member.roles-changed")


async def test_who_is_deleted_is_gone_and_their_name_is_free(lodge):
    made = await invited(lodge)
    came = await lodge.do(
        "POST", f"/api/auth/invite/{made['token']}", {"password": PASSWORD}, tells="invitation.accepted", token=None
    )
    user = made["user"]["id"]
    assert await lodge.do("DELETE", f"/api/users/{user}", tells="user.deleted") == {"status": "deleted"}
    assert (await lodge.send("GET", "/api/auth/me", token=came["access_token"])).status_code == 401
    await lodge.refused(401, "POST", "/api/auth/login", {"username": "bob", "password": PASSWORD}, token=None)
    await lodge.refused(404, "DELETE", f"/api/users/{user}")
    await lodge.refused(404, "GET", f"/api/users/{user}")
    again = await invited(lodge)
    assert again["user"]["id"] != user
    await lodge.do("DELETE", f"/api/users/{again['user']['id']}", tells="user.deleted")
    await lodge.refused(400, "POST", f"/api/auth/invite/{again['token']}", {"password": PASSWORD}, token=None)


async def test_who_is_deleted_here_stays_elsewhere(lodge):
    from sqlalchemy import select

    from quarterdeck.access import grants
    from quarterdeck.identity.model import Organization

    eve = await lodge.person("eve", "runbooks:super-admin", organization="org_other")

    def verb(tx):
        home = tx.first(select(Organization).where(Organization.ref == "org_self_hosted"))
        grants.give(tx, lodge.deck.instance.access, eve.id, home.id, grants.MEMBER)

    await lodge.deck.instance.db.write(verb)
    await lodge.do("DELETE", f"/api/users/{eve.id}", tells="user.deleted")
    assert (await lodge.send("GET", "/api/auth/me", by=eve)).json()["username"] == "eve"


async def test_nobody_locks_themselves_out(lodge):
    me = f"/api/users/{lodge.ada.id}"
    await lodge.person("bob", "runbooks:super-admin", "organization:owner", "tasks:admin", "broker:admin")
    for method, path, body in (
        ("DELETE", me, None),
        ("PUT", me, {"is_active": False}),
        ("POST", f"{me}/reset-password", {"new_password": PASSWORD}),
        ("DELETE", f"{me}/mfa", None),
    ):
        await lodge.refused(400, method, path, body, says="your own account")


async def test_an_administrator_of_runbooks_does_not_become_owner_of_all(lodge):
    """Whoever could set an owner's password or address would be the owner."""
    bob = await lodge.person("bob", "runbooks:super-admin")
    owner = f"/api/users/{lodge.ada.id}"
    for method, path, body in (
        ("POST", f"{owner}/reset-password", {"new_password": "taken over now"}),
        ("PUT", owner, {"email": "bob+ada@example.com"}),
        ("PUT", owner, {"is_active": False}),
        ("DELETE", owner, None),
        ("DELETE", f"{owner}/mfa", None),
    ):
        await lodge.refused(403, method, path, body, by=bob, says="may do things that you may not")
    await lodge.do("PUT", owner, {"display_name": "Ada L."}, by=bob, tells="user.changed")

    def mixed(tx):
        from quarterdeck.access import roles
        from quarterdeck.identity import users
        from quarterdeck.identity.model import User

        tx.act_as(users.principal(tx.get(User, lodge.ada.id), 1))
        return roles.create(
            tx, lodge.deck.instance.access, "Both", None, ["deploy:organizations.delete"], "organization"
        )

    role = await lodge.deck.instance.db.write(mixed)
    for path, body in (
        (f"/api/users/{bob.id}/roles", {"role_ids": [role.id]}),
        ("/api/users", {**BOB, "username": "new", "email": "new@example.com", "role_ids": [role.id]}),
    ):
        await lodge.refused(403, "POST", path, body, by=bob, says="which you have not got")
    await lodge.refused(403, "DELETE", f"/api/roles/{role.id}", by=bob)


async def test_an_administrator_sets_a_password_and_every_session_ends(lodge):
    bob = await lodge.person("bob")
    path = f"/api/users/{bob.id}/reset-password"
    await lodge.refused(400, "POST", path, {"new_password": "short"}, says="10 to 512")
    assert (await lodge.do("POST", path, {"new_password": PASSWORD}, tells="user.password-reset"))["status"] == "ok"
    assert (await lodge.send("GET", "/api/auth/me", by=bob)).status_code == 401
    assert (
        await lodge.send("POST", "/api/auth/login", {"username": "bob", "password": PASSWORD}, token=None)
    ).status_code == 200


async def test_a_program_makes_no_credentials_for_anybody(lodge):
    bob = await lodge.person("bob")
    program = await lodge.program(lodge.ada)
    assert (await lodge.send("GET", "/api/users", by=program)).status_code == 200
    for method, path, body in (
        ("POST", "/api/users", BOB),
        ("POST", f"/api/users/{bob.id}/reset-password", {"new_password": PASSWORD}),
        ("DELETE", f"/api/users/{bob.id}/mfa", None),
        ("PUT", f"/api/users/{bob.id}", {"email": "x@example.com"}),
        ("POST", "/api/users/password", {"current_password": PASSWORD, "new_password": PASSWORD}),
        ("PUT", "/api/users/profile", {"email": "x@example.com"}),
        ("POST", "/api/auth/mfa/enroll", None),
        ("POST", "/api/auth/me/ssh-key", None),
    ):
        await lodge.refused(403, method, path, body, by=program, says="A token of a program cannot do this")


async def test_an_owner_of_the_organization_is_removed_by_no_surface(lodge):
    owner = await lodge.person("olga", "organization:owner", "runbooks:super-admin")
    await lodge.refused(400, "DELETE", f"/api/users/{owner.id}", says="An owner is not removed.")
    plain = owner.uid.replace("-", "")
    path = f"/api/organizations/{HOME}/members/{plain}"
    await lodge.refused(400, "DELETE", path, {}, says="An owner is not removed.")
    assert (await lodge.send("GET", "/api/auth/me", by=owner)).status_code == 200


async def test_ids_of_others_and_of_nobody_are_the_same(lodge):
    eve = await lodge.person("eve", "runbooks:super-admin", organization="org_other")
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"display_name": "X"}),
        ("DELETE", "", None),
        ("POST", "/roles", {"role_ids": []}),
        ("PUT", "/roles", {"role_ids": []}),
        ("POST", "/resend-invite", None),
        ("DELETE", "/mfa", None),
        ("POST", "/reset-password", {"new_password": PASSWORD}),
    ):
        for other in (str(eve.id), "0", "999999999", "9" * 40, "-1", "1.0", "me%00", "٣", "abc", eve.uid):
            if path == "" and other == "me%00":
                continue
            answer = await lodge.refused(404, method, f"/api/users/{other}{path}", body)
            assert answer.json().keys() == {"detail"}
            assert "eve@" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/users", {"username": 5}),
        ("POST", "/api/users", {**BOB, "role_ids": ["x"]}),
        ("POST", "/api/users", []),
        ("PUT", "/api/users/1", {"is_active": "yes"}),
        ("POST", "/api/users/1/roles", {}),
        ("POST", "/api/users/1/reset-password", {"new_password": None}),
        ("PUT", "/api/users/profile", {"display_name": ""}),
        ("POST", "/api/users/password", {}),
        ("PUT", "/api/users/me/preferences", {"pinned_services": ["x"] * 51}),
        ("GET", "/api/users?page=0", None),
    ],
)
async def test_input_of_another_shape_is_refused_in_the_surfaces_envelope(lodge, method, path, body):
    answer = await lodge.refused(422, method, path, body)
    for issue in answer.json()["detail"]:
        assert issue.keys() == {"type", "loc", "msg", "input"}
        assert issue["loc"][0] in {"body", "query"}


async def test_preferences_are_merged_part_by_part(lodge):
    path = "/api/users/me/preferences"
    assert await lodge.do("GET", path) == {"preferences": {}}
    await lodge.do("PUT", path, {"pinned_services": ["web"]}, tells="user.preferences-changed")
    links = {"custom_links": [{"id": "1", "label": "Docs", "url": "https://example.com"}]}
    both = await lodge.do("PUT", path, {"quick_links": links}, tells="user.preferences-changed")
    assert both == {"preferences": {"pinned_services": ["web"], "quick_links": links}}
    assert await lodge.do("GET", path) == both
    await lodge.do("PUT", path, {"pinned_services": ["web"]})
    await lodge.refused(413, "PUT", path, {"pinned_services": ["x" * 70_000]})
