"""One page, three sections: where the source is, what was found there and why, and what Deploy would do."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, open_desk, read_form
from quarterdeck.console.pages.settings_forms import build_servers, deploy_keys
from quarterdeck.console.permissions import needs
from quarterdeck.console.ports import SourceChoice
from quarterdeck.console.render import see
from quarterdeck.console.views.projects import Choice
from quarterdeck.console.views.resources import Inspection
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post

KINDS = (
    ("git", "Git repository"),
    ("folder", "Folder on this host"),
    ("archive", "ZIP file"),
    ("image", "Container image"),
    ("dockerfile", "Dockerfile, pasted here"),
)
STRATEGIES = (
    ("auto", "Find out"),
    ("dockerfile", "Its own Dockerfile"),
    ("docker-compose", "Its Compose file"),
    ("workspace-commands", "The commands below"),
    ("static", "Static files"),
    ("prebuilt-image", "The image as it is"),
)


SOURCE = frozenset({"kind", "locator", "branch", "directory", "key"})


def choice_from(values: Any) -> SourceChoice:
    known = {item.name for item in fields(SourceChoice)}
    given = {name: str(value).strip() for name, value in values.items() if name in known}
    if given.get("kind") == "dockerfile" and values.get("dockerfile"):
        given["locator"] = str(values["dockerfile"]).strip()
    return SourceChoice(**{"kind": "git", "locator": "", **given})


def tellable(choice: SourceChoice) -> bool:
    """Whether a source may become part of an address, which browsers and proxies keep: a pasted file has no place
    there, and what stands before the host of a repository's address may be a token.
    """
    host = choice.locator.partition("://")[2].partition("/")[0]
    return choice.kind != "dockerfile" and not (choice.kind == "git" and "@" in host)


@get("/projects/new", opt=needs("deploy:deployments.create"))
async def new(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The form; with a source in the address, also what was found in it."""
    choice = choice_from(dict(request.query_params))
    if not choice.locator:
        return await _show(request, choice, None)
    desk = await open_desk(request)
    try:
        found = await desk.ports.inspect(desk.who, choice)
    except Problem as problem:
        return await _show(request, choice, None, problem)
    return await _show(request, choice, found)


@post("/projects/new", opt=needs("deploy:deployments.create"))
async def deploy(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Makes what is missing and starts the first deployment; leads to the page where it is seen."""
    desk, form = await open_desk(request), await read_form(request)
    choice = choice_from(form)
    if form.get("look"):
        return await _look(request, choice)
    try:
        if form.get("unready"):  # something was missing when it was shown: it is planned again with what is there now
            found = await desk.ports.inspect(desk.who, choice)
            if not found.ready:
                return await _show(request, choice, found)
        place, number = await desk.ports.deploy_source(desk.who, choice)
    except Problem as problem:
        return await _show(request, choice, None, problem)
    address = f"/console/projects/{place.project}/{place.environment}/{place.resource}/deployments/{number}"
    return see(address, "deploying")


async def _look(request: AnyRequest, choice: SourceChoice) -> Response[bytes]:
    """What was asked for becomes part of the address, unless that is no place for it."""
    desk = await open_desk(request)
    if not choice.locator:
        field = "dockerfile" if choice.kind == "dockerfile" else "locator"
        missing = Invalid("No source is given.", hint="Say where it is.", field=field)
        return await _show(request, choice, None, missing)
    if tellable(choice):
        return see(
            "/console/projects/new?" + urlencode({name: value for name, value in asdict(choice).items() if value})
        )
    try:
        found = await desk.ports.inspect(desk.who, choice)
    except Problem as problem:
        return await _show(request, choice, None, problem)
    return await _show(request, choice, found)


async def _show(
    request: AnyRequest, choice: SourceChoice, found: Inspection | None, problem: Problem | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    servers = await desk.ports.servers(desk.who)
    keys = await deploy_keys(desk, choice.key)
    wrong = str(problem.details.get("field", "")) if problem else ""
    return desk.page(
        "pages/new_project.html",
        here="projects",
        crumbs=(Crumb("Projects", "/console/projects"), Crumb("New")),
        problem=problem,
        choice=choice,
        found=found,
        source_fields=_source_fields(choice, keys, wrong, problem),
        plan_fields=_plan_fields(choice, servers, await build_servers(desk, choice.builder)),
        source={name: value for name, value in asdict(choice).items() if name in SOURCE},
        planned={name: value for name, value in asdict(choice).items() if name not in SOURCE},
        command=commands.deploy(choice),
    )


def _source_fields(
    choice: SourceChoice, keys: tuple[tuple[str, str], ...], wrong: str, problem: Problem | None
) -> tuple[Field, ...]:
    def error(name: str) -> str:
        return problem.message if problem and wrong == name else ""

    return (
        Field("kind", "Kind", choice.kind, kind="select", choices=KINDS, required=True),
        Field(
            "locator",
            "Where it is",
            "" if choice.kind == "dockerfile" else choice.locator,
            required=True,
            hint="Such as https://git.example.com/team/shop.git, the path of a folder or ZIP file, or an image name.",
            error=error("locator") if choice.kind != "dockerfile" else "",
            full=True,
        ),
        Field(
            "dockerfile",
            "The Dockerfile",
            choice.locator if choice.kind == "dockerfile" else "",
            kind="area",
            required=True,
            error=error("dockerfile") or (error("locator") if choice.kind == "dockerfile" else ""),
            full=True,
        ),
        Field(
            "branch",
            "Branch, tag or commit",
            choice.branch,
            error=error("branch"),
            hint="The default branch if left empty.",
        ),
        Field(
            "directory",
            "Directory inside it",
            choice.directory,
            placeholder="apps/web",
            error=error("directory"),
        ),
        Field(
            "key",
            "Deploy key",
            choice.key,
            kind="select",
            choices=keys,
            error=error("key"),
            hint="For a private repository with an SSH address. Keys are stored under Fleet, SSH keys.",
        ),
    )


def _plan_fields(
    choice: SourceChoice, servers: tuple[Choice, ...], builders: tuple[tuple[str, str], ...]
) -> tuple[Field, ...]:
    return (
        Field("name", "Name", choice.name, hint="From the source if left empty."),
        Field("project", "Project", choice.project, hint="Made if there is none of this name."),
        Field("environment", "Environment", choice.environment or "production", required=True),
        Field(
            "server",
            "Server",
            choice.server,
            kind="select",
            choices=tuple((one.value, one.label) for one in servers) or (("", "This host"),),
            required=bool(servers),
        ),
        Field("builder", "Images are built on", choice.builder, kind="select", choices=builders),
        Field("strategy", "How it is built", choice.strategy, kind="select", choices=STRATEGIES, required=True),
        Field(
            "port",
            "Port it listens on",
            choice.port,
            hint="Passed to it as PORT.",
            attributes={"inputmode": "numeric", "pattern": "[0-9]{1,5}"},
        ),
        Field("build_command", "Build command", choice.build_command),
        Field("start_command", "Start command", choice.start_command),
    )
