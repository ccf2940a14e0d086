"""The Docker engine of a server, in the words of its page."""

from __future__ import annotations

from quarterdeck.console.views.fleet import EngineView
from quarterdeck.console.words import exact
from quarterdeck.fleet.engines.values import Plan, Seen
from quarterdeck.fleet.servers import engines
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.jobs import Job

STATES = {
    "stopped": "It does not answer.",
    "closed": "The account may not use it.",
    "too-old": "It is too old.",
    "ready": "It is ready.",
}
ORIGINS = {"installed": "installed by Quarterdeck", "found": "found there"}


def engine_view(server: Server, seen: Seen, plan: Plan, job: Job | None, lines: tuple[str, ...]) -> EngineView:
    refusal = plan.refusal
    return EngineView(
        what=_what(seen),
        use=_use(server),
        trouble=seen.trouble.message if seen.trouble and refusal is None else "",
        steps=tuple((step.title, step.line) for step in plan.steps),
        plan=plan.id,
        asks=refusal is None and (bool(plan.steps) or server.engine_use in {None, engines.REFUSED}),
        refusal=f"{refusal.message} {refusal.hint or ''}".strip() if refusal else "",
        work=job.state if job else "",
        work_problem=(job.error_message or "") if job and job.state == "failed" else "",
        lines=lines,
        refused=server.engine_use == engines.REFUSED,
    )


def _what(seen: Seen) -> str:
    if seen.state == "absent":
        return f"None, on {seen.system.name or 'a system that does not say what it is'}"
    return f"Docker {seen.version or ''}".rstrip() + f", {ORIGINS[seen.origin or 'found']}. {STATES[seen.state]}"


def _use(server: Server) -> str:
    since = f" since {exact(server.engine_decided_at)}" if server.engine_decided_at else ""
    if server.engine_use == engines.REFUSED:
        return f"No{since}. {server.engine_reason or ''}".strip()
    return f"Yes{since}" if server.engine_use else "Not decided: what is there is used, and that is written down then"
