"""One's own account over the runbooks surface: setting up, a forgotten password, second factors, keys."""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from sqlalchemy import text as sql

from quarterdeck.identity.attempts import PROOFS
from quarterdeck.identity.model import Link
from quarterdeck.kernel import jobs, mail
from quarterdeck.runbooks import vault_password
from support.deck import PASSWORD, running
from support.lodge import code
from support.mailbox import text, token

LOGIN = {"username": "ada", "password": PASSWORD}


async def guesses(lodge):
    """What was refused, by what, to whom."""
    told = [one for one in await lodge.told() if one["outcome"] == "denied"]
    return [(one["action"], json.loads(one["detail"])["by"], one["actor_label"]) for one in told]


async def reach(lodge, email="ada@example.com"):
    await lodge.reach(email)
    return await lodge.do("PUT", "/api/auth/me", {"email": email, "display_name": "Ada L."}, tells="user.changed")


async def test_setting_up_is_done_once_and_says_who_one_is(lodge):
    assert (await lodge.told())[0]["action"] == "user.first-administrator-created"
    assert len(await lodge.told()) == 1
    for path in ("/api/auth/status", "/api/auth/setup-required"):
        answer = (await lodge.send("GET", path, token=None)).json()
        assert answer == {"setup_complete": True, "setup_required": False}
    await lodge.refused(
        400, "POST", "/api/auth/setup", {"username": "eve", "password": PASSWORD}, token=None, says="exists already"
    )
    me = await lodge.do("GET", "/api/auth/me")
    assert me.keys() == {
        "id", "username", "email", "display_name", "ssh_public_key", "personal_ssh_public_key", "permissions", "roles",
    }  # fmt: skip
    assert {"users.view", "services.deploy", "jobs.cancel"} <= set(me["permissions"])
    assert [role["name"] for role in me["roles"]] == ["super-admin"]
    login = await lodge.do("POST", "/api/auth/login", LOGIN, tells="session.signed-in", token=None)
    assert set(me["permissions"]) <= set(login["permissions"])
    assert {"ssh_public_key", "personal_ssh_public_key"} <= login["user"].keys()
    refused = await lodge.refused(401, "GET", "/api/auth/me", token=None)
    assert refused.json().keys() == {"detail"}


async def test_the_vault_password_of_the_set_up_lies_sealed(tmp_path, database_address):
    async with running(tmp_path, database_address) as deck:
        body = {"username": "ada", "password": PASSWORD, "vault_password": "opens the playbooks"}
        assert (await deck.send("POST", "/api/auth/setup", body)).status_code == 200
        rows = await deck.instance.db.read(
            lambda tx: [str(row) for row in tx.execute(sql("SELECT * FROM runbooks_settings"))]
        )
        assert len(rows) == 1
        assert "opens the playbooks" not in rows[0]
        kept = await deck.instance.db.read(vault_password.opened, 1)
        assert kept.reveal() == "opens the playbooks"


async def test_a_forgotten_password_is_set_once_by_the_link_of_a_real_mail(lodge):
    await reach(lodge)
    answer = await lodge.do(
        "POST", "/api/auth/forgot-password", {"email": "ADA@example.com"}, tells="user.password-forgotten", token=None
    )
    letter = await lodge.box.wait(1)
    assert "for one hour and once" in text(letter)
    first = token(letter)
    nobody = await lodge.send("POST", "/api/auth/forgot-password", {"email": "eve@example.com"}, token=None)
    assert (nobody.status_code, nobody.json()) == (200, answer)
    assert [one["outcome"] for one in (await lodge.told())[-2:]] == ["success", "success"]
    await lodge.do(
        "POST", "/api/auth/forgot-password", {"email": "ada@example.com"}, tells="user.password-forgotten", token=None
    )
    newer = token(await lodge.box.wait(2))
    again = {"password": "a password of tomorrow"}
    await lodge.refused(400, "POST", f"/api/auth/password-reset/{newer}", {"password": "short"}, token=None)
    await lodge.refused(422, "POST", "/api/auth/reset-password", {"token": newer}, token=None, says='"password"')
    body = {"token": newer, "new_password": "a password of tomorrow"}
    done = await lodge.do("POST", "/api/auth/reset-password", body, tells="user.password-reset", token=None)
    assert done == {"status": "ok"}
    await lodge.refused(401, "GET", "/api/auth/me")
    for ended in (first, newer):
        path = f"/api/auth/password-reset/{ended}"
        await lodge.refused(400, "POST", path, again, token=None, says="not valid any more")
    await lodge.refused(401, "POST", "/api/auth/login", LOGIN, token=None)
    assert (await lodge.send("POST", "/api/auth/login", {**LOGIN, **again}, token=None)).status_code == 200
    assert (await lodge.send("POST", "/api/auth/forgot-password", {"email": "x"}, token=None)).status_code == 429
    assert len(lodge.box.letters) == 2


async def test_no_member_learns_from_a_forgotten_password_whether_there_is_an_account(lodge):
    """Whoever reads the first organization's work and trail sees the same for an address of somebody and of nobody."""
    await reach(lodge)
    await lodge.person("zoe", "organization:owner", organization="org_elsewhere")
    viewer = await lodge.person("vic", "organization:viewer")
    sent = len(lodge.box.letters)
    found = {}
    for email in ("zoe@example.com", "ada@example.com", "nobody@example.com"):
        known = {job.id for job in await mails(lodge)}
        await lodge.send("POST", "/api/auth/forgot-password", {"email": email}, token=None)
        (job,) = [job for job in await mails(lodge) if job.id not in known]
        event = (await lodge.told())[-1]
        found[email] = {
            "job": (job.kind, job.organization_id, job.subject, job.max_attempts),
            "event": (event["action"], event["outcome"], event["resource_id"] == email, event["organization_id"]),
        }
        for who in (lodge.ada, viewer):
            listed = (await lodge.send("GET", "/api/operator-work?limit=200", by=who)).json()["items"]
            assert job.work_ref not in {one["id"] for one in listed}
            shown = await lodge.send("GET", f"/api/operator-work/{job.work_ref}", by=who)
            assert (shown.status_code, email in shown.text) == (404, False)
            system = (await lodge.send("GET", "/api/operator-work?kind=system&limit=200", by=who)).json()["items"]
            assert job.work_ref not in {one["id"] for one in system}
    assert len({str(one) for one in found.values()}) == 1, found
    letter = await lodge.box.wait(sent + 1)
    assert letter["to"] == "ada@example.com"


async def mails(lodge):
    wanted = jobs.Filter(kinds=(mail.KIND, mail.UNSEEN), limit=500)
    return await lodge.deck.instance.db.read(jobs.list_jobs, wanted)


async def test_a_link_that_has_expired_is_none(lodge):
    await reach(lodge)
    await lodge.send("POST", "/api/auth/forgot-password", {"email": "ada@example.com"}, token=None)
    link = token(await lodge.box.wait(1))

    def verb(tx):
        for row in tx.scalars(sql("SELECT hash FROM identity_links")):
            tx.get(Link, row).expires_at = tx.now

    await lodge.deck.instance.db.write(verb)
    await lodge.refused(400, "POST", f"/api/auth/password-reset/{link}", {"password": PASSWORD}, token=None)


async def test_a_strangers_host_leads_no_link_away(lodge):
    await reach(lodge)
    headers = {"host": "evil.example.net"}
    answer = await lodge.send(
        "POST", "/api/auth/forgot-password", {"email": "ada@example.com"}, token=None, headers=headers
    )
    assert answer.status_code == 200
    assert "http://127.0.0.1:8700/console/reset-password#" in text(await lodge.box.wait(1))


async def test_guessing_links_is_held_back_whatever_is_guessed(lodge):
    statuses = [
        (await lodge.send("POST", f"/api/auth/password-reset/guess{n}", {"password": PASSWORD}, token=None)).status_code
        for n in range(6)
    ]
    assert statuses == [400] * 5 + [429]
    answer = await lodge.send("POST", "/api/auth/password-reset/x", {"password": PASSWORD}, token=None)
    assert answer.json() == {"error": "Rate limit exceeded: 5 per 1 minute"}


async def test_ones_own_name_and_password(lodge):
    brief = await reach(lodge)
    assert (brief["display_name"], brief["email"]) == ("Ada L.", "ada@example.com")
    await lodge.do("PUT", "/api/users/profile", {"display_name": "Ada L."})
    other = (await lodge.send("POST", "/api/auth/login", LOGIN, token=None)).json()["access_token"]
    new = "a password of tomorrow"
    for path in ("/api/users/password", "/api/auth/change-password"):
        await lodge.refused(
            400, "POST", path, {"current_password": "wrong", "new_password": new}, says="current password is wrong"
        )
    body = {"current_password": PASSWORD, "new_password": new}
    await lodge.refused(400, "POST", "/api/users/password", {**body, "new_password": "short"}, says="10 to 512")
    done = await lodge.do("POST", "/api/users/password", body, tells="user.password-changed")
    assert done == {"status": "ok"}
    assert (await lodge.send("GET", "/api/auth/me")).status_code == 200
    await lodge.refused(401, "GET", "/api/auth/me", token=other)


async def test_a_second_factor_from_enrolment_to_reset(lodge):
    assert await lodge.do("GET", "/api/auth/mfa/status") == {
        "mfa_enabled": False, "enrolled_at": None, "backup_codes_remaining": 0,
    }  # fmt: skip
    begun = await lodge.do("POST", "/api/auth/mfa/enroll", tells="user.second-factor-begun")
    assert base64.b64decode(begun["qr_code"]).startswith(b"\x89PNG")
    secret = begun["totp_secret"]
    assert secret in begun["otpauth_uri"]
    # What is not confirmed proves nothing.
    await lodge.refused(400, "POST", "/api/auth/verify-identity", {"mfa_code": code(secret)}, says="second factor")
    await lodge.refused(400, "POST", "/api/auth/mfa/confirm", {"code": "abcdef"}, says="The code is wrong")
    confirmed = await lodge.do(
        "POST", "/api/auth/mfa/confirm", {"code": code(secret)}, tells="user.second-factor-enabled"
    )
    codes = confirmed["backup_codes"]
    assert len(codes) == 10
    await lodge.refused(400, "POST", "/api/auth/mfa/enroll", says="already")
    step = await lodge.do("POST", "/api/auth/login", LOGIN, token=None)
    assert step.keys() == {"mfa_required", "mfa_token"}
    await lodge.refused(401, "GET", "/api/auth/me", token=step["mfa_token"])
    body = {"mfa_token": step["mfa_token"], "code": code(secret)}
    await lodge.refused(401, "POST", "/api/auth/mfa/verify", body, token=None)  # it confirmed
    body["code"] = code(secret, 1)
    came = await lodge.do("POST", "/api/auth/mfa/verify", body, tells="session.signed-in", token=None)
    assert came["user"]["username"] == "ada"
    await lodge.refused(400, "POST", "/api/auth/mfa/verify", body, token=None, says="not valid any more")
    step = await lodge.do("POST", "/api/auth/login", LOGIN, token=None)
    body["mfa_token"] = step["mfa_token"]
    await lodge.refused(401, "POST", "/api/auth/mfa/verify", body, token=None)  # replayed
    assert (await lodge.do("GET", "/api/auth/mfa/status"))["backup_codes_remaining"] == 10
    await lodge.refused(400, "POST", "/api/auth/mfa/disable", {"code": code(secret, 1)}, says="The code is wrong")
    renewal = {"password": PASSWORD}
    new = await lodge.do("POST", "/api/auth/mfa/backup-codes/regenerate", renewal, tells="user.recovery-codes-renewed")
    await lodge.refused(400, "POST", "/api/auth/mfa/backup-codes/regenerate", {}, says="Neither")
    await lodge.refused(400, "POST", "/api/auth/mfa/disable", {"code": codes[0]})
    answer = await lodge.send("POST", "/api/auth/mfa/disable", {"code": new["backup_codes"][0], "password": PASSWORD})
    assert answer.json() == {"status": "ok"}
    assert [one["action"] for one in (await lodge.told())[-2:]] == [
        "user.recovery-code-used", "user.second-factor-disabled",
    ]  # fmt: skip
    assert "access_token" in (await lodge.send("POST", "/api/auth/login", LOGIN, token=None)).json()
    await lodge.refused(400, "POST", "/api/auth/mfa/disable", {"code": new["backup_codes"][1]}, says="No second factor")


async def test_an_administrator_resets_a_second_factor(lodge):
    bob = await lodge.person("bob")
    begun = await lodge.do("POST", "/api/auth/mfa/enroll", by=bob, tells="user.second-factor-begun")
    await lodge.refused(400, "DELETE", f"/api/users/{bob.id}/mfa", says="No second factor")
    confirm = {"code": code(begun["totp_secret"])}
    await lodge.do("POST", "/api/auth/mfa/confirm", confirm, by=bob, tells="user.second-factor-enabled")
    assert (await lodge.send("GET", f"/api/users/{bob.id}")).json()["mfa_enabled"] is True
    done = await lodge.do("DELETE", f"/api/users/{bob.id}/mfa", tells="user.second-factor-disabled")
    assert done["status"] == "ok"


async def test_proving_again_who_one_is(lodge):
    path = "/api/auth/verify-identity"
    assert await lodge.do("POST", path, {"password": PASSWORD}, tells="user.identity-proved") == {"verified": True}
    await lodge.refused(400, "POST", path, {"password": "wrong"}, says="current password is wrong")
    assert await guesses(lodge) == [("user.identity-proved", "password", "ada")]
    await lodge.refused(400, "POST", path, {}, says="Neither")
    for _ in range(60):
        answer = await lodge.send("POST", path, {"password": "wrong"})
        if answer.status_code == 429:
            break
    assert answer.json().keys() == {"error"}
    assert len(await guesses(lodge)) == PROOFS.count
    assert (await lodge.send("POST", path, {"password": PASSWORD})).status_code == 429


async def test_every_guess_by_a_session_is_in_the_trail(lodge):
    change = {"current_password": "wrong", "new_password": "a password of tomorrow"}
    await lodge.refused(400, "POST", "/api/users/password", change)
    begun = await lodge.do("POST", "/api/auth/mfa/enroll", tells="user.second-factor-begun")
    confirm = {"code": code(begun["totp_secret"])}
    await lodge.do("POST", "/api/auth/mfa/confirm", confirm, tells="user.second-factor-enabled")
    await lodge.refused(400, "POST", "/api/auth/verify-identity", {"mfa_code": "no code"})
    await lodge.refused(400, "POST", "/api/auth/mfa/disable", {"code": "no code"})
    await lodge.refused(400, "POST", "/api/auth/mfa/backup-codes/regenerate", {"code": "no code"})
    await lodge.refused(400, "POST", "/api/auth/mfa/backup-codes/regenerate", {"password": "wrong"})
    assert [by for _, by, _ in await guesses(lodge)] == ["password", "code", "code", "code", "password"]
    assert {who for *_, who in await guesses(lodge)} == {"ada"}


async def test_ssh_keys(lodge):
    own, brought = "/api/auth/me/ssh-key", "/api/auth/me/personal-ssh-key"
    assert await lodge.do("GET", own) == {"ssh_public_key": None}
    pair = await lodge.do("POST", own, tells="user.ssh-key-changed")
    key = load_ssh_private_key(pair["private_key"].encode(), None)
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert pair["public_key"] == f"{public} ada@quarterdeck"
    assert await lodge.do("GET", own) == {"ssh_public_key": pair["public_key"]}
    listed = await lodge.do("GET", "/api/auth/ssh-keys")
    assert [(one["username"], one["is_self"]) for one in listed["keys"]] == [("ada", True)]
    eve = await lodge.person("eve", organization="org_other")
    assert await lodge.do("GET", "/api/auth/ssh-keys", by=eve) == {"keys": []}
    kept = await lodge.do("PUT", brought, {"key": f" {public} me\n"}, tells="user.ssh-key-changed")
    assert kept == {"ok": True, "has_personal_key": True}
    assert (await lodge.do("GET", "/api/auth/me"))["personal_ssh_public_key"] == f"{public} me"
    for wrong in ("", "ssh-ed25519", "ssh-ed25519 AAAA", f"command=ls {public}", public.replace("25519 ", "25519 !"),
                  f"{public}\nssh-rsa x", pair["private_key"]):  # fmt: skip
        await lodge.refused(400, "PUT", brought, {"key": wrong}, says="not a public SSH key")
    await lodge.do("DELETE", brought, tells="user.ssh-key-changed")
    await lodge.do("DELETE", own, tells="user.ssh-key-changed")
    await lodge.do("DELETE", own)
    stored = await lodge.deck.instance.db.read(
        lambda tx: [str(row) for name in ("identity_users", "audit_events", "domain_events")
                    for row in tx.execute(sql(f"SELECT * FROM {name}"))]
    )  # fmt: skip
    assert not any(pair["private_key"].splitlines()[2] in row for row in stored)


async def test_what_lets_people_in_is_nowhere_to_be_read(lodge):
    await reach(lodge)
    await lodge.send("POST", "/api/auth/forgot-password", {"email": "ada@example.com"}, token=None)
    link = token(await lodge.box.wait(1))
    made = await lodge.do(
        "POST", "/api/users", {"username": "bob", "email": "bob@example.com"}, tells="invitation.created"
    )
    begun = await lodge.do("POST", "/api/auth/mfa/enroll", tells="user.second-factor-begun")
    await lodge.box.wait(2)
    tables = ("identity_users", "identity_links", "identity_invitations", "audit_events", "domain_events", "jobs")
    stored = await lodge.deck.instance.db.read(
        lambda tx: json.dumps([[str(value) for value in row] for name in tables
                               for row in tx.execute(sql(f"SELECT * FROM {name}"))])
    )  # fmt: skip
    for secret in (link, made["token"], begun["totp_secret"], PASSWORD):
        assert secret not in stored
