"""Finding what a person means: `project/environment/resource`, a slug that is unique, or an id."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.kernel.text import several

Row = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """A resource with where it is."""

    resource: Row
    project: Row
    environment: Row

    @property
    def id(self) -> str:
        return str(self.resource["id"])

    @property
    def path(self) -> str:
        return f"{self.project['slug']}/{self.environment['name']}/{self.resource['slug']}"


def same(row: Row, text: str) -> bool:
    """Whether a row goes by this id, slug or name."""
    return text == row["id"] or text.lower() in {str(row.get("slug", "")).lower(), str(row["name"]).lower()}


def counted(number: int, noun: str) -> str:
    """`1 resource`, `3 resources`."""
    return f"{number} {noun if number == 1 else noun + 's'}"


def pick(rows: list[Row], text: str) -> Row | None:
    """The row meant: an id wins over a slug, a slug over a name, and each over one in other capitals. None when there
    is none. Raises `Failure` where two are meant equally.
    """
    for key in ("id", "slug", "name"):
        found = [row for row in rows if row.get(key) == text]
        if found:
            break
    else:
        found = [row for row in rows if same(row, text)]
    if len(found) > 1:
        raise Failure(
            f"{text} is the name of {len(found)}: {', '.join(str(row['id']) for row in found[:5])}.",
            exit=Exit.USAGE,
            code="name_ambiguous",
            hint=f"Use the id, such as {found[0]['id']}.",
        )
    return found[0] if found else None


def missing(what: str, text: str, known: list[str], hint: str) -> Failure:
    close = difflib.get_close_matches(text, known, n=1)
    meant = f" Did you mean {close[0]}?" if close else ""
    return Failure(f"There is no {what} {text}.{meant}", exit=Exit.NOT_FOUND, code="not_found", hint=hint)


def everything(api: Api) -> list[Found]:
    """All resources with their projects and environments."""
    projects = {row["id"]: row for row in api.items("projects.list")}
    environments = {row["id"]: row for row in api.items("environments.list")}
    return [
        Found(row, projects[row["projectId"]], environments[row["environmentId"]])
        for row in api.items("resources.list")
        if row["projectId"] in projects and row["environmentId"] in environments
    ]


def resource(api: Api, text: str | None) -> Found:
    """The one resource meant. Without a text: the only one there is. Raises `Failure` with near names."""
    known = everything(api)
    paths = [found.path for found in known]
    if text is None:
        if len(known) == 1:
            return known[0]
        raise Failure(
            f"Say which resource: {several(paths)}." if known else "There is no resource yet.",
            exit=Exit.USAGE if known else Exit.NOT_FOUND,
            code="resource_required",
            hint="qd ls   lists them; the short name is enough where it is unique" if known else "qd deploy ./folder",
        )
    parts = text.strip("/").split("/")
    if len(parts) == 1:
        matches = [found for found in known if found.id == text or found.resource["slug"] == text]
        matches = matches or [found for found in known if same(found.resource, text)]
    elif len(parts) == 2:
        matches = [f for f in known if same(f.project, parts[0]) and same(f.resource, parts[1])]
    else:
        matches = [
            f
            for f in known
            if same(f.project, parts[0]) and same(f.environment, parts[1]) and same(f.resource, "/".join(parts[2:]))
        ]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise missing("resource", text, [*paths, *(str(f.resource["slug"]) for f in known)], "qd ls")
    raise Failure(
        f"{text} is the name of {len(matches)} resources: {', '.join(f.path for f in matches[:5])}.",
        exit=Exit.USAGE,
        code="resource_ambiguous",
        hint=f"Write it whole, such as {matches[0].path}.",
    )


def project(api: Api, text: str) -> Row:
    """The project that goes by this short name, name or id."""
    rows = api.items("projects.list")
    found = pick(rows, text)
    if found is None:
        raise missing("project", text, [str(row["slug"]) for row in rows], "qd ls projects")
    return found


def environment(api: Api, text: str) -> Row:
    """The environment that is written project/environment, or goes by this id, or by a name that only one has."""
    projects = {row["id"]: row for row in api.items("projects.list")}
    rows = [row for row in api.items("environments.list") if row["projectId"] in projects]
    paths = [f"{projects[row['projectId']]['slug']}/{row['name']}" for row in rows]
    owner, slash, own = text.strip("/").partition("/")
    if slash:
        matches = [row for row in rows if same(projects[row["projectId"]], owner) and same(row, own)]
    else:
        matches = [row for row in rows if row["id"] == text] or [row for row in rows if same(row, text)]
    if not matches:
        raise missing("environment", text, paths, "qd ls environments")
    if len(matches) > 1:
        known = [path for path, row in zip(paths, rows, strict=True) if row in matches]
        raise Failure(
            f"{text} is the name of {len(matches)} environments: {', '.join(known[:5])}.",
            exit=Exit.USAGE,
            code="environment_ambiguous",
            hint=f"Write it whole, such as {known[0]}.",
        )
    return matches[0]


def server(api: Api, text: str) -> Row:
    """The server that goes by this name, id, or address (as messages of deployments call it)."""
    rows = api.items("servers.list")
    found = pick(rows, text) or _at(rows, text)
    if found is None:
        raise missing("server", text, [str(row["name"]) for row in rows], "qd server ls")
    return found


def credential(api: Api, text: str) -> Row:
    """The SSH credential that goes by this name or id."""
    rows = api.items("credentials.list-ssh")
    found = pick(rows, text)
    if found is None:
        raise missing("credential", text, [str(row["name"]) for row in rows], "qd credential ls")
    return found


def url_of(shown: Row) -> str | None:
    """Where a resource answers: its own domain, else what was routed last, else what is planned."""
    summary = shown.get("accessSummary") or (shown.get("resource") or {}).get("accessSummary") or {}
    for key in (
        "latestDurableDomainRoute",
        "latestServerAppliedDomainRoute",
        "latestGeneratedAccessRoute",
        "plannedGeneratedAccessRoute",
    ):
        url = (summary.get(key) or {}).get("url")
        if url:
            return str(url)
    return None


def _at(rows: list[Row], address: str) -> Row | None:
    """The one server at this address, or with its port; `Failure` where there are several."""
    found = [row for row in rows if address in {row.get("host"), f"{row.get('host')}:{row.get('port')}"}]
    if len(found) > 1:
        raise Failure(
            f"{len(found)} servers have the address {address}: {', '.join(str(row['name']) for row in found[:5])}.",
            exit=Exit.USAGE,
            code="name_ambiguous",
            hint="Use the name or the id: qd server ls",
        )
    return found[0] if found else None
