"""Agents: the list, one of them, how another one is made, and how one ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import secret_commands
from quarterdeck.console.desk import AnyRequest, act, address_of, open_desk, part, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.pages.secret_requests import HERE
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.secret_places import NewAgent
from quarterdeck.console.views.secrets import AGENTS
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, MINT, REVOKE = "broker:agent.list", "broker:agent.mint", "broker:agent.revoke"
LIST = Crumb("Agents", AGENTS)
AGENT = "/secrets/agents/{agent:str}"
GRACES = (("300", "5 minutes"), ("0", "no longer"), ("3600", "1 hour"), ("86400", "1 day"))


@get("/secrets/agents", opt=needs(VIEW))
async def agents(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/secret_agents.html",
        here="secrets",
        crumbs=(HERE, Crumb("Agents")),
        rows=await desk.ports.secret_agents(desk.who),
        command=secret_commands.list_agents(),
    )


@get("/secrets/agents/new", opt=needs(MINT))
async def new_agent(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _new(request)


async def _new(
    request: AnyRequest,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
    made: NewAgent | None = None,
) -> Response[bytes]:
    desk, said = await open_desk(request), typed or {}
    wrong = str(problem.details.get("field", "")) if problem else ""
    told = problem.message if problem else ""
    plain = {"autocomplete": "off", "spellcheck": "false"}
    return desk.page(
        "pages/secret_agent_new.html",
        here="secrets",
        crumbs=(HERE, LIST, Crumb("New agent")),
        problem=problem,
        made=made,
        address=address_of(request),
        fields=(
            Field("name", "Name", said.get("name", ""), required=True, error=told if wrong == "name" else "",
                  attributes={**plain, "maxlength": "200"}),
            Field("scope", "Only for", said.get("scope", ""), error=told if wrong == "scope" else "", full=True,
                  placeholder="cluster=eu environment=staging", attributes={**plain, "maxlength": "2000"},
                  hint="Words with their values. Empty: whatever it is asked for."),
        ),
        command=secret_commands.mint_agent(),
    )  # fmt: skip


@post("/secrets/agents/new", opt=needs(MINT))
async def mint(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What is made is shown this once."""
    desk, form = await open_desk(request), await read_form(request)
    try:
        made = await desk.ports.mint_secret_agent(
            desk.who, name=form.get("name", ""), scope=scope_of(form.get("scope", ""))
        )  # fmt: skip
    except Problem as problem:
        return await _new(request, problem, form)
    return await _new(request, made=made)


def scope_of(text: str) -> dict[str, str]:
    """`cluster=eu, environment=staging` as words and values. Raises `Invalid`."""
    found = {}
    for one in filter(None, re.split(r"[\s,]+", text)):
        word, mark, value = one.partition("=")
        if not mark or not word or not value:
            raise Invalid(f"{one[:40]!r} is no word with a value.", hint="Write it as cluster=eu.", field="scope")
        found[word] = value
    return found


@get(AGENT, opt=needs(VIEW))
async def agent(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _agent(request)


async def _agent(request: AnyRequest, problem: Problem | None = None, made: NewAgent | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    row = await desk.ports.secret_agent(desk.who, part(request, "agent"))
    return desk.page(
        "pages/secret_agent.html",
        here="secrets",
        crumbs=(HERE, LIST, Crumb(row.name)),
        problem=problem,
        row=row,
        made=made,
        grace=Field("grace", "The secret of before counts for", "300", "select", choices=GRACES),
        command=secret_commands.agent(row, "rotate"),
    )


@post(AGENT + "/rotate", opt=needs(MINT))
async def rotate(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Another secret, shown this once."""
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "agent")
    grace = form.get("grace", "300")
    try:
        made = await desk.ports.rotate_secret_agent(
            desk.who, uid, grace=int(grace) if grace in dict(GRACES) else 300
        )  # fmt: skip
    except Problem as problem:
        return await _agent(request, problem)
    return await _agent(request, made=made)


@get(AGENT + "/revoke", opt=needs(REVOKE))
async def ask_revoke(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _revoking(request)


async def _revoking(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    row = await desk.ports.secret_agent(desk.who, part(request, "agent"))
    return ask(
        desk,
        here="secrets",
        crumbs=(HERE, LIST, Crumb(row.name, row.href), Crumb("Revoke")),
        failed=failed,
        title=f"Revoke {row.name}?",
        texts=("Its secret and its key count no more, at once. What it had is given to others.",),
        action=f"{row.href}/revoke",
        back=row.href,
        keep="Keep it",
        button="Revoke",
        danger=True,
        must_equal=row.name,
        reason="Why",
        blocked="It is revoked already." if row.revoked else "",
        command=secret_commands.agent(row, "revoke"),
    )


@post(AGENT + "/revoke", opt=needs(REVOKE))
async def revoke(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "agent")
    deed = desk.ports.revoke_secret_agent(desk.who, uid, form.get("reason", ""), form.get("confirmation", ""))
    return await act(deed, f"{AGENTS}/{uid}", "agent-revoked", partial(_revoking, request))


HANDLERS: tuple[Any, ...] = (agents, new_agent, mint, agent, rotate, ask_revoke, revoke)
