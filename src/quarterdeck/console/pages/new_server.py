"""A new server in steps on one page: the machine, the key it is signed in to with, the test, and only then Add."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from litestar import Request, Response, get, post

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, Desk, open_desk, read_form
from quarterdeck.console.permissions import needs
from quarterdeck.console.render import see
from quarterdeck.console.views.fleet import CredentialRow, Looked, ServerChoice
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem

EDGES = (("caddy", "Caddy"), ("traefik", "Traefik"), ("none", "None: no routes on this server"))
AGENT = ("agent", "The SSH agent of the control plane's account")
NEW, PASTED = "new", "pasted"
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
    try:
        choice, made = await _stored(desk, form, choice)
        if made:
            return await _page(request, choice, made=True)
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
    try:
        choice, made = await _stored(desk, form, choice)
        if made:  # its line has to be put there first, and is shown on this page
            return await _page(request, choice, made=True)
        ref = await desk.ports.add_server(desk.who, choice)
    except Problem as problem:
        return await _page(request, choice, problem=problem)
    return see(f"/console/fleet/servers/{ref}", "server-added")


def _choice(form: dict[str, str]) -> ServerChoice:
    return ServerChoice(**{item.name: form[item.name] for item in fields(ServerChoice) if item.name in form})


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
    made: bool = False,
) -> Response[bytes]:
    """What was typed is kept, but no private key. `made` says that a key was made, and that nothing was tested."""
    desk = await open_desk(request)
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
        other_key=looked.host_key if looked and choice.expected_key not in {"", looked.host_key} else "",
        machine_fields=_machine_fields(choice, problem),
        key_fields=_key_fields(choice, known, fresh=fresh, problem=problem),
        edge_fields=(Field("edge", "Edge", choice.edge, kind="select", choices=EDGES, required=True),),
        test_command=commands.test_draft(),
        command=commands.add_server(choice, key.name if key else ""),
    )


def _error(problem: Problem | None, name: str) -> str:
    return problem.message if problem and problem.details.get("field") == name else ""


def _machine_fields(choice: ServerChoice, problem: Problem | None) -> tuple[Field, ...]:
    return (
        Field("name", "Name", choice.name, required=True, error=_error(problem, "name")),
        Field("host", "Address", choice.host, error=_error(problem, "host"), placeholder="203.0.113.10",
              hint="A name or an IP address. Empty for the machine that the control plane runs on."),
        Field("port", "SSH port", choice.port, required=True, error=_error(problem, "port"),
              attributes={"inputmode": "numeric"}),
        Field("username", "Account", choice.username, error=_error(problem, "username"), placeholder="root",
              hint="Root, or one that may become root without a password."),
    )  # fmt: skip


def _key_fields(
    choice: ServerChoice, known: tuple[CredentialRow, ...], *, fresh: bool, problem: Problem | None
) -> tuple[Field, ...]:
    wrong = _error(problem, "credential")
    chosen = Field("credential", "Signed in to with", choice.credential, kind="select", full=True, error=wrong,
                   choices=ways(known, choice.credential, fresh), required=True)  # fmt: skip
    if not fresh:
        return (chosen,)
    pasted = Field("content", "Private key", kind="area", full=True, error=_error(problem, "privateKey"),
                   hint="Only for a pasted key: the whole file, without passphrase. It is sealed as soon as it is "
                   "sent, and never shown again.", attributes={"autocomplete": "off"})  # fmt: skip
    return (chosen, pasted)


HANDLERS: tuple[Any, ...] = (new_server, test_draft, add_server)
