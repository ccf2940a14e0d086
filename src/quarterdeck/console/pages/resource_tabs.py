"""The tabs of a resource beside its overview and its deployments: logs, variables, settings."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.response import Stream

from quarterdeck.console import commands, words
from quarterdeck.console.desk import AnyRequest, open_desk, place_of, read_form
from quarterdeck.console.pages.kept_logs import show_logs
from quarterdeck.console.pages.plain_logs import plain
from quarterdeck.console.pages.projects import variable_fields
from quarterdeck.console.pages.questions import ask, ask_remove_variable, typed_conflict
from quarterdeck.console.pages.resource import BASE, crumbs_of, tab_page
from quarterdeck.console.pages.settings_forms import FORMS, build_forms, build_servers, deploy_keys
from quarterdeck.console.permissions import needs
from quarterdeck.console.ports import Place
from quarterdeck.console.render import see
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post


@get(BASE + "/logs", opt=needs("deploy:resources.runtime-logs"))
async def logs(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await show_logs(request, place_of(request))


@get(BASE + "/logs/raw", opt=needs("deploy:resources.runtime-logs"))
async def raw_logs(request: Request[Any, Any, Any]) -> Stream:
    desk = await open_desk(request)
    pages = await desk.ports.whole_runtime_log(desk.who, place_of(request))
    return plain(desk, pages, lambda line: f"{words.machine(line.at)} {line.text}")


@get(BASE + "/variables", opt=needs("deploy:resources.effective-config"))
async def variables(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _variables(request, place_of(request))


async def _variables(
    request: AnyRequest, place: Place, problem: Problem | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    head = await desk.ports.resource_head(desk.who, place)
    rows = await desk.ports.variables(desk.who, place)
    return tab_page(
        desk,
        "pages/variables.html",
        head,
        "/variables",
        problem,
        rows=rows,
        scope="resource",
        action=f"{head.href}/variables",
        frozen="" if head.lifecycle == "active" else f"{head.name} is {head.lifecycle}: its variables stand still.",
        fields=variable_fields(typed or {}),
        command=commands.set_variable(head),
        importing=import_fields(typed or {}),
        import_command=commands.import_variables(head),
    )


def import_fields(typed: dict[str, str]) -> tuple[Field, ...]:
    """The form that takes a `.env` file over. Its text is asked for again after a refusal: it may hold secrets."""
    return (
        Field("content", "Lines of the file", kind="area", required=True, full=True, placeholder="KEY=value"),
        Field(
            "seal",
            "Seal also",
            typed.get("seal", ""),
            hint="Keys, with spaces between them. Names such as API_TOKEN or DB_PASSWORD are sealed by themselves.",
        ),
        Field("plain", "Do not seal", typed.get("plain", ""), hint="Keys whose names look secret and are not."),
        Field(
            "exposure",
            "Where they are seen",
            typed.get("exposure", "runtime"),
            kind="select",
            choices=(("runtime", "When it runs"), ("build-time", "While it is built")),
            required=True,
        ),
    )


@post(BASE + "/variables/import", opt=needs("deploy:resources.import-variables"))
async def import_variables(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, place = await open_desk(request), await read_form(request), place_of(request)
    try:
        await desk.ports.import_variables(
            desk.who,
            place,
            content=form.get("content", ""),
            exposure=form.get("exposure", "runtime"),
            secret=form.get("seal", ""),
            plain=form.get("plain", ""),
        )
    except Problem as problem:
        return await _variables(request, place, problem, form)
    return see(f"{place.href}/variables", "variables-imported")


@post(BASE + "/variables", opt=needs("deploy:resources.set-variable"))
async def set_variable(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, place = await open_desk(request), await read_form(request), place_of(request)
    removing, exposure = form.get("remove"), form.get("exposure", "runtime")
    try:
        if removing:
            await desk.ports.unset_variable(desk.who, place, key=removing, exposure=exposure)
        else:
            await desk.ports.set_variable(
                desk.who,
                place,
                key=form.get("key", ""),
                value=form.get("value", ""),
                exposure=exposure,
                secret=form.get("secret") == "yes",
            )
    except Problem as problem:
        return await _variables(request, place, problem, form)
    return see(
        f"{place_of(request).href}/variables",
        "variable-unset" if removing else "variable-set",
    )


@get(BASE + "/variables/remove", opt=needs("deploy:resources.unset-variable"))
async def ask_remove(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    head = await desk.ports.resource_head(desk.who, place_of(request))
    key = request.query_params.get("key", "KEY")[:200]
    return ask_remove_variable(
        desk,
        crumbs=crumbs_of(head, Crumb("Variables", f"{head.href}/variables"), Crumb("Remove")),
        of=f"{head.project_name} / {head.name}",
        action=f"{head.href}/variables",
        back=f"{head.href}/variables",
        command=commands.unset_variable(head, key),
    )


@get(BASE + "/settings", opt=needs("deploy:resources.show"))
async def settings(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _settings(request, place_of(request))


async def _settings(
    request: AnyRequest, place: Place, problem: Problem | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    head = await desk.ports.resource_head(desk.who, place)
    saved = await desk.ports.settings(desk.who, place)
    form = (typed or {}).get("form", "")
    chosen = typed if typed and form == "source" else saved.values.get("source", {})
    choices = {
        "sshCredentialId": await deploy_keys(desk, chosen.get("sshCredentialId", "")),
        "buildServerId": await build_servers(desk, chosen.get("buildServerId", "")),
    }
    return tab_page(
        desk,
        "pages/settings.html",
        head,
        "/settings",
        problem,
        forms=build_forms(head, saved, form, typed or {}, problem, choices),
        changed=typed_conflict(problem, typed or {}, saved.values.get(form, {})),
        changed_form=form,
        version=saved.version,
        blockers=saved.delete_blockers,
    )


@post(BASE + "/settings", opt=needs("deploy:resources.configure-runtime"))
async def change_settings(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, typed, place = await open_desk(request), await read_form(request), place_of(request)
    name = typed.get("form", "")
    try:
        if name not in FORMS:
            raise Invalid(f"There is no settings form {name!r}.", hint="Reload the page and try again.")
        values = {field: typed.get(field, "") for field in FORMS[name].fields}
        await desk.ports.change_settings(desk.who, place, name, values, typed.get("version", ""))
    except Problem as problem:
        return await _settings(request, place, problem, typed)
    return see(f"{place.href}/settings", "saved")


@get(BASE + "/archive", opt=needs("deploy:resources.archive"))
async def ask_archive(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    head = await desk.ports.resource_head(desk.who, place_of(request))
    return ask(
        desk,
        crumbs=crumbs_of(head, Crumb("Archive")),
        title=f"Archive {head.project_name} / {head.name}?",
        texts=(
            "What runs keeps running until it is stopped; it cannot be started, deployed or changed any more.",
            "This is final, and its name stays taken until it is deleted.",
            "It can be deleted once it is stopped and its deployments are archived and pruned.",
        ),
        action=f"{head.href}/archive",
        back=f"{head.href}/settings",
        keep="Keep it",
        button="Archive resource",
        danger=True,
        command=commands.archive(head),
    )


@post(BASE + "/archive", opt=needs("deploy:resources.archive"))
async def archive(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place = await open_desk(request), place_of(request)
    try:
        await desk.ports.archive_resource(desk.who, place)
    except Problem as problem:
        return await _settings(request, place, problem)
    return see(f"{place.href}/settings", "resource-archived")


@get(BASE + "/delete", opt=needs("deploy:resources.delete"))
async def ask_delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _ask_delete(request, place_of(request))


async def _ask_delete(request: AnyRequest, place: Place, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    head = await desk.ports.resource_head(desk.who, place)
    saved = await desk.ports.settings(desk.who, place)
    return ask(
        desk,
        failed=failed,
        crumbs=crumbs_of(head, Crumb("Delete")),
        title=f"Delete {head.project_name} / {head.name}?",
        texts=("Its settings and variables are lost. This cannot be undone.",),
        action=f"{head.href}/delete",
        back=f"{head.href}/settings",
        keep="Keep it",
        button=f"Delete {head.name}",
        danger=True,
        must_equal=head.slug,
        blocked=f"Stands in the way: {'; '.join(saved.delete_blockers)}." if saved.delete_blockers else "",
        command=commands.delete(head),
    )


@post(BASE + "/delete", opt=needs("deploy:resources.delete"))
async def delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, place = await open_desk(request), await read_form(request), place_of(request)
    try:
        await desk.ports.delete_resource(desk.who, place, form.get("confirmation", ""))
    except Problem as problem:
        return await _ask_delete(request, place, problem)
    return see(f"/console/projects/{place.project}/{place.environment}", "resource-deleted")
