"""Pages as answers: templates, the strict content policy, compression, and the cookies that decide the first paint."""

from __future__ import annotations

import gzip
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.datastructures import Cookie

from quarterdeck.console import words
from quarterdeck.console.ansi import coloured
from quarterdeck.console.assets import Assets
from quarterdeck.console.navigation import ROOMS
from quarterdeck.console.state import tone
from quarterdeck.console.views.deployments import DeploymentView
from quarterdeck.console.views.resources import ResourceHead
from quarterdeck.console.views.shell import Note, Viewer
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.ids import Ids

HOME = Path(__file__).parent
PACK_FROM = 512
FLASH_COOKIE, THEME_COOKIE, KEYS_COOKIE = "qd_flash", "qd_theme", "qd_keys"


@dataclass(frozen=True, slots=True)
class Moment:
    """What `ago` and `clock` are reckoned from while one page is made."""

    now: datetime
    zone: ZoneInfo | None


_moment: ContextVar[Moment] = ContextVar("console_moment")


def policy(nonce: str) -> str:
    """The content security policy of every console answer."""
    return (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class Renderer:
    """Turns a template and its values into an answer. One per process."""

    def __init__(self, clock: Clock | None = None, ids: Ids | None = None, assets: Assets | None = None) -> None:
        self.clock = clock or SystemClock()
        self.ids = ids or Ids(self.clock)
        self.assets = assets or Assets()
        self._environment = Environment(
            loader=FileSystemLoader(HOME),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(tone=tone, asset=self.assets.url, rooms=ROOMS)
        self._environment.filters.update(
            ago=lambda moment: words.ago(moment, _moment.get().now),
            elapsed=lambda moment: words.running((_moment.get().now - moment).total_seconds()),
            exact=lambda moment: words.exact(moment, _moment.get().zone),
            today=lambda moment: words.today(moment, _moment.get().zone),
            clock=lambda moment: words.clock(moment, _moment.get().zone),
            machine=words.machine,
            took=words.took,
            host=words.host,
            tab_title=tab_title,
            deployment_title=deployment_title,
            size=words.size,
            coloured=coloured,
            counted=words.counted,
            dollars=words.dollars,
            spelt=words.spelt,
        )

    def text(self, template: str, values: dict[str, Any], zone: ZoneInfo | None = None) -> str:
        """The rendered template; times in it are reckoned from now, in `zone`."""
        now = self.clock.now()
        token = _moment.set(Moment(now, zone))
        try:
            return self._environment.get_template(template).render(now=now, **values)
        finally:
            _moment.reset(token)

    def page(
        self,
        request: Request[Any, Any, Any],
        template: str,
        *,
        viewer: Viewer | None = None,
        status: int = 200,
        values: dict[str, Any],
    ) -> Response[bytes]:
        """The whole page; its main part only when htmx asks for that, the bare question when a dialog asks."""
        flash, clear_flash = read_flash(request)
        nonce = self.ids.token(12)
        theme = request.cookies.get(THEME_COOKIE, "")
        body = self.text(
            template,
            {
                "layout": layout(request, signed_in=viewer is not None),
                "viewer": viewer,
                "theme": theme if theme in {"light", "dark"} else "",
                "keys": request.cookies.get(KEYS_COOKIE, ""),
                "path": request.url.path,
                "flash": flash,
                "nonce": nonce,
                "problem": None,
                "topics": "",
                "counts": {},
                "crumbs": (),
                "here": "",
                "oob": "",
                **values,
            },
            viewer.zone if viewer else None,
        )
        return self.answer(request, body, status=status, clear_flash=clear_flash, nonce=nonce)

    def answer(
        self,
        request: Request[Any, Any, Any],
        body: str,
        *,
        status: int = 200,
        clear_flash: bool = False,
        nonce: str | None = None,
    ) -> Response[bytes]:
        """`nonce` is the one by which scripts of the page may make styles; without one nothing may."""
        content = body.encode()
        headers = secure_headers(nonce or self.ids.token(12))
        headers["Vary"] = "HX-Request, X-Console-Ask, Accept-Encoding"
        if len(content) >= PACK_FROM and "gzip" in request.headers.get("accept-encoding", ""):
            content = gzip.compress(content, 5, mtime=0)
            headers["Content-Encoding"] = "gzip"
        answer = Response(content, status_code=status, media_type="text/html; charset=utf-8", headers=headers)
        if clear_flash:
            answer.set_cookie(Cookie(FLASH_COOKIE, value="", path="/console", max_age=0))
        return answer


def secure_headers(nonce: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy(nonce),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def layout(request: Request[Any, Any, Any], *, signed_in: bool) -> str:
    if request.headers.get("hx-request") == "true" and request.headers.get("x-console-ask"):
        return "layouts/ask.html"
    if not signed_in:
        return "layouts/door.html"
    return "layouts/part.html" if request.headers.get("hx-request") == "true" else "layouts/page.html"


MARKS = {"idle": "◌", "off": "\N{EN DASH}", "run": "●", "ask": "◆", "warn": "▲", "good": "✓", "bad": "✗"}


def tab_title(head: ResourceHead) -> str:
    """What the browser's tab says: the state's mark and word first, so that it is seen when the tab is narrow."""
    shown = tone(*head.state)
    return f"{MARKS[shown.tone]} {head.state_word or shown.word} · {head.name} · Quarterdeck"


def deployment_title(deployment: DeploymentView, head: ResourceHead) -> str:
    shown = tone("deployment", deployment.row.state)
    return f"{MARKS[shown.tone]} {deployment.doing or shown.word} v{deployment.row.number} · {head.name} · Quarterdeck"


# The result of a small deed is told once, on the page that follows it. The cookie carries a key, never a text.
FLASHES: dict[str, tuple[str, str]] = {
    "task-created": ("good", "Task created"),
    "member-added": ("good", "Added"),
    "task-canceled": ("good", "Task canceled"),
    "task-retried": ("good", "It is tried again"),
    "task-told": ("good", "Sent. The agent is told as soon as it listens."),
    "gate-answered": ("good", "Answered. The task goes on."),
    "machine-drains": ("good", "It gets no more tasks. What runs goes on."),
    "machine-takes": ("good", "It gets tasks again"),
    "git-token-kept": ("good", "Token kept"),
    "git-token-removed": ("good", "Token removed"),
    "bot-registered": ("good", "Bot registered"),
    "bot-removed": ("good", "Bot removed"),
    "bot-tested": ("good", "Sent. Look into the chat."),
    "machine-gone": ("good", "Sent away for good"),
    "project-changed": ("good", "Saved"),
    "zone-made": ("good", "Zone made"),
    "zone-deleted": ("good", "Zone deleted"),
    "spec-made": ("good", "Specification made"),
    "spec-deleted": ("good", "Specification deleted"),
    "planning": ("run", "Planning"),
    "looking": ("run", "Looking for drift"),
    "applying": ("run", "Applying"),
    "destroying": ("run", "Destroying"),
    "plan-agreed": ("good", "Agreed"),
    "plan-refused": ("warn", "Refused. Ask for a new plan once it is mended."),
    "infra-job-canceled": ("warn", "Canceled. What runs is told to stop."),
    "infra-job-again": ("run", "Asked for once more"),
    "infra-job-pinned": ("good", "Runner chosen"),
    "state-back": ("good", "Gone back. Plan again before anything is applied."),
    "state-unlocked": ("warn", "The lock is taken away"),
    "runner-drains": ("good", "It gets no more jobs. What runs goes on."),
    "runner-takes": ("good", "It gets jobs again"),
    "runner-chosen": ("good", "It is chosen beforehand for you"),
    "runner-updating": ("run", "Updating the runner"),
    "runner-going-up": ("run", "Putting up the runner"),
    "runner-going-down": ("run", "Taking down the runner"),
    "runner-removed": ("good", "Runner removed"),
    "cloud-begun": ("good", "Begun. Tell your cloud to trust it, then connect."),
    "cloud-trying": ("run", "A runner tries the connection"),
    "cloud-bound": ("good", "Its zones are changed"),
    "cloud-looking": ("run", "A runner looks at the cloud"),
    "cloud-gone": ("good", "Disconnected"),
    "secret-asked": ("good", "Asked"),
    "secret-changed": ("good", "Changed. It has to be approved anew."),
    "secret-approved": ("good", "Approved"),
    "secret-refused": ("warn", "Refused. Whoever asked is told."),
    "secret-reviewed": ("good", "Kept. It is in the trail."),
    "secret-taken-back": ("good", "Taken back"),
    "rule-saved": ("good", "Rule saved. It counts from the next request on."),
    "rule-deleted": ("good", "Rule deleted"),
    "workflow-saved": ("good", "Workflow saved"),
    "workflow-deleted": ("good", "Workflow deleted"),
    "agent-revoked": ("good", "Agent revoked. What it had is given back."),
    "connection-saved": ("good", "Connection saved"),
    "connection-on": ("good", "Switched on"),
    "connection-off": ("warn", "Switched off. Nothing new is asked of it."),
    "connection-deleted": ("good", "Connection deleted"),
    "secrets-looking": ("run", "An agent looks which secrets there are"),
    "notices-read": ("good", "Marked as read"),
    "saved": ("good", "Saved"),
    "variable-set": ("good", "Variable saved. It takes effect with the next deployment."),
    "variables-imported": ("good", "Variables imported. They take effect with the next deployment."),
    "deployment-archived": ("good", "Archived"),
    "variable-unset": ("good", "Variable removed. It takes effect with the next deployment."),
    "project-created": ("good", "Project created"),
    "project-archived": ("good", "Project archived"),
    "project-restored": ("good", "Project restored"),
    "project-deleted": ("good", "Project deleted"),
    "environment-created": ("good", "Environment created"),
    "resource-archived": ("good", "Archived"),
    "resource-deleted": ("good", "Deleted"),
    "deploying": ("run", "Deploying"),
    "retrying": ("run", "Trying again"),
    "rolling-back": ("run", "Rolling back"),
    "canceling": ("warn", "Cancel requested"),
    "stopping": ("run", "Stopping"),
    "starting": ("run", "Starting"),
    "restarting": ("run", "Restarting"),
    "session-ended": ("good", "Session ended"),
    "sessions-ended": ("good", "Signed out everywhere else"),
    "password-changed": ("good", "Password changed. Your other sessions have ended."),
    "factor-off": ("warn", "The second factor is off."),
    "token-revoked": ("good", "Token revoked"),
    "organization-switched": ("good", "You act in this organization now."),
    "connected": ("good", "Account connected"),
    "disconnected": ("good", "Account disconnected"),
    "signed-out": ("good", "Signed out"),
    "password-reset": ("good", "Your new password is set. Sign in with it."),
    "address-confirmed": ("good", "Your new address counts from now on."),
    "invitation-accepted": ("good", "Invitation accepted. Sign in with your one-time code."),
    "verifying": ("run", "The trail is being verified. What came of it stands here and in Audit."),
    "invitation-revoked": ("good", "Invitation revoked"),
    "role-changed": ("good", "Role changed. It counts with their next request."),
    "role-given": ("good", "Role given. It counts with their next request."),
    "role-taken": ("good", "Role taken. It counts with their next request."),
    "role-made": ("good", "Role made. Give it to somebody on their page."),
    "role-saved": ("good", "Role saved. It counts with the next request of who has it."),
    "role-deleted": ("good", "Role deleted"),
    "member-removed": ("good", "Member removed"),
    "ownership-transferred": ("good", "Ownership transferred"),
    "job-canceled": ("warn", "Cancel requested"),
    "server-added": ("good", "Server added"),
    "server-deleted": ("good", "Server forgotten"),
    "edge-starting": ("run", "Bringing up the edge"),
    "policy-saved": ("good", "Policy saved"),
    "lines-kept": ("good", "Lines kept"),
    "lines-deleted": ("good", "Kept lines deleted"),
    "engine-decided": ("run", "Agreed"),
    "key-stored": ("good", "Key stored"),
    "key-deleted": ("good", "Key deleted"),
    "job-retried": ("run", "Queued again"),
    "job-recovered": ("good", "Marked as recovered"),
    "job-given-up": ("warn", "Given up"),
}


def read_flash(request: Request[Any, Any, Any]) -> tuple[Note | None, bool]:
    key = request.cookies.get(FLASH_COOKIE)
    if not key:
        return None, False
    found = FLASHES.get(key)
    return (Note(found[0], found[1]) if found else None), True


def see(address: str, flash: str | None = None) -> Response[bytes]:
    """Go and look there: the answer to every form that did its deed."""
    answer = Response(
        b"", status_code=303, media_type="text/plain", headers={"Location": address, "Cache-Control": "no-store"}
    )
    if flash:
        answer.set_cookie(Cookie(FLASH_COOKIE, value=flash, path="/console", max_age=60, httponly=True, samesite="lax"))
    return answer
