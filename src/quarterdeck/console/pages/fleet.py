"""Servers: the list, a page for each, the form that adds one, and the keys they are reached with."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, address_of, open_desk, part, read_form
from quarterdeck.console.pages.new_server import EDGES, known_keys, ways
from quarterdeck.console.pages.policies import CATEGORIES
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.render import see
from quarterdeck.console.views.fleet import CapacityView, EngineView, LeftRow, Looked, SurveyView
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.console.words import counted
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

FLEET = Crumb("Fleet", "/console/fleet")
SERVER = "/fleet/servers/{ref:str}"
HISTORY = "deployment-history"
WITHOUT_ENGINE = ("without_engine", "Leave behind what its Docker engine holds, which does not answer")


@get("/fleet", opt=needs("deploy:servers.list"))
async def fleet(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/fleet.html",
        here="fleet",
        crumbs=(Crumb("Fleet"),),
        topics="fleet",
        rows=await desk.ports.hosts(desk.who),
        command=commands.enrol(address_of(request)),
    )


@get(SERVER, opt=needs("deploy:servers.show"))
async def server(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _server(request)


@post(SERVER + "/test", opt=needs("deploy:servers.test-connectivity"))
async def test_server(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return await _server(request, looked=await desk.ports.look(desk.who, part(request, "ref")))


@get(SERVER + "/capacity", opt=needs("deploy:servers.capacity.inspect"))
async def capacity(request: Request[Any, Any, Any]) -> Response[bytes]:
    """How full it is, how its edge runs and what else it does, as of now."""
    desk, ref = await open_desk(request), part(request, "ref")
    measured, survey = await asyncio.gather(desk.ports.capacity(desk.who, ref), desk.ports.survey(desk.who, ref))
    return await _server(request, capacity=measured, survey=survey)


async def _server(
    request: AnyRequest,
    problem: Problem | None = None,
    *,
    looked: Looked | None = None,
    capacity: CapacityView | None = None,
    survey: SurveyView | None = None,
    engine: EngineView | None = None,
) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.server(desk.who, part(request, "ref"))
    known = await known_keys(desk)
    return desk.page(
        "pages/server.html",
        here="fleet",
        crumbs=(FLEET, Crumb(view.name)),
        problem=problem,
        view=view,
        looked=looked,
        capacity=capacity,
        survey=survey,
        labels=CATEGORIES,
        engine=engine,
        engine_command=commands.engine_of(view),
        name_fields=(Field("name", "Name", view.name, required=True),),
        way_fields=(
            Field(
                "credential", "Signed in to with", view.credential, kind="select", choices=ways(known, view.credential)
            ),
            Field("username", "As", view.username, placeholder="root"),
        ),
        edge_fields=(Field("edge", "Edge", view.edge_kind, kind="select", choices=EDGES, required=True),),
        address_fields=(
            Field("host", "Host name or address", view.host, required=True),
            Field("port", "SSH port", view.port, required=True),
            Field("fingerprint", "Host key, if another machine takes its place", "", placeholder="SHA256:…"),
        ),
        address_command=commands.move_server(view),
        engine_fields=(Field("reason", "Why it is not to be used", "", placeholder="One line"),),
        test_command=commands.test_server(view),
        edge_command=commands.bring_up_edge(view),
        capacity_command=commands.show_server(view),
        way_command=commands.sign_in_to_server(view),
        name_command=commands.rename_server(view),
    )


@post(SERVER + "/name", opt=needs("deploy:servers.rename"))
async def rename(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    return await _changed(request, desk.ports.rename_server(desk.who, part(request, "ref"), form.get("name", "")))


@post(SERVER + "/credential", opt=needs("deploy:servers.configure-credential"))
async def sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.sign_in_to_server(
        desk.who,
        part(request, "ref"),
        credential=form.get("credential", ""),
        username=form.get("username", ""),
    )
    return await _changed(request, deed)


@post(SERVER + "/address", opt=needs("deploy:servers.configure-credential"))
async def move(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Looks at the machine first; takes seconds."""
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.move_server(
        desk.who,
        part(request, "ref"),
        host=form.get("host", ""),
        port=form.get("port", ""),
        fingerprint=form.get("fingerprint", ""),
    )
    return await _changed(request, deed)


@post(SERVER + "/edge", opt=needs("deploy:servers.configure-edge-proxy"))
async def choose_edge(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    return await _changed(request, desk.ports.choose_edge(desk.who, part(request, "ref"), form.get("edge", "")))


@post(SERVER + "/edge/bootstrap", opt=needs("deploy:servers.bootstrap-proxy"))
async def bring_up_edge(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return await _changed(request, desk.ports.bring_up_edge(desk.who, part(request, "ref")), "edge-starting")


@get(SERVER + "/engine", opt=needs("deploy:servers.test-connectivity"))
async def engine(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Looks at the machine; what it says of itself may be a problem of its own."""
    desk = await open_desk(request)
    try:
        found = await desk.ports.engine(desk.who, part(request, "ref"))
    except Problem as problem:
        return await _server(request, problem)
    return await _server(request, engine=found)


@post(SERVER + "/engine", opt=needs("servers:engine"))
async def use_engine(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    return await _decided(request, desk.ports.use_engine(desk.who, part(request, "ref"), form.get("plan", "")))


@post(SERVER + "/engine/refuse", opt=needs("servers:engine"))
async def refuse_engine(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    return await _decided(request, desk.ports.refuse_engine(desk.who, part(request, "ref"), form.get("reason", "")))


async def _decided(request: AnyRequest, deed: Awaitable[object]) -> Response[bytes]:
    address = f"/console/fleet/servers/{part(request, 'ref')}/engine"
    return await act(deed, address, "engine-decided", partial(_server, request))


@post(SERVER + "/host-key", opt=needs("deploy:servers.configure-credential"))
async def trust(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.trust_host_key(desk.who, part(request, "ref"), form.get("fingerprint", ""))
    return await _changed(request, deed)


async def _changed(request: AnyRequest, deed: Awaitable[object], flash: str = "saved") -> Response[bytes]:
    return await act(deed, f"/console/fleet/servers/{part(request, 'ref')}", flash, partial(_server, request))


@get(SERVER + "/deactivate", opt=needs("deploy:servers.deactivate"))
async def ask_deactivate(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _deactivation(request)


async def _deactivation(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.server(desk.who, part(request, "ref"))
    return ask(
        desk,
        here="fleet",
        crumbs=(FLEET, Crumb(view.name, view.href), Crumb("Deactivate")),
        failed=failed,
        title=f"Deactivate {view.name}?",
        texts=("What runs there goes on. It takes no new deployments, and cannot be activated again.",),
        action=f"{view.href}/deactivate",
        back=view.href,
        keep="Keep it",
        button="Deactivate server",
        danger=True,
        command=commands.deactivate_server(view),
    )


@post(SERVER + "/deactivate", opt=needs("deploy:servers.deactivate"))
async def deactivate(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref = await open_desk(request), part(request, "ref")
    deed = desk.ports.deactivate_server(desk.who, ref, "")
    return await act(deed, f"/console/fleet/servers/{ref}", "saved", partial(_deactivation, request))


@get(SERVER + "/delete", opt=needs("deploy:servers.delete"))
async def ask_delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _deletion(request)


async def _deletion(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.server(desk.who, part(request, "ref"))
    standing = [one for one in view.removal if one.kind != HISTORY]
    blocked = f"Not yet: {', '.join(one.words for one in standing)}." if standing else ""
    history = next((one for one in view.removal if one.kind == HISTORY), None)
    return ask(
        desk,
        here="fleet",
        crumbs=(FLEET, Crumb(view.name, view.href), Crumb("Delete")),
        failed=failed,
        title=f"Forget {view.name}?",
        texts=("Nothing on the machine is touched.",),
        action=f"{view.href}/delete",
        back=view.href,
        keep="Keep it",
        button="Forget server",
        danger=True,
        must_equal=view.name,
        blocked=blocked,
        command=commands.delete_server(view),
        items=tuple((one.command, one.words) for one in view.removal),
        choice=None
        if history is None
        else (
            "with_history",
            f"Erase what was deployed to it, too: {counted(history.count, 'deployment')}, with logs",
        ),
    )


@post(SERVER + "/delete", opt=needs("deploy:servers.delete"))
async def delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, ref = await open_desk(request), await read_form(request), part(request, "ref")
    deed = desk.ports.delete_server(
        desk.who, ref, form.get("confirmation", ""), with_history=form.get("with_history") == "yes"
    )
    return await act(deed, "/console/fleet", "server-deleted", partial(_deletion, request))


@get(SERVER + "/uninstall", opt=needs("deploy:servers.delete"))
async def ask_uninstall(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _uninstallation(request)


async def _uninstallation(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    """What of ours is there, and the question whether it is to go. A machine that cannot be asked says why."""
    desk, ref = await open_desk(request), part(request, "ref")
    view = await desk.ports.server(desk.who, ref)
    found: tuple[LeftRow, ...] = ()
    try:
        found = await desk.ports.left_on_server(desk.who, ref)
    except Problem as problem:
        failed = failed or problem
    going = [row for row in found if not row.kept]
    blocked = "" if going else "It could not be looked at." if failed else "Nothing of ours is there."
    return ask(
        desk,
        here="fleet",
        crumbs=(FLEET, Crumb(view.name, view.href), Crumb("Uninstall")),
        failed=failed,
        title=f"Uninstall Quarterdeck from {view.name}?",
        texts=(
            *_left_in_words(found),
            "Volumes stay, and the line in authorized_keys is yours to remove. The server stays in this list.",
        ),
        action=f"{view.href}/uninstall",
        back=view.href,
        keep="Keep it",
        button="Uninstall",
        danger=True,
        must_equal=view.name,
        blocked=blocked,
        command=commands.uninstall_server(view),
        items=tuple((f"{row.kind} {row.name}", row.kept) for row in found),
        choice=WITHOUT_ENGINE if any(row.kind == "silent-engine" for row in found) else None,
    )


def _left_in_words(found: tuple[LeftRow, ...]) -> tuple[str, ...]:
    """`What goes: 2 containers, 1 route.`"""
    counts = Counter(row.kind for row in found if not row.kept)
    many = {"process": "processes", "directory": "directories"}
    words = ", ".join(counted(number, kind, many.get(kind)) for kind, number in counts.items())
    return (f"What goes: {words}.",) if counts else ()


@post(SERVER + "/uninstall", opt=needs("deploy:servers.delete"))
async def uninstall(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Takes it away and shows what went and what stays."""
    desk, form, ref = await open_desk(request), await read_form(request), part(request, "ref")
    try:
        found = await desk.ports.uninstall_server(
            desk.who, ref, form.get("confirmation", ""), without_engine=form.get("without_engine") == "yes"
        )
    except Problem as problem:
        return await _uninstallation(request, problem)
    view = await desk.ports.server(desk.who, ref)
    return desk.page(
        "pages/uninstalled.html",
        here="fleet",
        crumbs=(FLEET, Crumb(view.name, view.href), Crumb("Uninstall")),
        view=view,
        rows=found,
        stays=tuple(row for row in found if not row.removed),
        command=commands.uninstall_server(view),
    )


@get("/fleet/keys", opt=needs("deploy:credentials.list-ssh"))
async def keys(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _keys(request)


@post("/fleet/keys", opt=needs("deploy:credentials.create-ssh"))
async def add_key(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    return await act(
        desk.ports.add_credential(
            desk.who, name=form.get("name", ""), username=form.get("username", ""), key=form.get("content", "")
        ),
        "/console/fleet/keys",
        "key-stored",
        lambda problem: _keys(request, problem, form),
    )


async def _keys(
    request: AnyRequest, problem: Problem | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    """The list and the form. A private key is never sent back, not even when it was refused."""
    desk = await open_desk(request)
    typed = typed or {}
    wrong = str(problem.details.get("field", "")) if problem else ""

    def error(name: str) -> str:
        return problem.message if problem and wrong == name else ""

    return desk.page(
        "pages/keys.html",
        here="fleet",
        crumbs=(FLEET, Crumb("SSH keys")),
        problem=problem,
        rows=await desk.ports.credentials(desk.who),
        fields=(
            Field("name", "Name", typed.get("name", ""), required=True, error=error("name")),
            Field("username", "Signs in as", typed.get("username", ""), error=error("username"), placeholder="root"),
            Field("content", "Private key", kind="area", required=True, full=True, error=error("privateKey"),
                  hint="The whole file, without passphrase. It is kept sealed and never shown again."),
        ),
        command=commands.add_credential(),
    )  # fmt: skip


@get("/fleet/keys/{ref:str}/delete", opt=needs("deploy:credentials.delete-ssh"))
async def ask_delete_key(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _key_deletion(request)


async def _key_deletion(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk, ref = await open_desk(request), part(request, "ref")
    row = next((one for one in await desk.ports.credentials(desk.who) if one.ref == ref), None)
    if row is None:
        return see("/console/fleet/keys")
    return ask(
        desk,
        here="fleet",
        crumbs=(FLEET, Crumb("SSH keys", "/console/fleet/keys"), Crumb("Delete")),
        failed=failed,
        title=f"Delete the key {row.name}?",
        texts=("It cannot be had back. The line in authorized_keys of the servers stays.",),
        action=f"/console/fleet/keys/{ref}/delete",
        back="/console/fleet/keys",
        keep="Keep it",
        button="Delete key",
        danger=True,
        blocked=f"Still used by {', '.join(row.used_by)}." if row.used_by else "",
        command=commands.delete_credential(row),
    )


@post("/fleet/keys/{ref:str}/delete", opt=needs("deploy:credentials.delete-ssh"))
async def delete_key(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    deed = desk.ports.delete_credential(desk.who, part(request, "ref"))
    return await act(deed, "/console/fleet/keys", "key-deleted", partial(_key_deletion, request))


HANDLERS: tuple[Any, ...] = (
    fleet, server, test_server, capacity, rename, move, sign_in, choose_edge, bring_up_edge, trust, engine, use_engine,
    refuse_engine, ask_deactivate, deactivate, ask_delete, delete, ask_uninstall, uninstall, keys, add_key,
    ask_delete_key, delete_key,
)  # fmt: skip
