"""Programs of the infra surface come in by the browser: a code, an approval by hand, tokens, once."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import timedelta

from sqlalchemy import select, update

from quarterdeck.identity import sessions
from quarterdeck.identity.model import DeviceLogin, SessionToken, User, UserSession
from quarterdeck.identity.sessions import token_hash
from support.deck import EMAIL

CLI = "/api/auth/cli"
AGENT = {"user-agent": "alethia/0.4.0"}


def code() -> dict[str, str]:
    return {"device_code": str(uuid.uuid4())}


def claims(token: str) -> dict:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def ask(crew, body):
    return await crew.send("POST", f"{CLI}/exchange", body, token=None, headers=AGENT)


async def refused(crew, status, method, path, body=None, **options):
    """In the envelope of the surface, and nothing has happened."""
    before = await crew.told()
    answer = await crew.send(method, path, body, **options)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() - {"hint"} == {"code", "error"}
    assert [one for one in (await crew.told())[len(before) :] if one["outcome"] == "success"] == []
    return answer.json()["error"]


async def let_in(crew) -> dict[str, str]:
    made = code()
    await crew.ok("POST", f"{CLI}/generate", made)
    answer = await ask(crew, made)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_program_is_pending_until_somebody_approves_and_gets_its_tokens_once(crew):
    made = code()
    for _ in range(2):
        assert (await ask(crew, made)).status_code == 404
    assert await crew.once("device-login.approved", "POST", f"{CLI}/generate", made) == {"success": True}
    before = len(await crew.told())
    assert await crew.ok("POST", f"{CLI}/generate", made) == {"success": True}
    assert len(await crew.told()) == before
    told = await crew.once("session.signed-in", "POST", f"{CLI}/exchange", made, token=None, headers=AGENT)
    assert told.keys() == {"access_token", "refresh_token", "provider_token", "user_email"}
    assert (told["provider_token"], told["user_email"]) == (None, EMAIL)
    await refused(crew, 400, "POST", f"{CLI}/exchange", made, token=None)
    await refused(crew, 400, "POST", f"{CLI}/generate", made)


async def test_the_tokens_are_read_by_programs_and_end_with_their_session(crew):
    told = await let_in(crew)
    access, renewal = claims(told["access_token"]), claims(told["refresh_token"])
    assert (access["type"], renewal["type"], access["email"]) == ("access", "refresh", EMAIL)
    assert access["exp"] - access["iat"] == 3600
    assert renewal["exp"] - renewal["iat"] == 90 * 86_400
    ada = await crew.db.read(lambda tx: tx.get(User, 1))
    assert access["sub"] == ada.uid
    assert (await crew.ok("GET", "/api/projects", token=told["access_token"]))["items"] == []
    assert (await crew.send("GET", "/api/projects", token=told["refresh_token"])).status_code == 401
    session = (await crew.db.read(lambda tx: sessions.own(tx, ada.id)))[0]
    assert (session.client_kind, session.user_agent) == ("cli", AGENT["user-agent"])
    await crew.ok("POST", "/api/auth/logout", {}, token=told["access_token"])
    assert (await crew.send("GET", "/api/projects", token=told["access_token"])).status_code == 401
    await refused(crew, 401, "POST", f"{CLI}/refresh", {"refresh_token": told["refresh_token"]}, token=None)


async def test_a_refresh_token_stays_good_for_programs_that_keep_it(crew):
    told = await let_in(crew)
    body = {"refresh_token": told["refresh_token"]}
    for _ in range(2):
        fresh = await crew.once("session.refreshed", "POST", f"{CLI}/refresh", body, token=None)
        assert fresh.keys() == {"access_token"}
        assert claims(fresh["access_token"])["type"] == "access"
        await crew.ok("GET", "/api/projects", token=fresh["access_token"])


async def test_a_forged_or_foreign_token_is_refused(crew):
    told = await let_in(crew)
    head, payload, signature = told["access_token"].split(".")
    longer = {**claims(told["access_token"]), "exp": 9_999_999_999}
    forged = base64.urlsafe_b64encode(json.dumps(longer).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    for token in (
        f"{head}.{forged}.{signature}",
        f"{none}.{payload}.",
        f"{head}.{payload}.",
        f"{head}.{payload}",
        "..",
        "a.b.c",
        payload,
    ):
        assert (await crew.send("GET", "/api/projects", token=token)).status_code == 401, token
        await refused(crew, 401, "POST", f"{CLI}/refresh", {"refresh_token": token or "x"}, token=None)
    for token in (told["access_token"], claims(told["access_token"])["jti"], crew.deck.token, "nothing", "\u00e9.b.c"):
        await refused(crew, 401, "POST", f"{CLI}/refresh", {"refresh_token": token}, token=None)


async def test_a_login_lives_ten_minutes_and_is_not_revived(crew):
    made, approved = code(), code()
    assert (await ask(crew, made)).status_code == 404
    await crew.ok("POST", f"{CLI}/generate", approved)
    assert await crew.db.read(lambda tx: tx.first(DeviceLogin.__table__.select()) is not None)

    def age(tx):
        tx.execute(update(DeviceLogin).values(expires_at=tx.now))

    await crew.db.write(age)
    assert "ten minutes" in await refused(crew, 400, "POST", f"{CLI}/generate", made)
    for body in (made, approved):
        assert "ten minutes" in await refused(crew, 400, "POST", f"{CLI}/exchange", body, token=None)
    await crew.db.write(sessions.prune)
    await refused(crew, 400, "POST", f"{CLI}/exchange", made, token=None)
    await crew.db.write(
        lambda tx: tx.execute(update(DeviceLogin).values(expires_at=tx.now - timedelta(days=1, seconds=1)))
    )
    await crew.db.write(sessions.prune)
    assert (await ask(crew, made)).status_code == 404


async def test_only_a_session_approves_and_only_from_a_page_of_ours(crew):
    made = code()
    assert await refused(crew, 401, "POST", f"{CLI}/generate", made, token=None) == "Unauthorized"
    pat = (await crew.ok("POST", "/api/web/profile/tokens", {"label": "x"}, status=201))["token"]
    await refused(crew, 403, "POST", f"{CLI}/generate", made, token=pat)
    cookie = {"cookie": f"qd_session={crew.deck.token}"}
    for more in ({}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        await refused(crew, 403, "POST", f"{CLI}/generate", made, token=None, headers=cookie | more)
    assert (await ask(crew, made)).status_code == 404
    own = cookie | {"origin": "http://localhost"}
    await crew.ok("POST", f"{CLI}/generate", made, token=None, headers=own)
    assert (await ask(crew, made)).status_code == 200


async def test_a_login_belongs_to_who_approved_it_first(crew):
    made = code()
    _, bob = await crew.person("bob", "organization:viewer")
    await crew.ok("POST", f"{CLI}/generate", made)
    await refused(crew, 409, "POST", f"{CLI}/generate", made, token=bob)
    told = (await ask(crew, made)).json()
    assert told["user_email"] == EMAIL


async def test_who_may_not_act_any_more_lets_nobody_in(crew):
    made = code()
    number, bob = await crew.person("bob", "organization:viewer")
    await crew.ok("POST", f"{CLI}/generate", made, token=bob)
    await crew.ok("PUT", f"/api/admin/developers/{number}", {"isActive": False})
    await refused(crew, 403, "POST", f"{CLI}/exchange", made, token=None)


async def test_a_session_that_has_ended_lets_nobody_in(crew):
    made, here = code(), await crew.tokens()
    await crew.ok("POST", f"{CLI}/generate", made, token=here["accessToken"])
    await crew.ok("POST", "/api/auth/logout", {}, token=here["accessToken"])
    assert "signed out" in await refused(crew, 403, "POST", f"{CLI}/exchange", made, token=None)


async def test_what_a_provider_vouched_for_stays_bound_to_it(crew):
    made, here = code(), await crew.tokens()

    def session_of(tx, token):
        named = select(UserSession).join(SessionToken).where(SessionToken.hash == token_hash(token))
        return tx.first(named)

    def vouch(tx):
        session = session_of(tx, here["accessToken"])
        session.external_account_id, session.external_session = 7, "sid-1"

    await crew.db.write(vouch)
    await crew.ok("POST", f"{CLI}/generate", made, token=here["accessToken"])
    told = (await ask(crew, made)).json()
    session = await crew.db.read(session_of, claims(told["access_token"])["jti"])
    assert (session.external_account_id, session.external_session) == (7, "sid-1")


async def test_what_is_no_code_is_refused_in_the_envelope(crew):
    wrong = ("", None, 7, "1234", "x" * 200, "../" * 12, "\u00e9" * 40, str(uuid.uuid4()) + "\n")
    for body in ({}, [], *({"device_code": one} for one in wrong)):
        await refused(crew, 400, "POST", f"{CLI}/exchange", body, token=None)
        await refused(crew, 400, "POST", f"{CLI}/generate", body)
    for body in ({}, {"refresh_token": ""}, {"refresh_token": None}, {"refresh_token": 7}, [1]):
        await refused(crew, 400, "POST", f"{CLI}/refresh", body, token=None)
    await refused(crew, 405, "GET", f"{CLI}/exchange", token=None)
    await refused(crew, 404, "GET", f"{CLI}/nothing", token=None)


async def test_one_address_has_few_logins_that_wait(crew):
    for _ in range(20):
        assert (await ask(crew, code())).status_code == 404
    answer = await ask(crew, code())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "600")
    assert answer.json().keys() - {"hint"} == {"code", "error"}


async def test_no_token_lies_open(crew):
    made = code()
    await crew.ok("POST", f"{CLI}/generate", made)
    told = (await ask(crew, made)).json()
    secrets = [made["device_code"], *(claims(told[name])["jti"] for name in ("access_token", "refresh_token"))]

    def rows(tx):
        from sqlalchemy import text

        names = (
            "identity_device_logins",
            "identity_session_tokens",
            "identity_sessions",
            "audit_events",
            "domain_events",
        )
        return [str(row) for name in names for row in tx.execute(text(f"SELECT * FROM {name}"))]

    for row in await crew.db.read(rows):
        assert not any(secret in row for secret in secrets)


async def test_the_page_lets_in_by_a_press_and_by_no_page_elsewhere(crew):
    made = code()
    assert (await ask(crew, made)).status_code == 404
    cookie = {"cookie": f"qd_session={crew.deck.token}"}
    address = f"/cli/login?device_code={made['device_code']}"
    page = await crew.send("GET", address, token=None, headers=cookie)
    assert page.status_code == 200
    for shown in (made["device_code"], "alethia/0.4.0", "127.0.0.1", "Ada", "Let it in"):
        assert shown in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (await ask(crew, made)).status_code == 404  # looking approves nothing
    form = {"device_code": made["device_code"], "answer": "approve"}
    for more in ({}, {"origin": "https://evil.example"}, {"sec-fetch-site": "same-site"}):
        sent = await crew.send("POST", "/cli/login", token=None, data=form, headers=cookie | more)
        assert sent.status_code == 403
    assert (await ask(crew, made)).status_code == 404
    before = len(await crew.told())
    own = cookie | {"origin": "http://localhost"}
    sent = await crew.send("POST", "/cli/login", token=None, data=form, headers=own)
    assert (sent.status_code, sent.headers["location"]) == (303, address)
    events = (await crew.told())[before:]
    assert [(one["action"], one["actor_label"]) for one in events] == [("device-login.approved", "ada")]
    assert json.loads(events[0]["detail"]) == {"address": "127.0.0.1", "userAgent": AGENT["user-agent"]}
    assert "let in" in (await crew.send("GET", address, token=None, headers=cookie)).text
    assert (await ask(crew, made)).status_code == 200
    over = await crew.send("GET", address, token=None, headers=cookie)
    assert "This login is over" in over.text


async def test_a_refused_program_is_told_and_stays_out(crew):
    made = code()
    assert (await ask(crew, made)).status_code == 404
    own = {"cookie": f"qd_session={crew.deck.token}", "origin": "http://localhost"}
    form = {"device_code": made["device_code"], "answer": "refuse"}
    before = len(await crew.told())
    for _ in range(2):
        assert (await crew.send("POST", "/cli/login", token=None, data=form, headers=own)).status_code == 303
    assert [one["action"] for one in (await crew.told())[before:]] == ["device-login.refused"]
    await refused(crew, 400, "POST", f"{CLI}/exchange", made, token=None)
    await refused(crew, 400, "POST", f"{CLI}/generate", made)


async def test_the_page_sends_strangers_to_the_door_and_refuses_what_is_no_code(crew):
    away = await crew.send("GET", f"/cli/login?device_code={uuid.uuid4()}", token=None)
    assert away.status_code == 303
    assert away.headers["location"].startswith("/console/sign-in?next=/cli/login%3F")
    cookie = {"cookie": f"qd_session={crew.deck.token}"}
    for address in ("/cli/login", "/cli/login?device_code=1234", "/cli/login?device_code=%00"):
        assert (await crew.send("GET", address, token=None, headers=cookie)).status_code == 400
    later = await crew.send("GET", f"/cli/login?device_code={uuid.uuid4()}", token=None, headers=cookie)
    assert (later.status_code, later.headers["refresh"].partition(";")[0]) == (200, "3")
    assert "<button" not in later.text
