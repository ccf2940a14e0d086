"""Projects and their environments."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form
from quarterdeck.console.pages.questions import ask, ask_remove_variable, typed_conflict
from quarterdeck.console.permissions import needs
from quarterdeck.console.render import see
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

KINDS = tuple((kind, kind.capitalize()) for kind in ("production", "staging", "test", "development", "custom"))
PROJECTS = Crumb("Projects", "/console/projects")


@get("/projects", opt=needs("deploy:projects.list"))
async def projects(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    rows = await desk.ports.projects(desk.who)
    return desk.page("pages/projects.html", here="projects", crumbs=(PROJECTS,), topics="home", rows=rows)


@get("/projects/{project:str}", opt=needs("deploy:projects.show"))
async def project(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    return await _show(request, project)


async def _show(
    request: AnyRequest, slug: str, problem: Problem | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.project(desk.who, slug)
    typed = typed or {}
    return desk.page(
        "pages/project.html",
        here="projects",
        crumbs=(PROJECTS, Crumb(view.name)),
        topics=f"project:{slug}",
        problem=problem,
        view=view,
        fields=(
            Field("name", "Name", typed.get("name", view.name), required=True),
            Field("description", "Description", typed.get("description", view.description)),
        ),
        environment_fields=(
            Field("name", "Name", typed.get("environment", ""), required=True, placeholder="staging"),
            Field("kind", "Kind", "staging", kind="select", choices=KINDS, required=True),
        ),
        version=view.version,
        create_command=commands.create_environment(view),
        rename_command=commands.rename_project(view),
        changed=typed_conflict(problem, typed, {"name": view.name, "description": view.description}),
    )


@post("/projects/{project:str}", opt=needs("deploy:projects.rename"))
async def change_project(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    desk, form = await open_desk(request), await read_form(request)
    return await act(
        desk.ports.change_project(
            desk.who,
            project,
            name=form.get("name", ""),
            description=form.get("description", ""),
            version=form.get("version", ""),
        ),
        lambda slug: f"/console/projects/{slug}",
        "saved",
        lambda problem: _show(request, project, problem, form),
    )


@post("/projects/{project:str}/-/environments", opt=needs("deploy:environments.create"))
async def create_environment(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    desk, form = await open_desk(request), await read_form(request)
    return await act(
        desk.ports.create_environment(desk.who, project, name=form.get("name", ""), kind=form.get("kind", "")),
        lambda slug: f"/console/projects/{project}/{slug}",
        "environment-created",
        lambda problem: _show(request, project, problem, {"environment": form.get("name", "")}),
    )


@get("/projects/{project:str}/-/archive", opt=needs("deploy:projects.archive"))
async def ask_archive(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    desk = await open_desk(request)
    view = await desk.ports.project(desk.who, project)
    return ask(
        desk,
        crumbs=(PROJECTS, Crumb(view.name, view.href), Crumb("Archive")),
        title=f"Archive {view.name}?",
        texts=("What runs keeps running. Nothing new can be deployed to it until it is restored.",),
        action=f"{view.href}/-/archive",
        back=view.href,
        keep="Keep it",
        button="Archive project",
        command=commands.archive_project(view),
    )


async def _acted(request: AnyRequest, deed: Awaitable[None], flash: str) -> Response[bytes]:
    project = part(request, "project")
    return await act(deed, f"/console/projects/{project}", flash, partial(_show, request, project))


@post("/projects/{project:str}/-/archive", opt=needs("deploy:projects.archive"))
async def archive(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    desk = await open_desk(request)
    return await _acted(request, desk.ports.archive_project(desk.who, project), "project-archived")


@post("/projects/{project:str}/-/restore", opt=needs("deploy:projects.restore"))
async def restore(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    desk = await open_desk(request)
    return await _acted(request, desk.ports.restore_project(desk.who, project), "project-restored")


@get("/projects/{project:str}/-/delete", opt=needs("deploy:projects.delete"))
async def ask_delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _ask_delete(request, part(request, "project"))


async def _ask_delete(request: AnyRequest, slug: str, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.project(desk.who, slug)
    standing = await desk.ports.project_blockers(desk.who, slug)
    return ask(
        desk,
        failed=failed,
        crumbs=(PROJECTS, Crumb(view.name, view.href), Crumb("Delete")),
        title=f"Delete {view.name}?",
        texts=("Its name and description are lost. This cannot be undone.",),
        action=f"{view.href}/-/delete",
        back=view.href,
        keep="Keep it",
        button=f"Delete {view.name}",
        danger=True,
        must_equal=view.slug,
        blocked=f"Stands in the way: {', '.join(standing)}." if standing else "",
        command=commands.delete_project(view),
    )


@post("/projects/{project:str}/-/delete", opt=needs("deploy:projects.delete"))
async def delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.delete_project(desk.who, project, form.get("confirmation", ""))
    return await act(deed, "/console/projects", "project-deleted", partial(_ask_delete, request, project))


@get("/projects/{project:str}/{environment:str}", opt=needs("deploy:environments.show"))
async def environment(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    environment = part(request, "environment")
    return await _show_environment(request, project, environment)


async def _show_environment(
    request: AnyRequest,
    project: str,
    environment: str,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.environment(desk.who, project, environment)
    rows = await desk.ports.environment_variables(desk.who, project, environment)
    return desk.page(
        "pages/environment.html",
        here="projects",
        crumbs=(PROJECTS, Crumb(project, f"/console/projects/{project}"), Crumb(view.name)),
        topics=f"project:{project}",
        problem=problem,
        view=view,
        rows=rows,
        scope="environment",
        action=f"{view.href}/-/variables",
        frozen="" if view.lifecycle == "active" else f"{view.name} is {view.lifecycle}: its variables stand still.",
        fields=variable_fields(typed or {}),
        command=commands.set_environment_variable(view),
    )


def variable_fields(typed: dict[str, str]) -> tuple[Field, ...]:
    """The form that sets a variable. A secret that was typed is asked for again, never sent back."""
    secret = typed.get("secret") == "yes"
    return (
        Field(
            "key",
            "Key",
            typed.get("key", ""),
            required=True,
            placeholder="DATABASE_URL",
            attributes={"pattern": "[A-Za-z_][A-Za-z0-9_]*", "autocapitalize": "none", "spellcheck": "false"},
        ),
        Field(
            "exposure",
            "Where it is seen",
            typed.get("exposure", "runtime"),
            kind="select",
            choices=(("runtime", "When it runs"), ("build-time", "While it is built")),
            hint="Names seen by the build start with PUBLIC_ or VITE_ and are never secret.",
            required=True,
        ),
        Field("value", "Value", "" if secret else typed.get("value", ""), kind="area", full=True),
        Field(
            "secret",
            "Secret: sealed when saved, shown to nobody again",
            typed.get("secret", ""),
            kind="check",
            full=True,
        ),
    )


@get("/projects/{project:str}/{environment:str}/-/variables/remove", opt=needs("deploy:environments.unset-variable"))
async def ask_remove(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    environment = part(request, "environment")
    desk = await open_desk(request)
    view = await desk.ports.environment(desk.who, project, environment)
    key = request.query_params.get("key", "KEY")[:200]
    return ask_remove_variable(
        desk,
        crumbs=(PROJECTS, Crumb(project, f"/console/projects/{project}"), Crumb(view.name, view.href), Crumb("Remove")),
        of=f"{project} / {view.name}",
        action=f"{view.href}/-/variables",
        back=view.href,
        command=commands.unset_environment_variable(view, key),
    )


@post("/projects/{project:str}/{environment:str}/-/variables", opt=needs("deploy:environments.set-variable"))
async def set_environment_variable(request: Request[Any, Any, Any]) -> Response[bytes]:
    project = part(request, "project")
    environment = part(request, "environment")
    desk, form = await open_desk(request), await read_form(request)
    removing = form.get("remove")
    try:
        if removing:
            await desk.ports.unset_variable(
                desk.who, (project, environment), key=removing, exposure=form.get("exposure", "runtime")
            )
        else:
            await desk.ports.set_variable(
                desk.who,
                (project, environment),
                key=form.get("key", ""),
                value=form.get("value", ""),
                exposure=form.get("exposure", "runtime"),
                secret=form.get("secret") == "yes",
            )
    except Problem as problem:
        return await _show_environment(request, project, environment, problem, form)
    return see(f"/console/projects/{project}/{environment}", "variable-unset" if removing else "variable-set")
