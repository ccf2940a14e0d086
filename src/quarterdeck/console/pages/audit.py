"""The audit trail: a list with filters, and the same list as a file."""

from __future__ import annotations

import shlex
from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response
from litestar.response import Stream

from quarterdeck.console.desk import Desk, open_desk
from quarterdeck.console.pages.ledger import OUTCOMES, PAGE, turn
from quarterdeck.console.permissions import needs
from quarterdeck.console.render import see
from quarterdeck.console.views.ledger import AuditAsked
from quarterdeck.console.views.shell import Command, Crumb
from quarterdeck.kernel.audit import AuditEvent
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.http.shared_signature import get, post
from quarterdeck.surfaces.shared.auditing import written

ADDRESS = "/console/audit"
FILTERS = ("action", "actor", "resource", "outcome", "text", "from", "to")
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
COLUMNS = (
    "id", "time", "actor", "actor_kind", "action", "resource_type", "resource", "aggregate", "outcome", "address",
    "request_id", "correlation_id", "detail",
)  # fmt: skip


def read(desk: Desk) -> tuple[dict[str, str], AuditAsked]:
    """The filters as they stand in the address, without those that say nothing, and what they mean."""
    query = desk.request.query_params
    said = {name: query.get(name, "").strip()[:200].replace("\x00", "") for name in FILTERS}
    if said["outcome"] not in OUTCOMES:
        said["outcome"] = ""
    days: dict[str, date | None] = {}
    for name in ("from", "to"):
        try:
            days[name] = date.fromisoformat(said[name]) if said[name] else None
        except ValueError:
            days[name], said[name] = None, ""
    asked = AuditAsked(
        action=said["action"],
        actor=said["actor"],
        outcome=said["outcome"],
        text=said["text"],
        since=days["from"],
        until=days["to"],
        zone=desk.viewer.zone,
        resource=said["resource"],
    )
    return said, asked


@get("/audit", opt=needs("deploy:audit-events.list"))
async def audit(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    said, asked = read(desk)
    before = request.query_params.get("before", "")[:40]
    view = await desk.ports.audit(desk.who, asked, before=before, limit=PAGE)
    kept = urlencode({name: value for name, value in said.items() if value})

    def only(name: str, value: str) -> str:
        """The address of the list that is narrowed by one thing more."""
        return f"{ADDRESS}?{urlencode({key: one for key, one in {**said, name: value}.items() if one})}"

    return desk.page(
        "pages/audit.html",
        here="audit",
        crumbs=(Crumb("Audit"),),
        view=view,
        asked=said,
        narrowed=bool(kept),
        command=_command(said, view.actions),
        only={
            row.ref: (
                ("who", only("actor", row.who)),
                ("action", only("action", row.action)),
                ("thing", only("resource", row.about)),
            )
            for row in view.rows
        },
        outcomes=OUTCOMES,
        export={form: f"{ADDRESS}/export?{kept}{'&' if kept else ''}format={form}" for form in TYPES},
        pages=turn(ADDRESS, view.older, before, **said),
    )


def _command(said: dict[str, str], actions: tuple[str, ...]) -> Command:
    """With what of the filters the command line takes: a whole action, a thing by its id."""
    words = ["--action", said["action"]] if said["action"] in actions else []
    thing = said["resource"].rpartition(":")[2]
    words += ["--of", thing] if "_" in thing else []
    return Command(shlex.join(("qd", "audit", "list", *words)), "GET /api/audit-events")


@post("/audit/verify", opt=needs("audit:verify"))
async def verify(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Have the whole chain proved; the job says how far it is, the page what came of it."""
    desk = await open_desk(request)
    return see(f"/console/jobs/{await desk.ports.verify_audit(desk.who)}", "verifying")


@get("/audit/export", opt=needs("deploy:audit-events.export-global"))
async def export(request: Request[Any, Any, Any]) -> Stream:
    """Everything that the filters leave, as a file; nothing of it is held in memory."""
    desk = await open_desk(request)
    said, asked = read(desk)
    form = request.query_params.get("format", "")
    form = form if form in TYPES else "csv"
    parts = await desk.ports.audit_export(desk.who, asked, form, {name: one for name, one in said.items() if one})
    return Stream(
        written(parts, form, COLUMNS, line),
        media_type=TYPES[form],
        headers={"content-disposition": f'attachment; filename="audit.{form}"', "cache-control": "no-store"},
    )


def line(event: AuditEvent) -> dict[str, Any]:
    detail: Any = event.detail
    values = (
        event.ref, wire_time(event.at), event.actor_label, event.actor_kind, event.action, event.resource_type,
        event.resource_id, event.aggregate_id, event.outcome, event.address, event.request_id, event.correlation_id,
        msgspec.to_builtins(detail),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))
