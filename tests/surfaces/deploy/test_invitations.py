"""Invitations that wait are sent again, handed over where nobody is written to, and ended: routes of ours."""

from __future__ import annotations

from typing import Any

from quarterdeck.kernel import audit
from support.deck import HOME, PASSWORD, Deck, running, signed_in

AT = {"organizationId": HOME}
ADDRESS = f"/api/organizations/{HOME}/invitations"


async def invited(deck: Deck, email: str = "bob@example.com", role: str = "viewer") -> str:
    made = await deck.do("organizations.invite-member", {"email": email, "role": role}, **AT)
    return str(made["invitationId"])


async def accepted(deck: Deck, token: str) -> int:
    body = {"password": PASSWORD}
    return (await deck.send("POST", f"/api/auth/invite/{token}", body, token=None)).status_code


async def actions(deck: Deck) -> list[str]:
    def read(tx: Any) -> list[str]:
        from quarterdeck.identity import setup

        here = setup.default_organization(tx).id
        return [event.action for event in audit.page(tx, organization_id=here, limit=5).events]

    found: list[str] = await deck.instance.db.read(read)
    return found


async def test_without_a_mail_server_the_link_is_told_to_who_sends_again_and_lets_in_once(deck):
    ref = await invited(deck)
    first = (await deck.send("POST", f"{ADDRESS}/{ref}/resend", {})).json()
    assert (first["email"], first["mailed"], first["invitationId"]) == ("bob@example.com", False, ref)
    assert first["link"].startswith("http://localhost/console/accept-invitation#")
    again = (await deck.send("POST", f"{ADDRESS}/{ref}/resend", {})).json()
    assert (await actions(deck))[0] == "invitation.renewed"
    assert await accepted(deck, first["link"].partition("#")[2]) == 400
    token = again["link"].partition("#")[2]
    assert await accepted(deck, token) == 200
    assert await accepted(deck, token) == 400
    over = await deck.send("POST", f"{ADDRESS}/{ref}/resend", {})
    assert (over.status_code, over.json()["data"]["domainCode"]) == (409, "invitation_ended")
    ended = await deck.send("POST", f"{ADDRESS}/{ref}/revoke", {})
    assert (ended.status_code, ended.json()["data"]["domainCode"]) == (409, "invitation_ended")


async def test_a_revoked_invitation_opens_nothing_and_revoking_again_changes_nothing(deck):
    ref = await invited(deck)
    link = (await deck.send("POST", f"{ADDRESS}/{ref}/resend", {})).json()["link"]
    for _ in range(2):
        answer = await deck.send("POST", f"{ADDRESS}/{ref}/revoke", {})
        assert (answer.status_code, answer.json()["email"]) == (200, "bob@example.com")
    assert (await actions(deck)).count("invitation.revoked") == 1
    assert await accepted(deck, link.partition("#")[2]) == 400
    assert await invited(deck) != ref


async def test_the_invitation_of_another_organization_is_not_found(deck):
    ref = await invited(deck)
    stranger = await deck.member("admin", "org_elsewhere")
    for address in (f"/api/organizations/org_elsewhere/invitations/{ref}", f"{ADDRESS}/{ref}"):
        for deed in ("resend", "revoke"):
            assert (await deck.send("POST", f"{address}/{deed}", {}, token=stranger)).status_code == 404


async def test_who_could_not_have_asked_in_as_an_owner_does_not_send_it_again(deck):
    ref = await invited(deck, role="owner")
    admin = await deck.member("admin")
    answer = await deck.send("POST", f"{ADDRESS}/{ref}/resend", {}, token=admin)
    assert answer.status_code == 403
    assert "link" not in answer.text
    assert (await deck.send("POST", f"{ADDRESS}/{ref}/revoke", {}, token=admin)).status_code == 200


async def test_with_a_mail_server_no_link_is_told(tmp_path, database_address):
    async with running(
        tmp_path, database_address, smtp_host="127.0.0.1", smtp_sender="deck@example.com", smtp_tls="off"
    ) as deck:
        await signed_in(deck)
        ref = await invited(deck)
        told = (await deck.send("POST", f"{ADDRESS}/{ref}/resend", {})).json()
        assert (told["mailed"], told["link"]) == (True, None)
