"""Roles: the list with its permission grid, one role, the form of one's own, and why somebody may do something."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response

from quarterdeck.console import people_commands as commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form, status_of
from quarterdeck.console.pages.people import MANAGE, PAGE, READ
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.people import ROLES, RoleForm, RoleView, WhyView
from quarterdeck.console.views.shell import Crumb, Field, Pages
from quarterdeck.console.words import counted
from quarterdeck.kernel.errors import Conflict, Problem
from quarterdeck.kernel.http.shared_signature import get, post
from quarterdeck.kernel.text import several

FAMILIES = {
    "organization": "Applications and the organization",
    "tasks": "Tasks",
    "broker": "Secrets",
    "runbooks": "Runbooks",
}
CRUMB = Crumb("Roles", ROLES)
ROLE = "/access/roles/{ref:str}"
TICK = "may-"
FEW = 200
"""So many people are offered as a choice; others are typed."""


@get("/access/roles", opt=needs(READ))
async def roles(request: Request[Any, Any, Any]) -> Response[bytes]:
    """All roles, and the grid of one family: `?family=`, narrowed by `?group=` and `?q=`."""
    desk, query = await open_desk(request), request.query_params
    family = query.get("family", "")
    family = family if family in FAMILIES else "organization"
    words, group = query.get("q", "").strip()[:100], query.get("group", "")[:60]
    grid = await desk.ports.grid(desk.who, family, group=group, words=words)
    return desk.page(
        "pages/roles.html",
        here="access",
        crumbs=(Crumb("Roles"),),
        rows=await desk.ports.roles(desk.who),
        families=FAMILIES,
        family=family,
        group=group if group in grid.groups else "",
        words=words,
        grid=grid,
        command=commands.list_roles(),
    )


@get("/access/roles/new", opt=needs(MANAGE))
async def new(request: Request[Any, Any, Any]) -> Response[bytes]:
    """`?from=` begins with what another role permits, of which the reader can give what they have."""
    desk, start = await open_desk(request), request.query_params.get("from", "")[:100]
    form = RoleForm()
    if start:
        groups = (await desk.ports.role(desk.who, start, after="", limit=1)).groups
        held = frozenset(one.key for group in groups for one in group.permissions if one.on and one.may)
        form = RoleForm(permissions=held)
    return await _new(request, form)


async def _new(request: AnyRequest, form: RoleForm, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/new_role.html",
        here="access",
        crumbs=(CRUMB, Crumb("New role")),
        problem=problem,
        fields=_fields(form, problem),
        groups=await desk.ports.permitted(desk.who, form.permissions),
        starts=await desk.ports.roles(desk.who),
        command=commands.role(form),
    )


def _fields(form: RoleForm, problem: Problem | None) -> tuple[Field, ...]:
    taken = problem is not None and (problem.details.get("field") == "name" or problem.code == "role_name_taken")
    return (
        Field("name", "Name", form.name, required=True, error=problem.message if problem and taken else "",
              attributes={"maxlength": "100"}),
        Field("text", "What it is for", form.text, attributes={"maxlength": "1000"}),
    )  # fmt: skip


def _typed(form: dict[str, str]) -> RoleForm:
    ticked = frozenset(name.removeprefix(TICK) for name in form if name.startswith(TICK))
    return RoleForm(form.get("name", ""), form.get("text", "")[:1000], ticked, form.get("version", ""))


@post("/access/roles", opt=needs(MANAGE))
async def create(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), _typed(await read_form(request))
    made = desk.ports.create_role(desk.who, form)
    return await act(made, lambda ref: f"{ROLES}/{ref}", "role-made", partial(_new, request, form))


@get(ROLE, opt=needs(READ))
async def role(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _role(request)


async def _role(request: AnyRequest, typed: RoleForm | None = None, problem: Problem | None = None) -> Response[bytes]:
    desk, after = await open_desk(request), request.query_params.get("after", "")
    view = await desk.ports.role(desk.who, part(request, "ref"), after=after, limit=PAGE)
    row = view.row
    saved = RoleForm(row.name, row.text, _on(view), view.version)
    form = typed or saved
    conflict = isinstance(problem, Conflict) and problem.code == "role_changed"
    own = row.own and desk.viewer.may(MANAGE)
    return desk.page(
        "pages/role.html",
        here="access",
        crumbs=(CRUMB, Crumb(row.label)),
        problem=problem,
        view=view if typed is None else replace(view, groups=await desk.ports.permitted(desk.who, form.permissions)),
        families=FAMILIES,
        editable=own,
        changed=_differences(saved, form) if conflict else (),
        fields=_fields(form, problem),
        pages=Pages(
            older=f"{row.href}?{urlencode({'after': view.following})}" if view.following else None,
            newer=row.href if after else None,
        ),
        command=commands.role(form, row) if own else commands.show_role(row),
    )


def _on(view: RoleView) -> frozenset[str]:
    return frozenset(one.key for group in view.groups for one in group.permissions if one.on)


def _differences(saved: RoleForm, typed: RoleForm) -> tuple[tuple[str, str, str], ...]:
    """(what, as it stands, as it was typed) of what differs."""
    rows = [
        (label, now, mine)
        for label, now, mine in (("Name", saved.name, typed.name), ("What it is for", saved.text, typed.text))
        if now != mine
    ]
    for label, some, yes, no in (
        ("Only yours permit", typed.permissions - saved.permissions, "no", "yes"),
        ("Only the saved permit", saved.permissions - typed.permissions, "yes", "no"),
    ):
        if some:
            names = f"{counted(len(some), 'permission')}: {several(sorted(some))}"
            rows.append((f"{label} {names}", yes, no))
    return tuple(rows)


@post(ROLE, opt=needs(MANAGE))
async def change(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref, form = await open_desk(request), part(request, "ref"), _typed(await read_form(request))
    deed = desk.ports.change_role(desk.who, ref, form)
    return await act(deed, f"{ROLES}/{ref}", "role-saved", partial(_role, request, form))


@get(ROLE + "/delete", opt=needs(MANAGE))
async def ask_delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _deletion(request)


async def _deletion(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    row = (await desk.ports.role(desk.who, part(request, "ref"), after="", limit=1)).row
    blocked = ""
    if not row.own:
        blocked = f"The role {row.name} is built in. Make a role of your own and change that."
    elif row.people:
        blocked = f"The role {row.name} is held by {counted(row.people, 'person', 'people')}. Take it from them first."
    return ask(
        desk,
        here="access",
        crumbs=(CRUMB, Crumb(row.label, row.href), Crumb("Delete")),
        failed=failed,
        title=f"Delete the role {row.name}?",
        texts=("What it permits is not kept. Nobody loses anything by it, since nobody has it.",),
        action=f"{row.href}/delete",
        back=row.href,
        keep="Keep it",
        button="Delete role",
        danger=True,
        must_equal="" if blocked else row.name,
        blocked=blocked,
        command=commands.delete_role(row),
    )


@post(ROLE + "/delete", opt=needs(MANAGE))
async def delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.delete_role(desk.who, part(request, "ref"), form.get("confirmation", ""))
    return await act(deed, ROLES, "role-deleted", partial(_deletion, request))


@get("/access/why", opt=needs(READ))
async def why(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Whether somebody may do something, and by which role: `?person=`, `?permission=` and, within the organization,
    `?where=`.
    """
    desk, query = await open_desk(request), request.query_params
    names = ("person", "permission", "where")
    person, permission, where = (query.get(name, "").strip()[:320].replace("\x00", "") for name in names)
    answer: WhyView | None = None
    problem: Problem | None = None
    if person and permission:
        try:
            answer = await desk.ports.why(desk.who, person, permission, where)
        except Problem as refused:
            problem = refused
    code = problem.code if problem else ""
    groups = await desk.ports.permitted(desk.who, frozenset())
    return desk.page(
        "pages/why.html",
        here="access",
        crumbs=(Crumb("Ask why"),),
        status=status_of(problem) if problem else 200,
        fields=(
            Field("person", "May", person, required=True, placeholder="Username or e-mail",
                  error=problem.message if problem and code == "user_not_found" else "",
                  attributes={"list": "people", "autocomplete": "off", "autocapitalize": "none"}),
            Field("permission", "do this", permission, required=True, placeholder="deploy:deployments.create",
                  error=problem.message if problem and code == "permission_unknown" else "",
                  attributes={"list": "permissions", "autocomplete": "off", "autocapitalize": "none",
                              "spellcheck": "false"}),
            Field("where", "Where", where, placeholder="Everywhere",
                  hint="The id of a project, environment, server, resource or deployment, or environment=prod.",
                  error=problem.message if problem and code not in {"user_not_found", "permission_unknown"} else "",
                  attributes={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        ),
        people=(await desk.ports.members(desk.who, words="", after="", limit=FEW)).rows,
        groups=groups,
        answer=answer,
        where=where,
        command=commands.why(person, permission, where),
    )  # fmt: skip


HANDLERS: tuple[Any, ...] = (roles, new, create, role, change, ask_delete, delete, why)
