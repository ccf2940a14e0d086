"""`qd logs`: what an application says, and what its deployments said."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter, validators

from quarterdeck.cli import events, names
from quarterdeck.cli.following import status_of
from quarterdeck.cli.names import Found
from quarterdeck.cli.options import Common
from quarterdeck.cli.serving import numbered
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.states import ACTIVE
from quarterdeck.cli.terminal import clean

PAUSE = 1.0


def logs(
    resource: str | None = None,
    /,
    *,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"])] = False,
    tail: Annotated[int, Parameter(name=["--tail", "-t"], validator=validators.Number(gte=0, lte=1000))] = 100,
    since: str | None = None,
    service: str | None = None,
    timestamps: bool = False,
    common: Common = Common(),
) -> None:
    """Show what a resource has logged, or the log of one deployment.

    qd logs shop
    qd logs -f shop --tail 20
    qd logs dep_4k2m9x0q7c1z

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, an id, or a deployment's id (dep_…).
    follow
        Go on until Ctrl-C; lines that came while the connection was lost are not lost.
    tail
        How many of the last lines, 0 to 1000.
    since
        Only lines since this time, such as 2026-05-31T12:00:00Z.
    service
        Only lines of this service of a stack.
    timestamps
        Begin each line with its time.
    """
    with session(common) as opened:
        if resource is not None and resource.startswith("dep_"):
            _of_deployment(opened, resource, tail, timestamps=timestamps, follow=follow)
            return
        found = names.resource(opened.api, resource)
        query: dict[str, Any] = {"tailLines": tail, "since": since, "serviceName": service}
        if not follow:
            body = opened.api.read("resources.runtime-logs", query, resourceId=found.id)
            _answer(opened, body, body["logs"], timestamps=timestamps, versions=_Versions(opened, found))
            if not body["logs"] and not opened.terminal.structured:
                opened.terminal.say(f"{found.path} has logged nothing yet.")
            return
        _follow(opened, found, query, timestamps=timestamps)


class _Versions:
    """Says which version speaks, where that changes within one log; on stderr, so that stdout stays the log alone."""

    def __init__(self, opened: Session, found: Found) -> None:
        self._opened = opened
        self._found = found
        self._numbers: dict[str, int] = {}
        self._last: str | None = None

    def tell(self, line: dict[str, Any]) -> None:
        deployment = line.get("deploymentId")
        if not deployment or deployment == self._last or self._opened.terminal.format != "text":
            return
        self._last = deployment
        if deployment not in self._numbers:
            self._numbers = {row["id"]: number for number, row in numbered(self._opened.api, self._found.resource)}
        number = self._numbers.get(deployment)
        self._opened.terminal.say(f"  v{number}   {deployment}" if number else f"  {deployment}")


def _answer(
    opened: Session, body: Any, lines: list[dict[str, Any]], *, timestamps: bool, versions: _Versions | None = None
) -> None:
    if opened.terminal.format == "json":
        opened.terminal.document(body)
        return
    for line in lines:
        if versions is not None:
            versions.tell(line)
        _line(opened, line, timestamps=timestamps)


def _line(opened: Session, line: dict[str, Any], *, timestamps: bool) -> None:
    if opened.terminal.structured:
        opened.terminal.document(line)
        return
    stamp = f"{line['timestamp']}  " if timestamps and line.get("timestamp") else ""
    opened.terminal.line(stamp + clean(str(line["message"])).rstrip("\n"))


def _follow(opened: Session, found: Found, query: dict[str, Any], *, timestamps: bool) -> None:
    """Lines carry a cursor or a number; after a broken connection those already shown are left out."""
    seen = -1.0
    versions = _Versions(opened, found)
    stream = events.follow(opened.api, "resources.runtime-logs/stream", {**query, "follow": True}, resourceId=found.id)
    for event in stream:
        if event.name != "message" or not isinstance(event.data, dict):
            continue
        line = event.data.get("line")
        if event.data.get("kind") != "line" or not isinstance(line, dict):
            continue
        number = line.get("sequence")
        if isinstance(number, int | float):
            if number <= seen:
                continue
            seen = number
        versions.tell(line)
        _line(opened, line, timestamps=timestamps)


def _of_deployment(opened: Session, deployment_id: str, tail: int, *, timestamps: bool, follow: bool) -> None:
    """The log of an attempt. It is read again while the attempt runs, because it has no stream of its own."""
    import time

    body = opened.api.read("deployments.logs", deploymentId=deployment_id)
    lines = body["logs"]
    if not follow:
        _answer(opened, body, lines[-tail:] if tail else [], timestamps=timestamps)
        return
    shown = max(len(lines) - tail, 0)
    running = True
    while True:
        for line in lines[shown:]:
            _line(opened, line, timestamps=timestamps)
        shown = max(shown, len(lines))
        if not running:
            return
        time.sleep(PAUSE)
        running = status_of(opened.api, deployment_id) in ACTIVE
        lines = opened.api.read("deployments.logs", deploymentId=deployment_id)["logs"]
