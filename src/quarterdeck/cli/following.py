"""Watching a deployment to its end, and telling how it ended."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Self

from quarterdeck.cli import events, names
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.phases import Drawing
from quarterdeck.cli.session import Session
from quarterdeck.cli.states import ACTIVE
from quarterdeck.cli.terminal import clean

TAIL = 20
LOG_PAUSE = 1.0
WAITING_PAUSE = 2.0
ENDINGS = {
    "failed": "The deployment failed",
    "rolled-back": "The new version was taken back",
    "canceled": "The deployment was canceled",
}


@dataclass(frozen=True)
class Watched:
    """A deployment that a command has started or found."""

    id: str
    resource_id: str
    path: str
    server: str | None = None
    """The name of the server that it goes to, where it is known."""


def ended(session: Session, watched: Watched, *, detach: bool, timeout: float | None) -> None:
    """The rest of every command that starts a deployment. Raises `Failure` unless it succeeded or was detached."""
    terminal = session.terminal
    page = f"{session.console}/projects/{watched.path}"
    on = f" on {clean(watched.server)}" if watched.server else ""
    terminal.say(f"  {watched.path}{on}   {watched.id}   {page}")
    if detach:
        _tell(session, watched, status_of(session.api, watched.id))
        terminal.say(f"  Watch it:  qd attach {watched.id}")
        return
    follow(session, watched, timeout)
    status = status_of(session.api, watched.id)
    if status == "succeeded":
        _tell(session, watched, status)
        return
    raise _failure(session, watched, status)


def follow(session: Session, watched: Watched, timeout: float | None) -> None:
    """Show the phases until the deployment has ended. Ctrl-C leaves it running, and so does the timeout."""
    terminal, until = session.terminal, time.monotonic() + timeout if timeout else None
    query = {"includeHistory": True, "historyLimit": 200, "follow": True, "untilTerminal": True}
    try:
        with Drawing(terminal) as drawing, _Log(session, watched, drawing), _Waiting(session, watched, drawing):
            again = True
            while again:
                stream = events.follow(session.api, "deployments.stream-events/stream", query, deploymentId=watched.id)
                for event in stream:
                    if until is not None and time.monotonic() > until:
                        raise _timed_out(watched, timeout)
                    if event.name == "lost":
                        drawing.note("  The connection was lost; trying again.")
                    elif event.name == "message":
                        _show(session, drawing, event.data)
                # A stream may end before the deployment has; only its status says.
                again = drawing.status in ACTIVE and status_of(session.api, watched.id) in ACTIVE
    except KeyboardInterrupt:
        terminal.say("")
        raise Failure(
            f"Detached; the deployment {watched.id} goes on.",
            exit=Exit.INTERRUPTED,
            code="interrupted",
            hint=f"qd attach {watched.id}   to watch it again, or: qd cancel {watched.id}",
            facts=facts(watched, "running", None),
        ) from None


def _show(session: Session, drawing: Drawing, envelope: dict[str, Any]) -> None:
    if session.terminal.format == "jsonl":
        session.terminal.document(envelope)
    kind = envelope.get("kind")
    if kind == "event":
        drawing.tell(envelope["event"])
    elif kind == "gap":
        drawing.note("  Some events are no longer kept; what follows is complete.")


def status_of(api: Api, deployment_id: str) -> str:
    body = api.read(
        "deployments.show",
        {"includeSnapshot": False, "includeRelatedContext": False, "includeRecoverySummary": False},
        deploymentId=deployment_id,
    )
    return str(body["deployment"]["status"])


def facts(watched: Watched, status: str, url: str | None) -> dict[str, Any]:
    """The one object that programs get."""
    return {"deploymentId": watched.id, "resourceId": watched.resource_id, "status": status, "url": url}


def url(api: Api, resource_id: str) -> str | None:
    return names.url_of(api.read("resources.show", {"includeAccessSummary": True}, resourceId=resource_id))


def _tell(session: Session, watched: Watched, status: str) -> None:
    address = url(session.api, watched.resource_id)
    page = f"{session.console}/projects/{watched.path}"
    session.terminal.answer(facts(watched, status, address), name=watched.id, text=address or page)


def _timed_out(watched: Watched, timeout: float | None) -> Failure:
    return Failure(
        f"The deployment {watched.id} is still running after {timeout:g} s; it goes on.",
        exit=Exit.TIMED_OUT,
        code="timed_out",
        hint=f"qd attach {watched.id}",
        facts=facts(watched, "running", None),
    )


def _failure(session: Session, watched: Watched, status: str) -> Failure:
    body = session.api.read("deployments.show", {"includeLatestFailure": True}, deploymentId=watched.id)
    metadata = body["deployment"]["runtimePlan"]["execution"].get("metadata") or {}
    failure = body.get("latestFailure") or {}
    hint = metadata.get("errorHint")
    message = str(failure.get("message") or "").removesuffix(str(hint or "")).strip()
    if status != "canceled" and not session.terminal.verbose:
        _tail(session, watched.id, failure.get("phase"), {message, str(hint or "")})
    where = f" in {failure['phase']}" if failure.get("phase") and status == "failed" else ""
    told = f"{ENDINGS.get(status, 'The deployment ended as ' + status)}{where}"
    serves = _serves(session.api, watched)
    stays = "  The version before keeps serving." if serves and "keeps serving" not in message else ""
    return Failure(
        f"{told}: {message}{stays}" if message else f"{told}.{stays}",
        exit=Exit.FAILED,
        code=str(metadata.get("errorCode") or f"deployment_{status.replace('-', '_')}"),
        hint=hint or f"qd logs {watched.id}",
        facts=facts(watched, status, url(session.api, watched.resource_id) if serves else None),
    )


def _serves(api: Api, watched: Watched) -> bool:
    """Whether an earlier version goes on serving."""
    rows = api.items("deployments.list", {"resourceId": watched.resource_id})
    return any(row["status"] == "succeeded" and row["id"] != watched.id for row in rows)


def _tail(session: Session, deployment_id: str, phase: str | None, told: set[str]) -> None:
    """The last lines of the phase that failed and of the application since its start, without what the error tells."""
    lines = session.api.read("deployments.logs", deploymentId=deployment_id)["logs"]
    own = [line for line in lines if line.get("phase") == phase or _spoken(line)] if phase else lines
    own = [line for line in own if str(line["message"]).strip() not in told]
    bar = "|" if session.terminal.ascii else "│"
    for line in own[-TAIL:]:
        session.terminal.say(f"  {bar} {clean(str(line['message']))}")


def _spoken(line: dict[str, Any]) -> bool:
    """Whether the started application said it; what built it is of the phase package."""
    return line.get("source") == "application" and line.get("phase") in {"deploy", "verify"}


class _Beside:
    """Asked again and again, beside the phases."""

    def __init__(
        self, session: Session, watched: Watched, drawing: Drawing, pause: float, *, wanted: bool = True
    ) -> None:
        self._pause = pause
        self._wanted = wanted
        self._drawing = drawing
        self._watched = watched
        self._session = session
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._wanted:
            self._thread = threading.Thread(target=self._run, daemon=True, name=type(self).__name__)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._over.set()
            self._thread.join()

    def _run(self) -> None:
        profile = self._session.api.profile
        api = Api(profile, name=self._session.api.name)
        try:
            while not self._over.wait(self._pause):
                self.ask(api)
            self.end(api)
        except Failure:
            return  # the phases tell what is wrong
        finally:
            api.close()

    def ask(self, api: Api) -> None:
        """After each pause, in seconds."""

    def end(self, api: Api) -> None:
        """Once when the deployment has ended."""


class _Log(_Beside):
    """With --verbose: the log."""

    def __init__(self, session: Session, watched: Watched, drawing: Drawing) -> None:
        super().__init__(session, watched, drawing, LOG_PAUSE, wanted=session.terminal.verbose)
        self._shown = 0

    def ask(self, api: Api) -> None:
        lines = api.read("deployments.logs", deploymentId=self._watched.id)["logs"]
        for line in lines[self._shown :]:
            self._drawing.note(f"    {clean(str(line['message']))}")
        self._shown = len(lines)

    def end(self, api: Api) -> None:
        self.ask(api)


class _Waiting(_Beside):
    """Before the first phase: why nothing happens yet, each reason once."""

    def __init__(self, session: Session, watched: Watched, drawing: Drawing) -> None:
        super().__init__(session, watched, drawing, WAITING_PAUSE)
        self._told: set[str] = set()

    def ask(self, api: Api) -> None:
        if self._drawing.begun:
            return
        for item in api.read("operator-work.list", {"deploymentId": self._watched.id, "limit": 1})["items"]:
            known = item.get("safeDetails") or {}
            why = str(known.get("waitingMessage") or "")
            if why and known.get("waitingReason") != "about-to-start" and why not in self._told:
                self._told.add(why)
                self._drawing.note(f"  It waits. {clean(why)} {clean(str(known.get('waitingHint') or ''))}".rstrip())
