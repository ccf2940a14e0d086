"""Another address counts once its mail is opened, and nobody learns whose an address is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from quarterdeck.access import Access, grants
from quarterdeck.identity import sessions, setup
from quarterdeck.identity.model import User, UserSession
from quarterdeck.kernel.db import Tx
from support.deck import PASSWORD
from support.lodge import Lodge, Person
from support.mailbox import text, token

NEW = "ada@tomorrow.example"


async def row(lodge: Lodge, person: Person) -> tuple[str | None, bool]:
    return await lodge.deck.instance.db.read(
        lambda tx: (tx.get(User, person.id).email, tx.get(User, person.id).email_verified)
    )


async def confirm(lodge: Lodge, link: str, **more):
    return await lodge.do("POST", "/api/auth/confirm-address", {"token": link}, token=None, **more)


async def test_another_address_counts_once_its_link_is_opened_and_the_old_one_is_told(lodge):
    bob = await lodge.person("bob")
    ask = {"email": NEW}
    asked = await lodge.do("PUT", "/api/users/profile", ask, by=bob, tells="user.address-asked")
    assert (asked["email"], asked["pending_email"]) == ("bob@example.com", NEW)
    await lodge.box.wait(2)
    letters = {letter["to"]: text(letter) for letter in lodge.box.letters}
    assert letters.keys() == {NEW, "bob@example.com"}
    assert "Another address was given" in letters["bob@example.com"]
    assert NEW not in letters["bob@example.com"]
    link = next(token(letter) for letter in lodge.box.letters if letter["to"] == NEW)
    assert "/console/confirm-address#" in letters[NEW]
    assert link not in letters["bob@example.com"]
    assert await row(lodge, bob) == ("bob@example.com", False)
    assert await confirm(lodge, link, tells="user.address-changed") == {"email": NEW}
    assert (await lodge.told())[-1]["actor_label"] == "bob"
    assert await row(lodge, bob) == (NEW, True)
    await lodge.refused(400, "POST", "/api/auth/confirm-address", {"token": link}, token=None, says="not valid")


async def test_ones_own_address_asks_for_a_sign_in_of_a_moment_ago_and_ones_name_does_not(lodge):
    bob = await lodge.person("bob")
    old = lodge.deck.instance.db.clock.now() - sessions.FRESH - timedelta(minutes=1)
    await lodge.deck.instance.db.write(lambda tx: tx.execute(update(UserSession).values(created_at=old)))
    body = {"email": NEW, "display_name": "Robert"}
    await lodge.refused(403, "PUT", "/api/users/profile", body, by=bob, says="too long ago")
    assert lodge.box.letters == []
    body["email"] = "BOB@example.com"  # the same, in other letters
    changed = await lodge.do("PUT", "/api/users/profile", body, by=bob, tells="user.changed")
    assert (changed["display_name"], "pending_email" in changed) == ("Robert", False)
    # Who administers people changes theirs however long ago they signed in, and is told what waits.
    asked = await lodge.do("PUT", f"/api/users/{bob.id}", {"email": NEW}, tells="user.address-asked")
    assert (asked["email"], asked["pending_email"]) == ("bob@example.com", NEW)


async def test_the_address_of_somebody_is_answered_as_one_of_nobody(lodge):
    eve = await lodge.person("eve", "runbooks:super-admin", organization="org_other")
    plain = await lodge.person("pia", organization="org_other")
    await lodge.person("bob")
    for method, path in (("PUT", "/api/users/profile"), ("PUT", f"/api/users/{plain.id}")):
        answers = []
        for email in ("bob@example.com", "nobody@example.com"):
            count = len(lodge.box.letters) + 2
            answer = await lodge.send(method, path, {"email": email}, by=eve)
            await lodge.box.wait(count)
            subjects = sorted(letter["subject"] for letter in lodge.box.letters[-2:])
            told = (await lodge.told())[-1]
            said = answer.text.replace(email, "X")
            answers.append((answer.status_code, said, subjects, told["action"], told["detail"]))
        assert answers[0] == answers[1]
        assert answers[0][0] == 200
    kept = [text(letter) for letter in lodge.box.letters if letter["to"] == "bob@example.com"]
    assert len(kept) == 2
    assert all("already" in one and "#" not in one for one in kept)
    assert (await row(lodge, eve))[0] == "eve@example.com"


async def test_who_was_quicker_keeps_the_address(lodge):
    bob = await lodge.person("bob")
    await lodge.do("PUT", "/api/users/profile", {"email": "new@example.com"}, by=bob, tells="user.address-asked")
    await lodge.box.wait(2)
    link = next(token(letter) for letter in lodge.box.letters if letter["to"] == "new@example.com")
    await lodge.person("new")
    await lodge.refused(400, "POST", "/api/auth/confirm-address", {"token": link}, token=None, says="exists")
    assert await row(lodge, bob) == ("bob@example.com", False)


@pytest.mark.parametrize("ending", ["a newer one", "another password", "leaving"])
async def test_a_link_that_waits_ends(lodge, ending):
    bob = await lodge.person("bob")
    await lodge.do("PUT", "/api/users/profile", {"email": NEW}, by=bob, tells="user.address-asked")
    await lodge.box.wait(2)
    link = next(token(letter) for letter in lodge.box.letters if letter["to"] == NEW)
    if ending == "a newer one":
        await lodge.do("PUT", "/api/users/profile", {"email": "b@example.com"}, by=bob, tells="user.address-asked")
    elif ending == "another password":
        path = f"/api/users/{bob.id}/reset-password"
        await lodge.do("POST", path, {"new_password": PASSWORD}, tells="user.password-reset")
    else:
        await lodge.do("DELETE", f"/api/users/{bob.id}", tells="user.deleted")
    await lodge.refused(400, "POST", "/api/auth/confirm-address", {"token": link}, token=None, says="not valid")


@pytest.mark.parametrize("change", ["nothing", "asker leaves", "asker is demoted", "person rises"])
async def test_a_link_counts_while_who_asked_for_it_might_ask_again(lodge, change):
    """Else a former administrator would have the account of who came after them."""
    eve = await lodge.person("eve", "runbooks:super-admin")
    bob = await lodge.person("bob")
    await lodge.do("PUT", f"/api/users/{bob.id}", {"email": NEW}, by=eve, tells="user.address-asked")
    await lodge.box.wait(2)
    link = next(token(letter) for letter in lodge.box.letters if letter["to"] == NEW)
    if change == "asker leaves":
        await lodge.do("DELETE", f"/api/users/{eve.id}", tells="user.deleted")
    elif change != "nothing":
        who, role = (eve, "runbooks:viewer") if change == "asker is demoted" else (bob, "organization:owner")
        await lodge.deck.instance.db.write(_roles, lodge.deck.instance.access, who.id, role)
    if change == "nothing":
        assert await confirm(lodge, link, tells="user.address-changed") == {"email": NEW}
        assert (await lodge.told())[-1]["actor_label"] == "bob"
    else:
        await lodge.refused(400, "POST", "/api/auth/confirm-address", {"token": link}, token=None, says="not valid")
        assert await row(lodge, bob) == ("bob@example.com", False)


def _roles(tx: Tx, access: Access, user: int, role: str) -> None:
    here = setup.default_organization(tx).id
    grants.take_all(tx, access, user, here)
    grants.give(tx, access, user, here, role)


async def test_who_was_asked_in_gets_no_other_address(lodge):
    body = {"username": "cleo", "email": "cleo@example.com"}
    made = await lodge.do("POST", "/api/users", body, tells="invitation.created")
    path = f"/api/users/{made['user']['id']}"
    await lodge.refused(400, "PUT", path, {"email": NEW}, says="has not accepted")


async def test_without_a_mail_server_only_who_administers_the_installation_sets_addresses(deck):
    lodge = Lodge(deck, None)
    ada = deck.token
    person = await deck.instance.db.read(lambda tx: tx.get(User, 1))
    lodge.ada = Person(person.id, person.uid, person.username, ada)
    bob = await lodge.person("bob")
    eve = await lodge.person("eve", "runbooks:super-admin", organization="org_other")
    for by, email in ((bob, NEW), (eve, NEW), (eve, "bob@example.com")):
        answer = await lodge.refused(400, "PUT", "/api/users/profile", {"email": email}, by=by, says="no mail server")
        assert email not in answer.text
    changed = await lodge.do("PUT", f"/api/users/{bob.id}", {"email": NEW}, tells="user.address-changed")
    assert (changed["email"], "pending_email" in changed) == (NEW, False)
    assert await row(lodge, bob) == (NEW, False)
    await lodge.refused(400, "PUT", f"/api/users/{bob.id}", {"email": "eve@example.com"}, says="exists")


async def test_asking_in_tells_nothing_of_people_elsewhere(lodge):
    """Neither that somebody was deactivated there, nor by which check comes first that there is somebody."""
    eve = await lodge.person("eve", "runbooks:super-admin", "organization:owner", organization="org_other")
    await lodge.person("gone", active=False)
    await lodge.person("bob")
    for name in ("gone", "bob", "nobody"):
        email = f"{name}@example.com"
        taken = {"username": "eve", "email": email}
        await lodge.refused(400, "POST", "/api/users", taken, by=eve, says="The username eve is taken.")
        body = {"username": f"{name}-2", "email": email}
        answer = await lodge.send("POST", "/api/users", body, by=eve)
        assert answer.status_code == 200, answer.text
        assert answer.json()["user"]["username"] == f"{name}-2"
    for name in ("gone", "bob", "nobody"):
        why = {"user": f"{name}@example.com", "permission": "runbooks:users.view"}
        answer = await lodge.send("POST", "/api/access/why", why, by=eve)
        expected = 200 if name == "nobody" else 404  # who was newly asked in is in the list of people
        assert answer.status_code == expected, answer.text
    unknown = await lodge.send("POST", "/api/access/why", {**why, "user": "bob@example.com"}, by=eve)
    nobody = await lodge.send("POST", "/api/access/why", {**why, "user": "zoe@example.com"}, by=eve)
    assert unknown.text.replace("bob@", "zoe@").split("requestId")[0] == nobody.text.split("requestId")[0]


async def test_strangers_are_not_written_to_without_end(lodge):
    bob = await lodge.person("bob")
    for number in range(5):
        await lodge.do(
            "PUT", "/api/users/profile", {"email": f"s{number}@example.com"}, by=bob, tells="user.address-asked"
        )
    await lodge.box.wait(10)
    refused = await lodge.send("PUT", "/api/users/profile", {"email": "s6@example.com"}, by=bob)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600"), refused.text
    assert len(lodge.box.letters) == 10
