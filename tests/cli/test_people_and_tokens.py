"""`qd whoami`, `qd organization`, `qd user` and `qd token`: what is asked of the API, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer, Refusal
from quarterdeck.app import handlers

Command = Callable[..., Result]
HOME = {"organizationId": "org_self_hosted", "name": "Home", "slug": "home", "role": "owner"}
ACME = {"organizationId": "org_000000000001", "name": "Acme Ltd", "slug": "acme", "role": "admin"}
ADA, BOB, TOKEN = "a" * 32, "b" * 32, "dpt_000000000001"
MAY = dict.fromkeys(
    ("canInviteMembers", "canListMembers", "canManageDeployTokens", "canRemoveMembers", "canTransferOwnership",
     "canUpdateMemberRoles"), True,
)  # fmt: skip
PEOPLE = [
    {"memberId": ADA, "userId": ADA, "role": "owner", "joinedAt": NOW, "displayName": "Ada",
     "email": "ada@example.com", "status": "active"},
    {"memberId": BOB, "userId": BOB, "role": "viewer", "joinedAt": NOW, "displayName": "Bob",
     "email": "bob@example.com", "status": "deactivated"},
]  # fmt: skip
SCOPE: dict[str, list[str]] = {
    "deploymentTargetIds": [], "environmentIds": [], "projectIds": [], "repositoryFullNames": [], "resourceIds": [],
    "workflowCommands": ["preview-cleanup"],
}  # fmt: skip
ITEM = {
    "tokenId": TOKEN, "organizationId": "org_self_hosted", "displayName": "github", "status": "active",
    "secretSuffix": "12345678", "scope": SCOPE, "createdAt": NOW,
}  # fmt: skip


@pytest.fixture
def team(server: ContractServer) -> ContractServer:
    """An installation with two organizations, two people and one token."""
    server.answers |= {
        "organizations.current-context": {
            "user": {"userId": ADA, "email": "ada@example.com", "displayName": "Ada"},
            "currentOrganization": HOME, "organizations": [HOME, ACME], "loginMethods": [], "permissions": MAY,
        },
        "account.profile.show": {"userId": ADA, "email": "ada@example.com"},
        "organizations.list-members": _pages,
        "deploy-tokens.list": {"items": [ITEM]},
        "deploy-tokens.show": ITEM,
    }  # fmt: skip
    return server


def _pages(_p: Any, query: dict[str, str], _b: Any) -> dict[str, Any]:
    """One member a page."""
    return {"items": PEOPLE[1:]} if query.get("cursor") else {"items": PEOPLE[:1], "nextCursor": "1"}


def test_whoami_says_who_where_and_what(qd: Command, team: ContractServer) -> None:
    said = qd("whoami")
    assert said.code == 0
    assert said.out.startswith(f"Ada <ada@example.com>\n  owner of Home (org_self_hosted) at {team.url}\n")
    assert "transfer the ownership" in said.out
    assert "also in Acme Ltd" in said.out
    assert qd("whoami", "-o", "name").out == "ada@example.com\n"
    assert json.loads(qd("whoami", "-o", "json").out)["currentOrganization"] == HOME


def test_organizations_are_listed_and_switched(qd: Command, team: ContractServer) -> None:
    lines = qd("organization", "ls").out.splitlines()
    assert lines[1].split() == ["*", "Home", "home", "owner", "org_self_hosted"]
    team.answers["organizations.switch-current"] = team.answers["organizations.current-context"]
    assert qd("organization", "switch", "acme").out == "You act in Acme Ltd now.\n"
    assert team.called("organizations.switch-current") == [{"organizationId": ACME["organizationId"]}]
    unknown = qd("organization", "switch", "akme")
    assert unknown.code == 5
    assert "qd organization ls" in unknown.err


def test_an_organization_is_made_shown_and_changed(qd: Command, team: ContractServer) -> None:
    made = {**ACME, "role": "owner"}
    team.outside["POST", "/api/organizations"] = made
    result = qd("organization", "create", "Acme Ltd", "--slug", "acme", "-o", "name")
    assert (result.code, result.out) == (0, "org_000000000001\n")
    assert "qd organization switch acme" in result.err
    team.answers["organizations.profile.show"] = team.answers["organizations.profile.change"] = made
    assert "acme" in qd("organization", "show", "acme").out
    assert qd("organization", "change", "acme", "--logo", "").code == 0
    assert team.called("organizations.profile.change") == [{"logoUrl": ""}]
    assert qd("organization", "change").code == 2


def test_who_invites_is_told_that_nobody_is_written_to(qd: Command, team: ContractServer) -> None:
    team.answers["organizations.invite-member"] = {
        "invitationId": "c" * 32, "organizationId": HOME["organizationId"], "email": "eve@example.com",
        "role": "viewer", "status": "pending", "createdAt": NOW, "expiresAt": NOW, "mailed": False,
    }  # fmt: skip
    said = qd("user", "invite", "eve@example.com", "viewer")
    assert (said.code, "The server sends the mail" in said.err) == (0, False)
    assert "There is no mail server, so nobody is written to." in said.err
    assert "qd user resend eve@example.com" in said.err


def test_an_invitation_is_sent_again_or_revoked_by_its_address(qd: Command, team: ContractServer) -> None:
    asked = {
        "invitationId": "c" * 32, "organizationId": HOME["organizationId"], "email": "eve@example.com",
        "role": "viewer", "status": "expired", "createdAt": NOW, "expiresAt": NOW,
    }  # fmt: skip
    team.answers["organizations.list-invitations"] = {
        "items": [asked, {**asked, "status": "accepted", "email": "b@c.d"}]
    }
    path = f"/api/organizations/{HOME['organizationId']}/invitations/{'c' * 32}"
    link = "http://deck.example/console/accept-invitation#t0ken"
    told = {"invitationId": "c" * 32, "email": "eve@example.com", "expiresAt": NOW, "mailed": False, "link": link}
    team.outside["POST", f"{path}/resend"] = told
    handed = qd("user", "resend", "EVE@example.com")
    assert (handed.code, handed.out) == (0, f"{link}\n")
    assert "no mail server" in handed.err
    team.outside["POST", f"{path}/resend"] = {**told, "mailed": True, "link": None}
    assert qd("user", "resend", "eve@example.com").out == "Sent eve@example.com another link.\n"
    team.outside["POST", f"{path}/revoke"] = {"invitationId": "c" * 32, "email": "eve@example.com"}
    assert qd("user", "revoke", "eve@example.com", "--yes").out == "Revoked the invitation of eve@example.com.\n"
    assert qd("user", "revoke", "eve@example.com", "--no-input").code == 2
    over = qd("user", "resend", "b@c.d")
    assert over.code == 5
    assert "qd user invitations" in over.err


def test_what_is_lost_has_to_be_named(qd: Command, team: ContractServer) -> None:
    assert qd("organization", "delete", "acme", "--yes").code == 2
    assert qd("organization", "delete", "acme", "--confirm", "Home").code == 2
    assert team.changes == []
    team.answers["organizations.delete"] = {"organizationId": ACME["organizationId"], "deletedAt": NOW}
    assert qd("organization", "delete", "acme", "--confirm", "Acme Ltd").out == "Deleted Acme Ltd.\n"
    team.answers["organizations.transfer-owner"] = {
        "fromMember": {**PEOPLE[0], "role": "admin"}, "toMember": {**PEOPLE[1], "role": "owner"}, "transferredAt": NOW,
    }  # fmt: skip
    assert qd("organization", "transfer", "bob@example.com", "--confirm", "Home").code == 0
    assert team.called("organizations.transfer-owner") == [{"fromMemberId": ADA, "toMemberId": BOB}]


def test_people_are_listed_over_all_pages(qd: Command, team: ContractServer) -> None:
    lines = qd("user", "ls").out.splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["✓", "active", "ada@example.com", "Ada"],
        ["–", "deactivated", "bob@example.com", "Bob"],  # noqa: RUF001 - the mark
    ]
    assert qd("user", "ls", "-o", "name").out.split() == [ADA, BOB]
    assert "shown" not in json.loads(qd("user", "ls", "-o", "json").out)["items"][0]


def test_people_are_asked_in_changed_and_let_go(qd: Command, team: ContractServer) -> None:
    asked = {
        "invitationId": "c" * 32, "organizationId": ACME["organizationId"], "email": "eve@example.com",
        "role": "viewer", "status": "pending", "createdAt": NOW, "expiresAt": NOW,
    }  # fmt: skip
    team.answers["organizations.invite-member"] = asked
    result = qd("user", "invite", "eve@example.com", "viewer", "--organization", "acme")
    assert result.out == "Invited eve@example.com to Acme Ltd as viewer.\n"
    assert result.err == "The server sends the mail to eve@example.com.\n"
    assert qd("user", "invite", "eve@example.com", "king").code == 2
    team.answers["organizations.list-invitations"] = {"items": [asked]}
    assert "eve@example.com" in qd("user", "invitations", "--status", "pending").out
    team.answers["organizations.change-member-role"] = {**PEOPLE[1], "role": "admin"}
    assert qd("user", "role", "Bob", "admin").out == "bob@example.com is admin of Home.\n"
    team.answers["organizations.remove-member"] = {
        "memberId": BOB,
        "organizationId": "org_self_hosted",
        "removedAt": NOW,
    }
    assert qd("user", "rm", "bob@example.com", "--confirm", "bob@example.com").code == 0
    assert team.changes == [
        "organizations.invite-member", "organizations.change-member-role", "organizations.remove-member",
    ]  # fmt: skip


def test_a_refusal_says_what_and_why(qd: Command, team: ContractServer) -> None:
    def refuse(*_: Any) -> Any:
        raise Refusal(400, "invariant_violation", "An owner is not removed.", hint="Transfer the ownership first.")

    team.answers["organizations.remove-member"] = refuse
    result = qd("user", "rm", "ada@example.com", "--confirm", "ada@example.com")
    assert result.code != 0
    assert "An owner is not removed." in result.err
    assert "Transfer the ownership first." in result.err


def test_a_new_secret_stands_alone_on_stdout(qd: Command, team: ContractServer) -> None:
    made = {
        "tokenId": TOKEN, "token": "aplt_dt_secret", "organizationId": "org_self_hosted", "displayName": "github",
        "secretSuffix": "12345678", "scopes": SCOPE, "createdAt": NOW,
    }  # fmt: skip
    team.answers["deploy-tokens.create"] = made
    team.answers["projects.list"] = {
        "items": [{"id": "prj_000000000001", "organizationId": "o", "name": "Shop", "slug": "shop",
                   "lifecycleStatus": "active", "createdAt": NOW}],
    }  # fmt: skip
    words = ("token", "create", "github", "--may", "preview-cleanup", "--project", "shop", "--repository", "acme/web")
    result = qd(*words, "--expires", "90d")
    assert result.out == "aplt_dt_secret\n"
    assert "shown this once" in result.err
    (body,) = team.called("deploy-tokens.create")
    assert body.pop("expiresAt").endswith("Z")
    assert body == {
        "organizationId": "org_self_hosted", "displayName": "github",
        "scope": {
            "workflowCommands": ["preview-cleanup"], "projectIds": ["prj_000000000001"],
            "repositoryFullNames": ["acme/web"],
        },
    }  # fmt: skip
    assert qd(*words, "-o", "name").out == f"{TOKEN}\n"
    assert qd("token", "create", "x", "--may", "everything").code == 2
    assert qd("token", "create", "x", "--may", "preview-cleanup", "--expires", "soon").code == 2
    planned = json.loads(qd(*words, "--plan", "-o", "json").out)["plan"]
    assert planned[0]["operation"] == "deploy-tokens.create"
    assert len(team.called("deploy-tokens.create")) == 2


def test_tokens_are_listed_rotated_and_revoked(qd: Command, team: ContractServer) -> None:
    listed = qd("token", "ls").out.splitlines()[1]
    assert "github" in listed
    assert "…12345678" in listed
    assert "never used" in listed
    assert "preview-cleanup" in qd("token", "show", "github").out
    team.answers["deploy-tokens.rotate"] = {"tokenId": TOKEN, "token": "aplt_dt_new", "rotatedAt": NOW, "scopes": SCOPE}
    assert qd("token", "rotate", "github").code == 2
    assert qd("token", "rotate", "github", "--yes").out == "aplt_dt_new\n"
    team.answers["deploy-tokens.revoke"] = {"tokenId": TOKEN, "revokedAt": NOW}
    assert qd("token", "revoke", "github", "--reason", "left", "--confirm", "github").code == 0
    wanted = {"organizationId": "org_self_hosted", "confirmation": {"tokenId": TOKEN}}
    assert team.called("deploy-tokens.rotate") == [wanted]
    assert team.called("deploy-tokens.revoke") == [{**wanted, "reason": "left"}]


def test_tokens_of_ones_own_are_made_listed_and_revoked(qd: Command, team: ContractServer) -> None:
    row = {"id": 7, "label": "laptop", "createdAt": NOW}
    team.outside["POST", "/api/web/profile/tokens"] = lambda _p, _q, body: {**row, **body, "token": "ov_pat_7_x"}
    old = {**row, "id": 8, "label": "old", "revokedAt": NOW}
    pages = {
        None: {"items": [row], "nextCursor": "7", "total": 2},
        "7": {"items": [old], "nextCursor": None, "total": 2},
    }
    team.outside["GET", "/api/web/profile/tokens"] = lambda _p, query, _b: pages[query.get("cursor")]
    team.outside["POST", "/api/web/profile/tokens/7/revoke"] = {**row, "revokedAt": NOW}
    assert qd("token", "personal", "create", "laptop", "--expires", "12h").out == "ov_pat_7_x\n"
    listed = qd("token", "personal", "ls").out.splitlines()
    assert listed[1].split()[:2] == ["7", "laptop"]
    assert listed[2].split()[-1] == "revoked"
    assert qd("token", "personal", "revoke", "laptop").code == 2
    assert qd("token", "personal", "revoke", "laptop", "--confirm", "laptop").out == "Revoked laptop.\n"


def test_an_unknown_scope_is_told_with_those_there_are(qd: Command, server: ContractServer) -> None:
    def refuse(*_: Any) -> None:
        raise Refusal(400, "validation_error", "There is no scope nonsense.")

    server.outside["POST", "/api/web/profile/tokens"] = refuse
    said = qd("token", "personal", "create", "laptop", "--scope", "nonsense")
    assert said.code == 2
    assert "Scopes: tasks:read, tasks:write" in said.err


def test_a_server_that_takes_too_long_is_looked_at_before_it_is_asked_again(
    qd: Command, server: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: Any, **__: Any) -> None:
        raise httpx.ReadTimeout("late")

    monkeypatch.setattr(httpx.Client, "request", late)
    said = qd("whoami")
    assert said.code == 9
    assert "look before you ask again" in said.err


def test_the_call_of_our_own_is_a_route() -> None:
    routes = {
        (one.opt["endpoint"].method, one.opt["endpoint"].path)
        for one in handlers()
        if "endpoint" in getattr(one, "opt", {})
    }
    assert ("POST", "/api/organizations") in routes


def test_what_is_no_address_is_not_sent_and_said_in_words(qd: Command, server: ContractServer) -> None:
    result = qd("user", "invite", "notamail")
    assert (result.code, result.err.splitlines()[0]) == (2, "Error: notamail is no e-mail address.")


def test_a_client_secret_that_is_empty_is_refused(qd: Command, server: ContractServer) -> None:
    words = ("identity-provider", "add", "corp", "--issuer", "https://id.example.com", "--client-id", "x")
    result = qd(*words, "--client-secret", "-")
    assert (result.code, "stdin has nothing in it" in result.err) == (2, True)


def test_a_server_of_this_machine_that_is_down_is_told_how_to_start(
    qd: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDECK_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("QUARTERDECK_TOKEN", "x")
    result = qd("ls")
    assert (result.code, "quarterdeck serve --port 9, or script/demo" in result.err) == (9, True)
