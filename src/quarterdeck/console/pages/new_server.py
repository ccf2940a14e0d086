"""A new server in steps on one page: the machine, the key it is signed in to with, the test, and only then Add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, Desk, open_desk, read_form
from quarterdeck.console.permissions import needs
from quarterdeck.console.render import see
from quarterdeck.console.views.fleet import CredentialRow, Looked, ServerChoice
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

EDGES = (("caddy", "Caddy"), ("traefik", "Traefik"), ("none", "None: no routes on this server"))
AGENT = ("agent", "The SSH agent of the control plane's account")
NEW, PASTED = "new", "pasted"
NAME = "Give the server a name, such as web-1."
FIELDS = {"privateKey": "content"}
"""Fields of the form by what problems call them, where that is another word."""
EMPTY = {
    "port": "Give the port of its SSH server, usually 22.",
    "content": "Paste the private key, or choose another way to sign in.",
}
FRESH = ((NEW, "A new key, made here"), (PASTED, "The key pasted below"))


async def known_keys(desk: Desk) -> tuple[CredentialRow, ...]:
    """The stored keys, for who may see them."""
    return await desk.ports.credentials(desk.who) if desk.viewer.may("deploy:credentials.list-ssh") else ()


def ways(known: tuple[CredentialRow, ...], chosen: str = "", fresh: bool = False) -> tuple[tuple[str, str], ...]:
    """How a server can be signed in to, as choices; `fresh` with keys that are not stored yet. `chosen` is among them
    even where it may not be seen.
    """
    stored = tuple((row.ref, f"{row.name} ({row.username})") for row in known)
    choices = (("", "Nothing yet"), *(FRESH if fresh else ()), *stored, AGENT)
    return choices if chosen in dict(choices) else (*choices, (chosen, chosen))


@get(["/fleet/new", "/fleet/new/test"], opt=needs("deploy:servers.register"))
async def new_server(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The form; also at the address that a test leaves in the browser."""
    desk = await open_desk(request)
    fresh = desk.viewer.may("deploy:credentials.create-ssh")
    return await _page(request, ServerChoice(credential=NEW if fresh else ""))


@post("/fleet/new/test", opt=needs("deploy:servers.test-draft-connectivity"))
async def test_draft(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Look at the machine; nothing is kept of it. A new or pasted key is stored, so that it need not be sent again."""
    desk, form = await open_desk(request), await read_form(request)
    choice = _choice(form)
    if missing := _missing(choice, form):
        return await _page(request, choice, missing=missing)
    try:
        choice, made = await _stored(desk, form, choice)
        if made:  # nobody can be let in with it yet
            return await _page(request, choice, made="tested")
        looked = await desk.ports.look_at_draft(desk.who, choice)
    except Problem as problem:
        return await _page(request, choice, problem=problem)
    if looked.host_key and not choice.expected_key:
        choice = replace(choice, fingerprint=looked.host_key, tested=choice.address)
    return await _page(request, choice, looked)


@post("/fleet/new", opt=needs("deploy:servers.register"))
async def add_server(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Register it, with the key that it is signed in to with and the host key that the test has shown."""
    desk, form = await open_desk(request), await read_form(request)
    choice = _choice(form)
    if missing := ({} if choice.name.strip() else {"name": NAME}) | _missing(choice, form):
        return await _page(request, choice, missing=missing)
    try:
        choice, made = await _stored(desk, form, choice)
        if made:  # its line has to be put there first, and is shown on this page
            return await _page(request, choice, made="added")
        ref = await desk.ports.add_server(desk.who, choice)
    except Problem as problem:
        return await _page(request, choice, problem=problem)
    return see(f"/console/fleet/servers/{ref}", "server-added")


def _choice(form: dict[str, str]) -> ServerChoice:
    return ServerChoice(**{item.name: form[item.name] for item in fields(ServerChoice) if item.name in form})


def _missing(choice: ServerChoice, form: dict[str, str]) -> dict[str, str]:
    """What to give in each field that is empty and may not be; this machine needs no connection."""
    wanted = {"port": choice.port} if choice.host.strip() else {}
    if wanted and choice.credential == PASTED:
        wanted["content"] = form.get("content", "")
    return {name: EMPTY[name] for name, value in wanted.items() if not value.strip()}


async def _stored(desk: Desk, form: dict[str, str], choice: ServerChoice) -> tuple[ServerChoice, bool]:
    """The choice with a key that is stored, and whether that was made just now."""
    if not choice.host or choice.credential not in {NEW, PASTED}:
        return choice, False
    made = choice.credential == NEW
    ref = await desk.ports.keep_key(
        desk.who,
        name=choice.name or choice.host[:60],
        username=choice.username,
        key=None if made else form.get("content", ""),
    )
    return replace(choice, credential=ref), made


async def _page(
    request: AnyRequest,
    choice: ServerChoice,
    looked: Looked | None = None,
    problem: Problem | None = None,
    *,
    made: str = "",
    missing: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """What was typed is kept, but no private key. `made` says that a key was made, and what was therefore not done yet;
    `missing` what to give in fields that are empty.
    """
    desk = await open_desk(request)
    wrong = dict(missing or {})
    if problem and (field := str(problem.details.get("field", ""))):
        wrong[FIELDS.get(field, field)] = problem.message
    known = await known_keys(desk)
    key = next((row for row in known if row.ref == choice.credential), None)
    fresh = desk.viewer.may("deploy:credentials.create-ssh")
    return desk.page(
        "pages/new_server.html",
        here="fleet",
        crumbs=(Crumb("Fleet", "/console/fleet"), Crumb("Add a server")),
        problem=problem,
        looked=looked,
        choice=choice,
        key=key,
        made=made,
        missing=bool(missing),
        status=400 if missing else 200,
        other_key=looked.host_key if looked and choice.expected_key not in {"", looked.host_key} else "",
        machine_fields=_machine_fields(choice, wrong),
        key_fields=_key_fields(choice, known, fresh=fresh, wrong=wrong),
        edge_fields=(Field("edge", "Edge", choice.edge, kind="select", choices=EDGES, required=True),),
        test_command=commands.test_draft(),
        command=commands.add_server(choice, key.name if key else ""),
    )


def _machine_fields(choice: ServerChoice, wrong: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field("name", "Name", choice.name, required=True, error=wrong.get("name", "")),
        Field("host", "Address", choice.host, error=wrong.get("host", ""), placeholder="203.0.113.10",
              hint="A name or an IP address. Empty for the machine that the control plane runs on."),
        Field("port", "SSH port", choice.port, required=True, error=wrong.get("port", ""),
              attributes={"inputmode": "numeric"}),
        Field("username", "Account", choice.username, error=wrong.get("username", ""), placeholder="root",
              hint="Root, or one that may become root without a password."),
    )  # fmt: skip


def _key_fields(
    choice: ServerChoice, known: tuple[CredentialRow, ...], *, fresh: bool, wrong: Mapping[str, str]
) -> tuple[Field, ...]:
    chosen = Field("credential", "Signed in to with", choice.credential, kind="select", full=True,
                   error=wrong.get("credential", ""), choices=ways(known, choice.credential, fresh),
                   required=True)  # fmt: skip
    if not fresh:
        return (chosen,)
    pasted = Field("content", "Private key", kind="area", full=True, error=wrong.get("content", ""),
                   hint="Only for a pasted key: the whole file, without passphrase. It is sealed as soon as it is "
                   "sent, and never shown again.", attributes={"autocomplete": "off"})  # fmt: skip
    return (chosen, pasted)


HANDLERS: tuple[Any, ...] = (new_server, test_draft, add_server)
