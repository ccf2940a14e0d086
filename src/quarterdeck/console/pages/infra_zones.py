"""Zones: the list, a new one, one with its specifications and its policy, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response

from quarterdeck.console import infra_commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.infra import INFRA, ZONES, ZoneRow
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.console.words import counted
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, MANAGE, POLICY = "infra:zones.view", "infra:zones.manage", "infra:zones.policy"
HERE = Crumb("Infrastructure", INFRA)
LIST = Crumb("Zones", ZONES)
ZONE = "/infra/zones/{zone:str}"


@get("/infra/zones", opt=needs(VIEW))
async def zones(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/infra_zones.html",
        here="infra",
        crumbs=(HERE, Crumb("Zones")),
        rows=await desk.ports.infra_zones(desk.who),
        command=infra_commands.list_zones(),
    )


@get("/infra/zones/new", opt=needs(MANAGE))
async def new_zone(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _new(request)


async def _new(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/infra_zone_new.html",
        here="infra",
        crumbs=(HERE, LIST, Crumb("New zone")),
        problem=problem,
        fields=_named(typed or {}, problem),
        command=infra_commands.create_zone(),
    )


def _named(typed: Mapping[str, str], problem: Problem | None) -> tuple[Field, ...]:
    wrong = str(problem.details.get("field", "")) if problem else ""
    told = problem.message if problem else ""
    return (
        Field("name", "Name", typed.get("name", ""), required=True, error=told if wrong == "name" else "",
              hint="A project of that name gets the zone, where it has none yet.",
              attributes={"maxlength": "100", "autocomplete": "off"}),
        Field("description", "What is in it", typed.get("description", ""), full=True,
              error=told if wrong == "description" else ""),
    )  # fmt: skip


@post("/infra/zones/new", opt=needs(MANAGE))
async def make_zone(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.create_infra_zone(desk.who, name=form.get("name", ""), description=form.get("description", ""))
    return await act(deed, lambda uid: f"{ZONES}/{uid}", "zone-made", lambda problem: _new(request, problem, form))


@get(ZONE, opt=needs(VIEW))
async def zone(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _zone(request)


async def _zone(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_zone(desk.who, part(request, "zone"))
    said = {"name": view.name, "description": view.description, "approvals": str(view.approvals),
            "destroy_approvals": str(view.destroy_approvals)} | dict(typed or {})  # fmt: skip
    return desk.page(
        "pages/infra_zone.html",
        here="infra",
        crumbs=(HERE, LIST, Crumb(view.name)),
        problem=problem,
        view=view,
        fields=_named(said, problem),
        policy=_policy(said, problem),
        command=infra_commands.change_zone(view),
    )


def _policy(said: Mapping[str, str], problem: Problem | None) -> tuple[Field, ...]:
    wrong = str(problem.details.get("field", "")) if problem else ""
    told = problem.message if problem else ""
    number = {"inputmode": "numeric", "autocomplete": "off", "maxlength": "2"}
    asked = (("approvals", "People who agree before a plan is applied"),
             ("destroy_approvals", "People who agree before something is destroyed"))  # fmt: skip
    return tuple(
        Field(name, label, said.get(name, "0"), required=True, error=told if wrong == name else "", attributes=number,
              hint="None of them whoever asked for it. 0 asks nobody.")
        for name, label in asked
    )  # fmt: skip


@post(ZONE, opt=needs(MANAGE))
async def change_zone(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _changed(request, ("name", "description"))


@post(ZONE + "/policy", opt=needs(POLICY))
async def change_policy(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _changed(request, ("approvals", "destroy_approvals"))


async def _changed(request: AnyRequest, names: tuple[str, ...]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "zone")
    values = {name: form[name] for name in names if name in form}
    deed = desk.ports.change_infra_zone(desk.who, uid, values)
    return await act(deed, f"{ZONES}/{uid}", "saved", lambda problem: _zone(request, problem, values))


@get(ZONE + "/delete", opt=needs(MANAGE))
async def ask_delete_zone(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _deletion(request)


async def _deletion(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_zone(desk.who, part(request, "zone"))
    return ask(
        desk,
        here="infra",
        crumbs=(HERE, LIST, Crumb(view.name, view.href), Crumb("Delete")),
        failed=failed,
        title=f"Delete the zone {view.name}?",
        texts=(_lost(view), "Nothing is destroyed, and its project stays."),
        action=f"{view.href}/delete",
        back=view.href,
        keep="Keep it",
        button="Delete zone",
        danger=True,
        must_equal=view.name,
        command=infra_commands.delete_zone(view),
    )


def _lost(view: ZoneRow) -> str:
    told = f"{counted(view.count, 'specification')} will be in no zone." if view.count else "No specification is in it."
    most = max(view.approvals, view.destroy_approvals)
    return f"{told} Nobody has to agree to their plans any more." if most and view.count else told


@post(ZONE + "/delete", opt=needs(MANAGE))
async def delete_zone(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "zone")
    deed = desk.ports.delete_infra_zone(desk.who, uid, form.get("confirmation", ""))
    return await act(deed, ZONES, "zone-deleted", lambda problem: _deletion(request, problem))


HANDLERS: tuple[Any, ...] = (
    zones,
    new_zone,
    make_zone,
    zone,
    change_zone,
    change_policy,
    ask_delete_zone,
    delete_zone,
)
