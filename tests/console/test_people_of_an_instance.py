"""People and roles in the console over a real instance: invited, given, taken, let go, and told why not."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from sqlalchemy import select

from quarterdeck.identity import members, setup, users
from quarterdeck.identity.model import User
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import Secret
from support.deck import PASSWORD, Deck, running, signed_in

PEOPLE, ROLES = "/console/access/people", "/console/access/roles"


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        made.client.headers["origin"] = "http://localhost"
        act_as(made, made.token)
        yield made


def act_as(deck: Deck, token: str | None) -> None:
    """The browser is that of whoever has the token."""
    deck.client.cookies.clear()
    if token:
        deck.client.cookies.set("qd_session", deck.instance.signer.sign(Secret(token)))


async def page(deck: Deck, path: str, status: int = 200) -> str:
    answer = await deck.client.get(path)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


async def posted(deck: Deck, path: str, status: int = 303, **form: str) -> Any:
    answer = await deck.client.post(path, data=form)
    assert answer.status_code == status, html.unescape(answer.text)
    return answer


async def invited(deck: Deck, email: str = "bob@example.com", role: str = "viewer") -> str:
    """The link that the page shows."""
    answer = await posted(deck, f"{PEOPLE}/invitations", 200, email=email, role=role)
    return re.search(r'data-copy="(http[^"]+accept-invitation#[^"]+)"', answer.text)[1]


async def came(deck: Deck, email: str = "bob@example.com", role: str = "viewer") -> str:
    """A member who came by the link of the page. Answers the address of their page; the browser is Ada's again."""
    link = await invited(deck, email, role)
    name = email.split("@", maxsplit=1)[0]
    act_as(deck, None)
    answer = await posted(deck, "/console/accept-invitation", token=link, name=name.capitalize(), password=PASSWORD)
    assert answer.headers["location"] == "/console/"
    act_as(deck, deck.token)
    return f"{PEOPLE}/{await uid(deck, email)}"


async def uid(deck: Deck, email: str) -> str:
    return await deck.instance.db.read(lambda tx: users.find(tx, email).uid.replace("-", ""))


async def token_of(deck: Deck, email: str) -> str:
    answer = await deck.send("POST", "/api/auth/sign-in/email", {"email": email, "password": PASSWORD}, token=None)
    deck.client.cookies.clear()
    return answer.json()["token"]


async def told(deck: Deck, path: str, status: int, words: str, **form: str) -> None:
    """A form that is refused with these words, above what stands there."""
    assert words in html.unescape((await posted(deck, path, status, **form)).text)


async def test_without_a_mail_server_the_link_is_shown_once_with_a_word_why(deck):
    link = await invited(deck)
    shown = await page(deck, PEOPLE)
    assert link.split("#")[1] not in shown
    assert "bob@example.com" in shown
    assert ">Waits</span>" in shown
    assert "no mail server" in shown
    await told(
        deck, f"{PEOPLE}/invitations", 409, "has an invitation that is open", email="bob@example.com", role="viewer"
    )
    await told(deck, f"{PEOPLE}/invitations", 400, "is not an e-mail address", email="bob", role="viewer")
    await told(deck, f"{PEOPLE}/invitations", 400, "is no role of an organization", email="b@x.org", role="king")


async def test_another_link_ends_the_first_and_a_revoked_one_opens_nothing(deck):
    first = await invited(deck)
    again = re.search(rf'action="({PEOPLE}/invitations/[^"]+/again)"', await page(deck, PEOPLE))[1]
    answer = await posted(deck, again, 200)
    second = re.search(r'data-copy="(http[^"]+accept-invitation#[^"]+)"', answer.text)[1]
    assert first != second
    await told(deck, "/console/accept-invitation", 400, "not valid any more", token=first, password=PASSWORD)
    revoke = again.replace("/again", "/revoke")
    assert "Revoke the invitation of bob@example.com?" in await page(deck, revoke)
    await posted(deck, revoke)
    assert "Nobody is waited for." in await page(deck, PEOPLE)
    await told(deck, "/console/accept-invitation", 400, "not valid any more", token=second, password=PASSWORD)
    assert "waits no more" in await page(deck, revoke, 404)


async def test_who_may_not_make_an_owner_has_no_link_of_an_owners_invitation_either(deck):
    await came(deck, "carol@example.com", "admin")
    await invited(deck, "dora@example.com", "owner")
    act_as(deck, await token_of(deck, "carol@example.com"))
    shown = await page(deck, PEOPLE)
    assert 'value="owner"' not in shown
    again = re.search(rf'action="({PEOPLE}/invitations/[^"]+/again)"', shown)[1]
    await told(deck, again, 403, "Only an owner makes somebody an owner.")
    await told(
        deck, f"{PEOPLE}/invitations", 403, "Only an owner makes somebody an owner.", email="e@x.org", role="owner"
    )


async def test_a_member_is_given_another_role_and_let_go_by_their_name(deck):
    bob = await came(deck)
    assert 'value="viewer" selected' in await page(deck, bob)
    answer = await posted(deck, f"{bob}/role", role="admin")
    assert answer.headers["location"] == bob
    assert 'value="admin" selected' in await page(deck, bob)
    assert "Type <code>bob</code>" in await page(deck, f"{bob}/remove")
    await told(deck, f"{bob}/remove", 400, "is not their username", confirmation="Bob")
    await posted(deck, f"{bob}/remove", confirmation="bob")
    assert "bob@example.com" not in await page(deck, PEOPLE)
    assert "There is no such member" in await page(deck, bob, 404)
    here = await deck.instance.db.read(lambda tx: setup.default_organization(tx).id)
    found = await deck.instance.db.read(audit.page, organization_id=here, action="member.roles-changed")
    assert [event.detail["added"] for event in found.events] == [["organization:admin"]]


async def test_the_last_owner_and_ones_own_account_are_guarded_in_the_words_of_the_rules(deck):
    me = f"{PEOPLE}/{await uid(deck, 'ada@example.com')}"
    assert "An owner is not removed." in await page(deck, f"{me}/remove")
    await told(deck, f"{me}/role", 400, "You cannot change the membership of your own account", role="viewer")
    await told(deck, f"{me}/remove", 400, "You cannot change the membership of your own account", confirmation="ada")
    await came(deck, "carol@example.com", "admin")
    act_as(deck, await token_of(deck, "carol@example.com"))
    await told(deck, f"{me}/role", 400, "An owner is not given another role.", role="viewer")
    await told(deck, f"{me}/remove", 400, "An owner is not removed.", confirmation="ada")
    grant = re.search(rf'href="({me}/grants/[^"]+/take)"', await page(deck, me))[1]
    assert "carries" not in await page(deck, grant)
    act_as(deck, deck.token)
    await told(deck, grant, 409, "is the last")
    await told(
        deck, f"{me}/grants", 400, "You cannot change the membership of your own account",
        role="organization:viewer", narrowed_by="", value="",
    )  # fmt: skip


async def test_ownership_is_given_away_by_typing_the_name_of_the_organization(deck):
    bob = await came(deck)
    name = await deck.instance.db.read(lambda tx: setup.default_organization(tx).name)
    assert f"Give {name} to Bob?" in await page(deck, f"{bob}/owner")
    await told(deck, f"{bob}/owner", 400, "is not the name of the organization", confirmation="bob")
    await posted(deck, f"{bob}/owner", confirmation=name)
    shown = await page(deck, bob)
    assert "An owner is not given another role." in shown
    assert "Ownership transferred" in shown
    refused = await page(deck, f"{bob}/owner", 403)
    assert "deploy:organizations.transfer-owner" in refused


async def test_lists_of_people_are_paged_by_key_and_searched(deck, monkeypatch):
    from quarterdeck.console.pages import people

    monkeypatch.setattr(people, "PAGE", 2)
    for name in ("bob", "carol", "dora"):
        await came(deck, f"{name}@example.com")
    await invited(deck, "eve@example.com")
    seen: list[str] = []
    path = PEOPLE
    while path:
        shown = await page(deck, path)
        seen += re.findall(rf'href="{PEOPLE}/[0-9a-f]{{32}}"><b>([^<]+)<', shown)
        path = (re.findall(r'rel="next" href="([^"]+after[^"]+)"', shown) or [""])[0]
    assert seen == ["Ada", "Bob", "Carol", "Dora"]
    found = await page(deck, f"{PEOPLE}?q=CAROL@")
    assert re.findall(rf'href="{PEOPLE}/[0-9a-f]{{32}}"><b>([^<]+)<', found) == ["Carol"]
    assert "Nobody matches." in await page(deck, f"{PEOPLE}?q=%25")
    await page(deck, f"{PEOPLE}?after=x", 400)


async def test_who_was_asked_in_and_has_not_come_is_no_member(deck):
    await came(deck)
    await invited(deck, "eve@example.com")
    here = await deck.instance.db.read(lambda tx: setup.default_organization(tx).id)

    def both(tx: Tx) -> tuple[list[str], list[str]]:
        paged = [one.user.username for one in members.page(tx, here)]
        return paged, sorted(one.user.username for one in members.listed(tx, here))

    paged, listed = await deck.instance.db.read(both)
    assert sorted(paged) == listed == ["ada", "bob"]


async def test_a_role_of_ones_own_is_made_given_changed_and_deleted(deck):
    bob = await came(deck)
    made = await posted(
        deck,
        ROLES,
        name="Release",
        text="Ships",
        **{"may-deploy:deployments.create": "yes", "may-deploy:projects.list": "yes"},
    )
    role = made.headers["location"]
    shown = await page(deck, role)
    assert 'name="may-deploy:deployments.create" value="yes" checked' in shown
    assert "<h1>Release</h1>" in shown
    await told(deck, ROLES, 409, "There is a role release already.", name="release")
    await told(deck, ROLES, 400, "name is empty.", name="")
    ref = role.rpartition("/")[2]
    await posted(deck, f"{bob}/grants", role=ref, narrowed_by="", value="")
    why = "/console/access/why?person=bob&permission=deploy:deployments.create"
    yes = await page(deck, why)
    assert ">Yes<" in yes
    assert "<dt>By the role</dt><dd>Release</dd>" in yes
    assert "is held by 1 person." in await page(deck, f"{role}/delete")
    await told(deck, f"{role}/delete", 409, "is held by 1 person", confirmation="Release")
    version = re.search(r'name="version" value="([^"]+)"', shown)[1]
    await posted(deck, role, name="Release", text="", version=version, **{"may-deploy:projects.list": "yes"})
    no = await page(deck, why)
    assert ">No<" in no
    assert "<dt>Could give it</dt><dd>ada</dd>" in no
    conflict = await posted(deck, role, 409, name="Releases", text="", version=version)
    assert "Somebody changed the role Release while this form was open." in html.unescape(conflict.text)
    assert "yours: <code>Releases</code>" in conflict.text
    taken = re.search(rf'href="({bob}/grants/[^"]+/take)"', await page(deck, bob))[1]
    assert "Take Release from Bob?" in await page(deck, taken)
    await posted(deck, taken)
    await posted(deck, f"{role}/delete", confirmation="Release")
    assert "Release" not in await page(deck, ROLES)


async def test_built_in_roles_stay_as_they_are(deck):
    role = re.search(rf'href="({ROLES}/[^"]+)"><b>organization:viewer', await page(deck, ROLES))[1]
    shown = await page(deck, role)
    assert "built in, so it stays as it is" in shown
    assert "Save role" not in shown
    await told(deck, role, 409, "is built in", name="mine", version=await version_of(deck, role))
    assert "is built in" in await page(deck, f"{role}/delete")


async def version_of(deck: Deck, role: str) -> str:
    from quarterdeck.identity import granting

    def read(tx: Tx) -> str:
        tx.act_as(users.principal(tx.first(select(User)), setup.default_organization(tx).id))
        return granting.role(tx, role.rpartition("/")[2]).updated_at.isoformat()

    return await deck.instance.db.write(read)


async def test_a_grant_for_a_part_is_told_where_and_permits_nothing_elsewhere(deck):
    bob = await came(deck)
    listed = await page(deck, ROLES)
    approver = re.search(rf'href="{ROLES}/([^"]+)"><b>broker:approver', listed)[1]
    lead = re.search(rf'href="{ROLES}/([^"]+)"><b>tasks:lead', listed)[1]
    await told(deck, f"{bob}/grants", 400, "Give both, or neither.", role=approver, narrowed_by="environment", value="")
    await told(
        deck, f"{bob}/grants", 400, "holds in the whole organization or not at all",
        role=lead, narrowed_by="environment", value="production",
    )  # fmt: skip
    await posted(deck, f"{bob}/grants", role=approver, narrowed_by="environment", value="production")
    assert "<td>environment production</td>" in await page(deck, bob)
    assert "1 person, 1 in a part" in await page(deck, f"{ROLES}?family=broker")
    assert ">No<" in await page(deck, "/console/access/why?person=bob&permission=broker:secret.approve")
    taken = re.search(rf'href="({bob}/grants/[^"]+/take)"', await page(deck, bob))[1]
    await posted(deck, taken)
    assert "environment production" not in await page(deck, bob)


async def test_nobody_gives_what_they_have_not_got(deck):
    bob = await came(deck)
    await came(deck, "carol@example.com", "admin")
    approver = re.search(rf'href="{ROLES}/([^"]+)"><b>broker:approver', await page(deck, ROLES))[1]
    act_as(deck, await token_of(deck, "carol@example.com"))
    await told(deck, f"{bob}/grants", 403, "which you have not got", role=approver, narrowed_by="", value="")
    form = await page(deck, f"{ROLES}/new")
    assert re.search(r'name="may-broker:secret.approve" value="yes" disabled', form)
    await told(deck, ROLES, 403, "which you have not got", name="Mine", **{"may-broker:secret.approve": "yes"})


async def test_the_grid_is_folded_until_a_group_or_words_are_asked_for(deck):
    folded = await page(deck, ROLES)
    assert "deploy:deployments.create" not in folded
    assert re.search(r'group=deployments#grid">deployments</a></th><td class="yes">.*?\d+ of \d+', folded)
    one = await page(deck, f"{ROLES}?group=deployments")
    row = re.search(r"<code>deploy:deployments.create</code></th>(.*)</tr>", one)[1]
    assert re.findall(r'aria-label="(\w+)"', row) == ["yes", "yes", "no", "no", "no"]
    found = await page(deck, f"{ROLES}?family=tasks&q=drain")
    assert re.findall(r"<code>(tasks:[^<]+)</code>", found) == ["tasks:machines.drain"]
    assert "No permission matches." in await page(deck, f"{ROLES}?q=nowhere")


async def test_a_refusal_says_what_is_missing_where_and_who_could_give_it(deck):
    await came(deck)
    act_as(deck, await token_of(deck, "bob@example.com"))
    refused = await page(deck, ROLES, 403)
    for words in (
        "See roles, who has which, and why somebody may do something",
        '<code class="value">access:read</code>',
        "<dt>Where</dt><dd>everywhere in Self-hosted</dd>",
        "<dt>Carried by</dt><dd>organization:admin, organization:owner</dd>",
        "<dt>Who could give it</dt><dd>ada</dd>",
        '<nav id="nav"',
    ):
        assert words in refused, words
    assert "Ask why" not in refused
    form = await deck.client.post(f"{PEOPLE}/invitations", data={"email": "x@example.com", "role": "viewer"})
    assert form.status_code == 403
    assert "deploy:organizations.invite-member" in form.text
    assert form.headers["content-security-policy"]
    mine = await page(deck, PEOPLE)
    assert "Invite" not in mine.partition("<main")[2]
    assert "Roles" not in mine.partition("<main")[2]


async def test_other_organizations_people_are_not_found(deck):
    await deck.member("viewer", "org_elsewhere")
    other = await deck.instance.db.read(
        lambda tx: tx.first(select(User).where(User.username.startswith("viewer-"))).uid
    )
    for path in ("", "/remove", "/owner"):
        assert "There is no such member" in await page(deck, f"{PEOPLE}/{other}{path}", 404)
    await posted(deck, f"{PEOPLE}/{other}/role", 404, role="admin")
    assert "There is no user" in await page(deck, f"/console/access/why?person={other}&permission=access:read", 404)
