"""Finding the requests, projects, connections, agents and workflows that a person means."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quarterdeck.cli import names
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.names import Row
from quarterdeck.cli.secret_options import Target
from quarterdeck.cli.session import Session

IDENTITY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
BEGINNING = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{3,35}")
PAGE, MANY = 1000, 10_000


def pages(api: Api, key: str) -> list[Row]:
    """A whole list that goes on behind the id `after`."""
    found: list[Row] = []
    after = None
    while True:
        page: list[Row] = api.read(key, {"limit": PAGE, "after": after})
        found += page
        if len(page) < PAGE or len(found) >= MANY:
            return found
        after = page[-1]["id"]


def request(opened: Session, text: str) -> str:
    """The id of the request that is meant, written whole or as much of it as is unique among those that one may see.
    Raises `Failure`.
    """
    if IDENTITY.fullmatch(text):
        return text.lower()
    if not BEGINNING.fullmatch(text):
        raise usage(f"{text} is not the id of a request.", "qd secret request list", code="request_id")
    rows: list[Row] = opened.api.read("secret-requests.list")
    return str(_beginning("request", rows, text, "qd secret request list")["id"])


def _beginning(noun: str, rows: Sequence[Row], text: str, hint: str) -> Row:
    matches = [row for row in rows if str(row["id"]).startswith(text.lower())]
    if not matches:
        raise Failure(f"There is no {noun} {text}.", exit=Exit.NOT_FOUND, code="not_found", hint=hint)
    if len(matches) > 1:
        told = ", ".join(str(row["id"]) for row in matches[:5])
        raise usage(f"{text} begins the ids of {len(matches)}: {told}.", "Write more of it.", code="id_ambiguous")
    return matches[0]


def _one(noun: str, rows: list[Row], text: str, hint: str) -> Row:
    found = names.pick(rows, text)
    if found is None and BEGINNING.fullmatch(text) and any(str(row["id"]).startswith(text.lower()) for row in rows):
        found = _beginning(noun, rows, text, hint)
    if found is None:
        raise names.missing(noun, text, [str(row["name"]) for row in rows], hint)
    return found


def project(opened: Session, text: str) -> Row:
    """The project that goes by this name, id or beginning of an id. Raises `Failure`."""
    return _one("project", pages(opened.api, "secret-projects.list"), text, "qd secret project list")


def projects(opened: Session, rows: Sequence[Row]) -> dict[str, str]:
    """Names by ids, asked for where one of the rows is for a project."""
    if not any(row.get("project_id") for row in rows):
        return {}
    return {str(one["id"]): str(one["name"]) for one in pages(opened.api, "secret-projects.list")}


def connection(opened: Session, text: str) -> Row:
    rows: list[Row] = opened.api.read("secret-connections.list")
    return _one("connection", rows, text, "qd secret connection list")


def agent(opened: Session, text: str) -> Row:
    """Those that live win over the revoked of the same name."""
    rows: list[Row] = opened.api.read("secret-agents.list")
    living = [row for row in rows if row["status"] != "revoked"]
    if names.pick(living, text) is not None:
        rows = living
    return _one("agent", rows, text, "qd secret agent list")


def workflow(opened: Session, text: str) -> Row:
    return _one("workflow", pages(opened.api, "secret-workflows.list"), text, "qd secret workflow list")


def asked(opened: Session, ref: str, target: Target) -> Row:
    """What every request says, from the options. Raises `Failure`."""
    provider = target.provider
    if provider is None:
        if target.connection is None:
            raise usage("Say where it is kept.", "--provider vault, or --connection NAME   (qd secret connection list)")
        provider = connection(opened, target.connection)["provider_type"]
    body: Row = {"target_provider_type": provider, "target_secret_ref": ref}
    if target.connection is not None:
        body["target_provider_config"] = {"connection": target.connection}
    if target.project is not None:
        body["project_id"] = project(opened, target.project)["id"]
    if target.environment is not None:
        body["environment"] = target.environment
    if target.why is not None:
        body["justification"] = target.why
    if target.emergency:
        body["emergency"] = True
        opened.terminal.confirm("Go ahead without approval? Everybody who may approve is told at once.")
    return body
