"""Connections: where secrets are kept. The list, one of them, how another is defined, and how one ends."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import secret_commands
from quarterdeck.console.desk import AnyRequest, Page, act, open_desk, part, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.pages.secret_agents import scope_of
from quarterdeck.console.pages.secret_requests import ANYBODY, HERE
from quarterdeck.console.pages.secret_workflows import spelt
from quarterdeck.console.permissions import needs
from quarterdeck.console.render import see
from quarterdeck.console.views.secret_places import (
    CREDENTIALS,
    FORMS,
    NEEDED,
    WITHIN,
    ConnectionDraft,
    ConnectionRow,
)
from quarterdeck.console.views.secrets import CONNECTIONS, PROVIDERS
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

EDIT = "broker:integration.edit"
LIST = Crumb("Connections", CONNECTIONS)
CONNECTION = "/secrets/connections/{connection:str}"


@get("/secrets/connections", opt=ANYBODY)
async def connections(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/secret_connections.html",
        here="secrets",
        crumbs=(HERE, Crumb("Connections")),
        rows=await desk.ports.secret_connections(desk.who),
        providers=PROVIDERS,
        offered=tuple((one, PROVIDERS[one]) for one in FORMS),
        command=secret_commands.list_connections(),
    )


@get("/secrets/connections/new", opt=needs(EDIT))
async def new_connection(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _form(request)


@get(CONNECTION, opt=ANYBODY)
async def connection(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _form(request)


async def _form(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    uid = str(request.path_params.get("connection", ""))
    row = await desk.ports.secret_connection(desk.who, uid) if uid else None
    chosen = row.provider if row is not None else (typed or request.query_params).get("provider", "")
    provider = chosen if chosen in FORMS else "vault"
    said = dict(typed) if typed is not None else _said(row)
    choices = await desk.ports.secret_choices(desk.who)
    return desk.page(
        "pages/secret_connection.html",
        here="secrets",
        crumbs=(HERE, LIST, Crumb(row.name if row is not None else "New connection")),
        problem=problem,
        row=row,
        provider=provider,
        provider_name=PROVIDERS[provider],
        offered=tuple((one, PROVIDERS[one]) for one in FORMS),
        fields=_fields(provider, said, problem, choices.places, row),
        within=provider in WITHIN,
        said=said,
        spelt=spelt,
        command=secret_commands.connection(row, "PUT" if row is not None else "POST"),
        discover=secret_commands.discover(),
    )


def _said(row: ConnectionRow | None) -> dict[str, str]:
    if row is None:
        return {"rhythm": "0"}
    return {"rhythm": spelt(row.rhythm), "by_server": "yes" if row.by_server else "",
            **{f"config.{word}": value for word, value in row.config.items()}}  # fmt: skip


def _fields(
    provider: str, said: Mapping[str, str], problem: Problem | None, places: Any, row: ConnectionRow | None
) -> tuple[Field, ...]:
    wrong, told = (str(problem.details.get("field", "")), problem.message) if problem else ("", "")
    plain = {"autocomplete": "off", "spellcheck": "false"}
    needed = NEEDED[provider]
    fields = []
    if row is None:
        fields.append(
            Field("name", "Name", said.get("name", ""), required=True, error=told if wrong == "name" else "",
                  hint="Requests name it by that.", attributes={**plain, "maxlength": "200"})
        )  # fmt: skip
    for word, label, kind, example in FORMS[provider]:
        name = f"config.{word}"
        fields.append(
            Field(name, label, said.get(name, ""), kind, required=word in needed, full=kind == "area",
                  error=told if wrong == name else "", placeholder=example, attributes=plain)
        )  # fmt: skip
    if provider in CREDENTIALS:
        label, hint = CREDENTIALS[provider]
        kept = row is not None and row.has_credential
        fields.append(
            Field("credential", label, "", "password", hint="Empty: the one of before stays." if kept else hint,
                  required="credential" in needed and not kept, error=told if wrong == "credential" else "",
                  attributes={"autocomplete": "new-password", "maxlength": "16384"})
        )  # fmt: skip
    if row is None:
        fields.append(
            Field("place", "May be named for", said.get("place", ""), "select",
                  choices=(("", "Every project"), *places),
                  error=told if wrong in {"project_id", "environment"} else "")
        )  # fmt: skip
    if row is None and provider not in WITHIN:
        fields.append(
            Field("scope", "Agents that reach it", said.get("scope", ""), error=told if wrong == "scope" else "",
                  placeholder="cluster=eu", hint="Words of their scope. Empty: any.", attributes=plain)
        )  # fmt: skip
    fields.append(
        Field("rhythm", "Look which secrets there are, every", said.get("rhythm", "0"), required=True,
              error=told if wrong == "discover_seconds" else "", hint="As in 30m, 6h, 1d. 0: only when asked.",
              attributes={**plain, "maxlength": "12"})
    )  # fmt: skip
    return tuple(fields)


def _draft(form: Mapping[str, str], provider: str) -> ConnectionDraft:
    known = [word for word, *_ in FORMS.get(provider, ())]
    return ConnectionDraft(
        name=form.get("name", ""),
        provider=provider,
        config={word: form.get(f"config.{word}", "") for word in known},
        place=form.get("place", ""),
        scope=scope_of(form.get("scope", "")),
        rhythm=form.get("rhythm", "0"),
        by_server=form.get("by_server") == "yes",
        credential=form.get("credential", ""),
    )


@post("/secrets/connections/new", opt=needs(EDIT))
async def define(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    try:
        draft = _draft(form, form.get("provider", ""))
        made = await desk.ports.save_secret_connection(desk.who, "", draft)
    except Problem as problem:
        return await _form(request, problem, form)
    return see(f"{CONNECTIONS}/{made}", "connection-saved")


@post(CONNECTION, opt=needs(EDIT))
async def change(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "connection")
    row = await desk.ports.secret_connection(desk.who, uid)
    deed = desk.ports.save_secret_connection(desk.who, uid, _draft(form, row.provider))
    return await act(deed, row.href, "connection-saved", partial(_again, request, form))


async def _again(request: AnyRequest, form: Mapping[str, str], problem: Problem) -> Page:
    return await _form(request, problem, form)


@post(CONNECTION + "/switch", opt=needs(EDIT))
async def switch(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "connection")
    on = form.get("deed") == "on"
    deed = desk.ports.switch_secret_connection(desk.who, uid, on=on)
    return await act(deed, f"{CONNECTIONS}/{uid}", "connection-on" if on else "connection-off", partial(_form, request))


@post(CONNECTION + "/discover", opt=needs(EDIT))
async def discover(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid = await open_desk(request), part(request, "connection")
    await read_form(request)
    deed = desk.ports.discover_secrets(desk.who, uid)
    return await act(deed, f"{CONNECTIONS}/{uid}", "secrets-looking", partial(_form, request))


@get(CONNECTION + "/delete", opt=needs(EDIT))
async def ask_delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _deletion(request)


async def _deletion(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    row = await desk.ports.secret_connection(desk.who, part(request, "connection"))
    return ask(
        desk,
        here="secrets",
        crumbs=(HERE, LIST, Crumb(row.name, row.href), Crumb("Delete")),
        failed=failed,
        title=f"Delete the connection {row.name}?",
        texts=("What waits for it fails. The secrets themselves stay where they are.",),
        action=f"{row.href}/delete",
        back=row.href,
        keep="Keep it",
        button="Delete connection",
        danger=True,
        must_equal=row.name,
        command=secret_commands.connection(row, "DELETE"),
    )


@post(CONNECTION + "/delete", opt=needs(EDIT))
async def delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "connection")
    deed = desk.ports.delete_secret_connection(desk.who, uid, form.get("confirmation", ""))
    return await act(deed, CONNECTIONS, "connection-deleted", partial(_deletion, request))


HANDLERS: tuple[Any, ...] = (
    connections, new_connection, define, connection, change, switch, discover, ask_delete, delete,
)  # fmt: skip
