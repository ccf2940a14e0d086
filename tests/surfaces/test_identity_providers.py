"""Signing in with a real OpenID Connect provider, from the button to the session and back out."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from quarterdeck.access import grants
from quarterdeck.identity.model import ExternalAccount, Organization, User, UserSession
from quarterdeck.identity.oidc.discovery import unreachable
from quarterdeck.identity.oidc.model import OidcNotice, OidcRequest
from quarterdeck.identity.retention import ended_requests
from quarterdeck.kernel.audit.model import audit_events
from real.oidc_provider import SECRET, OidcProvider, oidc_provider
from support.deck import HOME, Deck

BACK = "http://localhost/console/sign-in/team/callback"


@pytest.fixture
def there():
    with oidc_provider() as provider:
        provider.redirect_uris.add(BACK)
        yield provider


async def add(deck: Deck, there: OidcProvider, **given) -> dict:
    body = {
        "slug": "team", "name": "Team login", "issuer": there.issuer, "clientId": "deck", "clientSecret": SECRET,
        "groupRoles": {"ops": ["organization:admin"], "dev": ["organization:developer"]},
        "defaultRoles": ["organization:viewer"], **given,
    }  # fmt: skip
    answer = await deck.send("POST", "/api/identity-providers", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def browser(deck: Deck) -> httpx.AsyncClient:
    """A browser of its own, with nothing in it."""
    return httpx.AsyncClient(transport=deck.client._transport, base_url="http://localhost")


async def sent(way: str) -> str:
    """What the provider sends the browser back to."""
    async with httpx.AsyncClient() as outside:
        answer = await outside.get(way)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def through(deck: Deck, page: httpx.AsyncClient, wanted: str = "") -> httpx.Response:
    begun = await page.get("/console/sign-in/team", params={"next": wanted} if wanted else {})
    assert begun.status_code == 303, begun.text
    return await page.get(await sent(begun.headers["location"]))


async def who(page: httpx.AsyncClient) -> dict:
    answer = await page.get("/api/auth/get-session")
    assert answer.status_code == 200, answer.text
    return answer.json()["user"]


async def roles(deck: Deck, subject: str) -> list[str]:
    def verb(tx):
        account = tx.first(select(ExternalAccount).where(ExternalAccount.subject == subject))
        home = tx.first(select(Organization).where(Organization.ref == HOME))
        return grants.roles_of(tx, account.user_id, home.id) if account else []

    return await deck.instance.db.read(verb)


async def count(deck: Deck, model) -> int:
    return await deck.instance.db.read(lambda tx: tx.execute(select(func.count()).select_from(model)).scalar())


async def actions(deck: Deck, outcome: str = "success") -> list[str]:
    table = audit_events.c
    query = select(table.action).where(table.outcome == outcome).order_by(table.id)
    return await deck.instance.db.read(lambda tx: list(tx.execute(query).scalars()))


async def test_somebody_new_comes_in_with_the_roles_of_their_groups(deck, there):
    await add(deck, there)
    there.claims |= {"email_verified": True, "name": "Eve\x07 Moss", "preferred_username": "eve", "groups": ["dev", 7]}
    async with browser(deck) as page:
        page_with_button = await page.get("/console/sign-in")
        assert 'href="/console/sign-in/team?next=/console/"' in page_with_button.text
        assert "Continue with Team login" in page_with_button.text
        answer = await through(deck, page, "/console/projects")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/projects")
        user = await who(page)
        assert (user["email"], user["name"], user["emailVerified"]) == ("eve@example.com", "Eve Moss", True)
        assert (await page.get("/console/")).status_code == 200
        assert "qd_sign_in" not in page.cookies
    assert await roles(deck, "u-1") == ["organization:developer"]
    assert await count(deck, OidcRequest) == 0
    assert "/userinfo" not in str(there.asked)
    done = await actions(deck)
    assert done[-4:] == ["user.created", "external-account.linked", "member.roles-changed", "session.signed-in"]


async def test_the_groups_of_every_sign_in_decide_and_other_roles_stay(deck, there):
    await add(deck, there)
    there.claims |= {"email_verified": True, "groups": ["dev"]}
    async with browser(deck) as page:
        await through(deck, page)
        user = await who(page)

        def further(tx):
            row = tx.first(select(User).where(User.email == "eve@example.com"))
            home = tx.first(select(Organization).where(Organization.ref == HOME))
            grants.give(tx, deck.instance.access, row.id, home.id, "broker:developer")

        await deck.instance.db.write(further)
        there.claims["groups"] = ["ops"]
        await through(deck, page)
        assert (await who(page))["id"] == user["id"]
        assert await roles(deck, "u-1") == ["broker:developer", "organization:admin"]
        there.claims["groups"] = []
        await through(deck, page)
        assert await roles(deck, "u-1") == ["broker:developer"]


async def test_whoever_has_left_all_groups_loses_the_roles_and_is_not_let_in(deck, there):
    await add(deck, there, defaultRoles=[])
    there.claims["groups"] = ["ops"]
    async with browser(deck) as page:
        await through(deck, page)
        there.claims["groups"] = ["elsewhere"]
        answer = await through(deck, page)
        assert answer.status_code == 403
        assert "none of your groups has a role here" in answer.text
    assert await roles(deck, "u-1") == [grants.MEMBER]
    assert (await actions(deck, "denied"))[-1] == "session.sign-in-failed"


async def test_groups_and_addresses_may_come_from_the_userinfo_endpoint(deck, there):
    await add(deck, there, groupsClaim="memberOf")
    there.claims = {"sub": "u-9"}
    there.userinfo = {"memberOf": "ops", "email": "nine@example.com", "email_verified": True}
    async with browser(deck) as page:
        await through(deck, page)
        assert (await who(page))["email"] == "nine@example.com"
    assert await roles(deck, "u-9") == ["organization:admin"]


async def test_a_stranger_without_a_role_or_of_another_domain_is_not_made(deck, there):
    await add(deck, there, defaultRoles=[], emailDomains=["@Example.org"])
    people = await count(deck, User)
    for claims in (
        {"email_verified": True, "groups": ["ops"]},
        {"email": "eve@example.org", "email_verified": False, "groups": ["ops"]},
        {"email": "eve@example.org", "email_verified": True, "groups": []},
        {"email": "eve@evil.example.org", "email_verified": True, "groups": ["ops"]},
    ):
        there.claims = {"sub": "u-1", "email": "eve@example.com", **claims}
        async with browser(deck) as page:
            assert (await through(deck, page)).status_code == 403
    assert (await count(deck, User), await count(deck, ExternalAccount)) == (people, 0)
    there.claims |= {"email": "eve@example.org", "groups": ["ops"]}
    async with browser(deck) as page:
        assert (await through(deck, page)).status_code == 303


async def test_an_address_alone_opens_nobody_elses_account(deck, there):
    """The administrator's is known to everybody; it counts only once both sides have seen that it is theirs."""
    made = await add(deck, there)
    there.claims |= {"email": "ada@example.com", "email_verified": True}
    async with browser(deck) as page:
        answer = await through(deck, page)
        assert answer.status_code == 409
        assert "connect Team login on your own page" in answer.text
        await deck.send("PATCH", f"/api/identity-providers/{made['id']}", {"linksByEmail": True})
        assert (await through(deck, page)).status_code == 409

        def verified(tx):
            tx.first(select(User).where(User.email == "ada@example.com")).email_verified = True

        await deck.instance.db.write(verified)
        there.claims["email_verified"] = False
        assert (await through(deck, page)).status_code == 303
        assert (await who(page))["email"] is None
        there.claims |= {"sub": "u-2", "email_verified": True}
        assert (await through(deck, page)).status_code == 303
        assert (await who(page))["email"] == "ada@example.com"


async def test_a_person_connects_an_account_and_takes_it_away_again(deck, there):
    await add(deck, there)
    own = {"origin": "http://localhost"}
    async with browser(deck) as page:
        page.cookies.set("qd_session", deck.token)
        assert "not connected" in (await page.get("/console/me")).text
        foreign = await page.post("/console/me/accounts/team/connect", headers={"origin": "https://evil.example.com"})
        assert foreign.status_code == 403
        way = await page.post("/console/me/accounts/team/connect", headers=own)
        address = way.text.split('class="btn main" href="')[1].split('"')[0].replace("&amp;", "&")
        back = await page.get(await sent(address))
        assert (back.status_code, back.headers["location"]) == (303, "/console/me")
        shown = (await page.get("/console/me")).text
        account = shown.split("/console/me/accounts/")[1].split("/disconnect")[0]
    async with browser(deck) as other:
        await through(deck, other)
        assert (await who(other))["email"] == "ada@example.com"
        taken = await other.post(f"/console/me/accounts/{account}/disconnect", headers=own)
        assert taken.status_code == 303
        assert (await other.get("/api/auth/get-session")).status_code == 401
    assert await count(deck, ExternalAccount) == 0


async def test_whoever_has_no_password_keeps_the_last_account(deck, there):
    await add(deck, there)
    async with browser(deck) as page:
        await through(deck, page)
        account = (await page.get("/console/me")).text.split("/console/me/accounts/")[1].split("/disconnect")[0]
        kept = await page.post(f"/console/me/accounts/{account}/disconnect", headers={"origin": "http://localhost"})
        assert kept.status_code == 409
        assert "Set a password first" in kept.text


async def test_an_answer_is_good_once_and_in_the_browser_that_asked(deck, there):
    await add(deck, there)
    async with browser(deck) as page, browser(deck) as thief:
        begun = await page.get("/console/sign-in/team")
        back = await sent(begun.headers["location"])
        stolen = await thief.get(back)
        assert (stolen.status_code, "qd_session" in thief.cookies) == (401, False)
        assert (await page.get(back)).status_code == 303
        assert (await page.get(back)).status_code == 401
        asked = parse_qs(urlsplit(begun.headers["location"]).query)
        assert len(asked["code_challenge"][0]) == 43
        for query in ({}, {"state": "x", "code": "y"}, {"code": "y"}, {"state": "\0", "code": "é"}):
            assert (await page.get("/console/sign-in/team/callback", params=query)).status_code == 401


async def test_an_answer_that_comes_after_ten_minutes_is_too_late(deck, there, monkeypatch):
    await add(deck, there)
    from datetime import timedelta

    from quarterdeck.identity.oidc import relying_party

    monkeypatch.setattr(relying_party, "LIFE", timedelta(0))
    async with browser(deck) as page:
        assert (await through(deck, page)).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"nonce": "another"}, "answers another sign-in"),
        ({"aud": "another"}, "for another client"),
        ({"iss": "https://evil.example.com"}, "another issuer"),
        ({"exp": 1}, "has expired"),
    ],
)
async def test_a_token_that_is_not_for_us_lets_nobody_in(deck, there, wrong, told):
    await add(deck, there)
    there.wrong = wrong
    async with browser(deck) as page:
        answer = await through(deck, page)
        assert answer.status_code == 401
        assert told in answer.text
        assert "qd_session" not in page.cookies
    assert await count(deck, ExternalAccount) == 0


async def test_a_provider_that_turns_somebody_down_or_is_away_says_so_on_the_page(deck, there, monkeypatch):
    await add(deck, there)
    there.turned_down = "<b>not today</b>"
    async with browser(deck) as page:
        answer = await through(deck, page)
        assert answer.status_code == 401
        assert "&lt;b&gt;not today&lt;/b&gt;" in answer.text
        assert 'name="password"' in answer.text
        there.turned_down, there.status = "", 500
        deck.instance.relying_party.discovery._known.clear()
        away = await page.get("/console/sign-in/team")
        assert away.status_code == 503
        assert "A password still works" in away.text

        async def lost(issuer):
            raise unreachable(issuer, "ConnectError")

        monkeypatch.setattr(deck.instance.relying_party.discovery, "metadata", lost)
        away = await page.get("/console/sign-in/team")
        assert (away.status_code, "qd identity-provider test team" in away.text) == (503, True)
        assert (await page.get("/console/sign-in/nobody")).status_code == 404


async def test_an_answer_of_another_issuer_is_refused(deck, there):
    await add(deck, there)
    async with browser(deck) as page:
        begun = await page.get("/console/sign-in/team")
        back = await sent(begun.headers["location"])
        mixed = back.split("&iss=")[0] + "&iss=https%3A%2F%2Fevil.example.com"
        assert (await page.get(mixed)).status_code == 401


async def test_new_keys_of_the_provider_are_found(deck, there, monkeypatch):
    from quarterdeck.identity.oidc import discovery

    await add(deck, there)
    async with browser(deck) as page:
        await through(deck, page)
        there.rotate()
        assert (await through(deck, page)).status_code == 401  # looked at a moment ago, and not again so soon
        monkeypatch.setattr(discovery, "AGAIN", 0.0)
        assert (await through(deck, page)).status_code == 303


async def test_a_provider_that_is_unusable_is_told_apart(deck, there):
    made = await add(deck, there)
    there.document = {"code_challenge_methods_supported": ["plain"]}
    answer = await deck.send("POST", f"/api/identity-providers/{made['slug']}/test")
    assert (answer.status_code, "PKCE" in answer.text) == (503, True)
    for wrong in ({"issuer": "https://evil.example.com"}, {"token_endpoint": "http://evil.example.com/token"}):
        there.document = wrong
        answer = await deck.send("POST", f"/api/identity-providers/{made['slug']}/test")
        assert answer.status_code == 503, answer.text
    there.document = {}
    answer = await deck.send("POST", f"/api/identity-providers/{made['slug']}/test")
    assert (answer.status_code, answer.json()["keys"]) == (200, 1)


# -- signing out there


async def notify(deck: Deck, token: str, slug: str = "team") -> httpx.Response:
    return await deck.client.post(f"/api/auth/oidc/{slug}/logout", data={"logout_token": token})


async def test_a_sign_out_at_the_provider_ends_the_sessions_that_it_vouched_for(deck, there):
    await add(deck, there)
    there.claims |= {"sid": "first"}
    async with browser(deck) as one, browser(deck) as two:
        await through(deck, one)
        there.claims |= {"sid": "second"}
        await through(deck, two)
        answer = await notify(deck, there.logout_token(sid="first", sub="u-1"))
        assert (answer.status_code, answer.json()) == (200, {"endedSessions": 1})
        assert answer.headers["cache-control"] == "no-store"
        assert (await one.get("/api/auth/get-session")).status_code == 401
        assert (await two.get("/api/auth/get-session")).status_code == 200
        assert (await notify(deck, there.logout_token(sub="u-1"))).json() == {"endedSessions": 1}
        assert (await two.get("/api/auth/get-session")).status_code == 401
    assert (await deck.send("GET", "/api/auth/get-session")).status_code == 200


async def test_a_notice_that_is_replayed_or_forged_ends_nothing(deck, there):
    await add(deck, there)
    async with browser(deck) as page:
        await through(deck, page)
        elsewhere = there.logout_token(sub="u-2")
        assert (await notify(deck, elsewhere)).json() == {"endedSessions": 0}
        replayed = await notify(deck, elsewhere)
        assert (replayed.status_code, "sent before" in replayed.text) == (400, True)
        for token in (
            there.logout_token(sub="u-1", nonce="n"),
            there.logout_token(sub="u-1", aud="other"),
            there.logout_token(sub="u-1", iat=1),
            there.logout_token(sub="u-1")[:-8] + "AAAAAAAA",
            "",
            "x.y.z",
        ):
            assert (await notify(deck, token)).status_code == 400
        assert (await notify(deck, there.logout_token(sub="u-1"), "nobody")).status_code == 404
        assert (await deck.client.post("/api/auth/oidc/team/logout", content=b"\xff\xfe")).status_code == 400
        assert (await page.get("/api/auth/get-session")).status_code == 200


async def test_what_is_over_is_taken_away(deck, there, monkeypatch):
    from datetime import timedelta

    from quarterdeck.identity.oidc import relying_party

    await add(deck, there)
    monkeypatch.setattr(relying_party, "LIFE", timedelta(0))
    monkeypatch.setattr(relying_party, "NOTICES", timedelta(0))
    async with browser(deck) as page:
        await page.get("/console/sign-in/team")
    await notify(deck, there.logout_token(sub="u-1"))
    assert await deck.instance.db.write(ended_requests) == 2
    assert await count(deck, OidcNotice) == 0


# -- looking after providers


async def test_a_provider_is_added_shown_changed_and_removed(deck, there):
    made = await add(deck, there)
    assert made["redirectUri"] == BACK
    assert made["backchannelLogoutUri"] == "http://localhost/api/auth/oidc/team/logout"
    assert SECRET not in json.dumps(made)
    assert made["clientSecretConfigured"] is True
    listed = (await deck.send("GET", "/api/identity-providers")).json()
    assert listed == {"items": [made]}
    changed = await deck.send(
        "PATCH", "/api/identity-providers/team", {"name": "Other", "clientSecret": "", "scopes": ["groups"]}
    )
    assert (changed.json()["name"], changed.json()["clientSecretConfigured"]) == ("Other", False)
    assert changed.json()["scopes"] == ["openid", "groups"]
    await deck.send("PATCH", "/api/identity-providers/team", {"clientSecret": SECRET, "enabled": False})
    async with browser(deck) as page:
        assert (await page.get("/console/sign-in/team")).status_code == 404
        assert "Continue with" not in (await page.get("/console/sign-in")).text
        await deck.send("PATCH", "/api/identity-providers/team", {"enabled": True})
        await through(deck, page)
        gone = await deck.send("DELETE", "/api/identity-providers/team")
        assert gone.json() == {"id": made["id"], "endedSessions": 1}
        assert (await page.get("/api/auth/get-session")).status_code == 401
    assert (await deck.send("GET", "/api/identity-providers/team")).status_code == 404
    assert [one for one in await actions(deck) if one.startswith("identity-provider")] == [
        "identity-provider.added", *["identity-provider.changed"] * 3, "identity-provider.removed",
    ]  # fmt: skip


async def test_wrong_settings_change_nothing(deck, there):
    await add(deck, there)
    good = {"slug": "other", "issuer": there.issuer, "clientId": "deck"}
    for wrong in (
        {"slug": "Team Login"},
        {"issuer": "http://login.example.com"},
        {"issuer": "https://user:pw@login.example.com"},
        {"issuer": "javascript:alert(1)"},
        {"groupRoles": {"ops": ["organization:king"]}},
        {"groupRoles": {"": ["organization:admin"]}},
        {"defaultRoles": ["admin"]},
        {"emailDomains": ["not a domain"]},
        {"scopes": ["a b"]},
        {"clientId": 7},
    ):
        answer = await deck.send("POST", "/api/identity-providers", {**good, **wrong})
        assert answer.status_code == 400, (wrong, answer.text)
    taken = await deck.send("POST", "/api/identity-providers", {**good, "slug": "team"})
    assert taken.status_code == 409
    assert len((await deck.send("GET", "/api/identity-providers")).json()["items"]) == 1


async def test_only_who_may_do_everything_looks_after_providers(deck, there):
    """One speaks for whomever it names: an owner of one surface's things alone would be everything by its word."""
    made = await add(deck, there)
    admin, developer, owner = await deck.member("admin"), await deck.member("developer"), await deck.member("owner")
    stranger = await deck.member("owner", "org_elsewhere")
    assert (await deck.send("GET", "/api/identity-providers", token=admin)).status_code == 200
    assert (await deck.send("GET", "/api/identity-providers", token=developer)).status_code == 403
    for method, path in (("PATCH", "/team"), ("DELETE", "/team"), ("POST", "/team/test"), ("POST", "")):
        body = {"slug": "x", "issuer": there.issuer, "clientId": "x"} if method in {"PATCH", "POST"} else None
        assert (await deck.send(method, f"/api/identity-providers{path}", body, token=admin)).status_code == 403
    for token in (owner, stranger):
        body = {"slug": "x", "issuer": there.issuer, "clientId": "x", "linksByEmail": True}
        answer = await deck.send("POST", "/api/identity-providers", body, token=token)
        assert (answer.status_code, "who may do everything" in answer.text) == (403, True)
    answer = await deck.send("PATCH", "/api/identity-providers/team", {"linksByEmail": True}, token=owner)
    assert answer.status_code == 403
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = await deck.send(method, f"/api/identity-providers/{made['id']}", body, token=stranger)
        assert answer.status_code == 404


async def test_what_no_provider_sends_is_refused_and_never_an_error(deck, there):
    await add(deck, there)
    many = "&".join(f"a{number}=1" for number in range(50))
    answer = await deck.client.post("/api/auth/oidc/team/logout", content=f"{many}&logout_token=x".encode())
    assert answer.status_code == 400
    there.wrong = {"exp": 10**400}
    async with browser(deck) as page:
        assert (await through(deck, page)).status_code == 401


async def test_a_provider_speaks_for_its_own_organization_alone(deck, there):
    """Whoever it vouched for gets from there into no other organization."""
    from quarterdeck.identity import sessions, users

    await add(deck, there)
    there.claims |= {"sub": "u-3", "email": "mia@example.com", "email_verified": True}
    async with browser(deck) as page:
        await through(deck, page)
        stranger = await deck.member("owner", "org_elsewhere")
        assert stranger

        def elsewhere(tx):
            there = tx.first(select(Organization).where(Organization.ref == "org_elsewhere"))
            user = tx.first(select(User).where(User.email == "mia@example.com"))
            grants.give(tx, deck.instance.access, user.id, there.id, "organization:owner")
            session = tx.first(select(UserSession).where(UserSession.user_id == user.id))
            tx.act_as(users.principal(user, session.organization_id, session.uid))
            with pytest.raises(Exception, match="its own organization alone"):
                sessions.switch(tx, there)

        await deck.instance.db.write(elsewhere)
