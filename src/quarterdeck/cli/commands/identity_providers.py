"""`qd identity-provider`: who else may vouch for people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

from cyclopts import App

from quarterdeck.cli.failure import Failure, usage
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.session import Session, session

COMMON, CHANGING, DESTROYING = Common(), Changing(), Destroying()
ROOT = "/api/identity-providers"
LONGEST = 2001
Answer = Literal["yes", "no"]
identity_provider = App(name="identity-provider", help="Sign in with OpenID Connect providers.")


def add(
    slug: str,
    /,
    *,
    issuer: str,
    client_id: str,
    client_secret: str | None = None,
    name: str | None = None,
    group: list[str] | None = None,
    default_role: list[str] | None = None,
    email_domain: list[str] | None = None,
    groups_claim: str | None = None,
    scope: list[str] | None = None,
    link_by_email: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Add a provider. Prints what it has to be told of this installation.

    qd identity-provider add team --issuer https://login.example.com/team --client-id deck --client-secret @secret
    qd identity-provider add team --issuer … --client-id deck --group ops=organization:admin --email-domain example.com

    Parameters
    ----------
    slug
        What it is called in addresses; it stays.
    issuer
        Its address, as it names itself.
    client_id
        What this installation is called there.
    client_secret
        @FILE, or - for stdin. A public client has none.
    name
        What people see on the sign-in page.
    group
        GROUP=ROLE: who is in the group has the role, as long as they are. May be given several times.
    default_role
        A role of somebody new whose groups give none. Without any, groups alone let people in.
    email_domain
        Only people with a verified address of it.
    groups_claim
        Where the provider puts groups. Default: groups.
    scope
        What to ask for besides openid. Default: email and profile.
    link_by_email
        Let a verified address of the provider's open the account of a member who has verified the same one.
    """
    body: dict[str, Any] = {"slug": slug, "issuer": issuer, "clientId": client_id}
    body |= _settings(name, client_secret, group, default_role, email_domain, groups_claim, scope)
    if link_by_email:
        body["linksByEmail"] = True
    with session(changing) as opened:
        made = opened.api.ours("identity-providers.add", "POST", ROOT, body)
        _shown(opened, made, f"Added {slug}.")


def change(
    slug: str,
    /,
    *,
    issuer: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    name: str | None = None,
    group: list[str] | None = None,
    default_role: list[str] | None = None,
    email_domain: list[str] | None = None,
    groups_claim: str | None = None,
    scope: list[str] | None = None,
    link_by_email: Answer | None = None,
    offered: Answer | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Change a provider: what is given replaces what was there.

    qd identity-provider change team --group ops=organization:admin --group dev=organization:developer
    qd identity-provider change team --offered no

    Parameters
    ----------
    slug
        Its name in addresses.
    issuer
        Its address, as it names itself.
    client_id
        What this installation is called there.
    client_secret
        @FILE, or - for stdin.
    name
        What people see on the sign-in page.
    group
        GROUP=ROLE; all of them, since they replace the ones before.
    default_role
        A role of somebody new whose groups give none.
    email_domain
        Only people with a verified address of it.
    groups_claim
        Where the provider puts groups.
    scope
        What to ask for besides openid.
    link_by_email
        Let a verified address open the account of a member who has verified the same one.
    offered
        Whether the sign-in page offers it; no keeps it and lets nobody in.
    """
    body = _settings(name, client_secret, group, default_role, email_domain, groups_claim, scope)
    further = {"issuer": issuer, "clientId": client_id}
    body |= {key: value for key, value in further.items() if value is not None}
    answers = {"linksByEmail": link_by_email, "enabled": offered}
    body |= {key: value == "yes" for key, value in answers.items() if value is not None}
    if not body:
        raise usage("Say what to change.", f"qd identity-provider change {slug} --offered no")
    with session(changing) as opened:
        made = opened.api.ours("identity-providers.change", "PATCH", f"{ROOT}/{slug}", body)
        _shown(opened, made, f"Changed {slug}.")


def ls(*, common: Common = COMMON) -> None:
    """List the providers of the organization.

    qd identity-provider ls
    """
    with session(common) as opened:
        items = opened.api.call("GET", ROOT)["items"]
        rows = [[one["slug"], one["name"], one["issuer"], "offered" if one["enabled"] else "off"] for one in items]
        opened.terminal.table(
            items, ["PROVIDER", "NAME", "ISSUER", "STATE"], rows, names=[one["slug"] for one in items]
        )


def show(slug: str, /, *, common: Common = COMMON) -> None:
    """Show a provider, and what it has to be told of this installation.

    qd identity-provider show team

    Parameters
    ----------
    slug
        Its name in addresses.
    """
    with session(common) as opened:
        found = opened.api.call("GET", f"{ROOT}/{slug}")
        lines = [f"{found['slug']}   {found['name']}, {'offered' if found['enabled'] else 'off'}"]
        lines += [f"  {group} gives {', '.join(roles)}" for group, roles in found["groupRoles"].items()]
        lines += [f"  somebody new gets {', '.join(found['defaultRoles'])}"] if found["defaultRoles"] else []
        opened.terminal.answer(found, name=found["slug"], text="\n".join([*lines, *_told(found)]))


def examine(slug: str, /, *, changing: Changing = CHANGING) -> None:
    """Ask a provider for its description and keys, now.

    qd identity-provider test team

    Parameters
    ----------
    slug
        Its name in addresses.
    """
    with session(changing) as opened:
        found = opened.api.ours("identity-providers.test", "POST", f"{ROOT}/{slug}/test")
        opened.sent()
        text = f"{found['issuer']} answers, with {found['keys']} keys."
        opened.terminal.answer(found, name=slug, text=text)


def rm(slug: str, /, *, destroying: Destroying = DESTROYING) -> None:
    """Remove a provider and end the sessions that it vouched for. The people stay.

    qd identity-provider rm team
    qd identity-provider rm team --confirm team

    Parameters
    ----------
    slug
        Its name in addresses.
    """
    with session(destroying) as opened:
        lost = f"Whoever signs in with {slug} alone cannot sign in any more, and their sessions end."
        opened.terminal.confirm_typed(lost, slug, destroying.confirm)
        gone = opened.api.ours("identity-providers.remove", "DELETE", f"{ROOT}/{slug}")
        opened.sent()
        ended = gone["endedSessions"]
        sessions = "1 session" if ended == 1 else f"{ended} sessions"
        opened.terminal.answer(gone, name=slug, text=f"Removed {slug}, ended {sessions}.")


def _settings(
    name: str | None,
    client_secret: str | None,
    group: list[str] | None,
    default_role: list[str] | None,
    email_domain: list[str] | None,
    groups_claim: str | None,
    scope: list[str] | None,
) -> dict[str, Any]:
    given = {
        "name": name,
        "clientSecret": None if client_secret is None else _secret(client_secret),
        "groupRoles": None if group is None else _groups(group),
        "defaultRoles": default_role,
        "emailDomains": email_domain,
        "groupsClaim": groups_claim,
        "scopes": scope,
    }
    return {key: value for key, value in given.items() if value is not None}


def _groups(given: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in given:
        group, sign, role = one.rpartition("=")
        if not sign or not group or not role:
            raise usage(f"{one!r} is no GROUP=ROLE.", "--group ops=organization:admin")
        found.setdefault(group, []).append(role)
    return found


def _secret(given: str) -> str:
    secret = _given(given)
    if not secret:
        where = "stdin" if given == "-" else given[1:]
        raise usage(f"The client secret is empty: {where} has nothing in it.", "--client-secret @FILE")
    return secret


def _given(given: str) -> str:
    if given == "-":
        return sys.stdin.read(LONGEST).strip()
    if not given.startswith("@"):
        raise usage("A secret is never an argument.", "--client-secret @FILE, or --client-secret - for stdin")
    try:
        return Path(given[1:]).read_text()[:LONGEST].strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise Failure(f"The file {given[1:]} cannot be read ({why}).", hint="Check its path.") from None


def _told(found: dict[str, Any]) -> list[str]:
    return [
        f"  redirect URI             {found['redirectUri']}",
        f"  back-channel logout URI  {found['backchannelLogoutUri']}",
    ]


def _shown(opened: Session, made: dict[str, Any], text: str) -> None:
    opened.sent()
    opened.terminal.answer(made, name=made["slug"], text="\n".join([text, *_told(made)]))


for command in (add, change, ls, show, rm):
    identity_provider.command(command)
identity_provider.command(examine, name="test")
