"""Attempts as rows and as pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from quarterdeck.console.domain.places import Found, deployment_at
from quarterdeck.console.views.deployments import (
    PRESENT,
    DeploymentRow,
    DeploymentView,
    Difference,
    Fact,
    Failure,
    PhaseView,
    PlanPart,
    RollbackView,
)
from quarterdeck.console.views.shell import Note
from quarterdeck.deploy.deployments import deployments, readiness
from quarterdeck.deploy.deployments.admission import snapshot_variables
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.records import LABELS, PHASES
from quarterdeck.deploy.deployments.transitions import ACTIVE, UNDONE
from quarterdeck.deploy.resources.profiles import SECTIONS
from quarterdeck.deploy.work import away
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import MASK

TRIGGERS = {"create": "started", "redeploy": "started", "retry": "tried again", "rollback": "rolled back"}
SHORT = 19


def stream_of(deployment: Deployment) -> str:
    return f"deployment:{deployment.ref}"


def rows(tx: Tx, found: Found, *, before: int | None = None, limit: int) -> tuple[DeploymentRow, ...]:
    """The newest attempts of a resource."""
    query = select(Deployment).where(Deployment.resource_id == found.resource.id, Deployment.archived_at.is_(None))
    if before is not None:
        query = query.where(Deployment.number < before)
    attempts = list(tx.scalars(query.order_by(Deployment.id.desc()).limit(limit)))
    latest = tx.get(Deployment, found.resource.latest_id) if found.resource.latest_id else None
    running = running_phases(tx, attempts)
    return tuple(row(found, attempt, latest, running.get(attempt.id)) for attempt in attempts)


def running_phases(tx: Tx, attempts: Iterable[Deployment]) -> dict[int, str]:
    """The phase that each active attempt is in."""
    active = [attempt.id for attempt in attempts if attempt.status in ACTIVE]
    if not active:
        return {}
    found = tx.scalars(select(Phase).where(Phase.deployment_id.in_(active), Phase.status == "running"))
    return {phase.deployment_id: phase.phase for phase in found}


def row(found: Found, attempt: Deployment, latest: Deployment | None, phase: str | None) -> DeploymentRow:
    ended = attempt.finished_at
    returnable = (
        attempt.id != found.resource.serving_id
        and found.resource.lifecycle == "active"
        and latest is not None
        and not readiness.candidate_reasons(latest, attempt)
    )
    return DeploymentRow(
        ref=attempt.ref,
        number=attempt.number,
        state=attempt.status,
        phase=PRESENT.get(phase) if phase and attempt.status != "cancel-requested" else None,
        commit=attempt.commit,
        message=attempt.commit_message or ("" if attempt.commit else _source_name(attempt)),
        by=attempt.requested_by,
        at=attempt.created_at,
        seconds=(ended - attempt.created_at).total_seconds() if ended else None,
        serving=attempt.id == found.resource.serving_id and found.resource.wanted == "running",
        may_return=returnable,
        href=f"{found.href}/deployments/{attempt.number}",
    )


def _source_name(attempt: Deployment) -> str:
    source = attempt.snapshot.get("source") or {}
    return str(source.get("displayName") or source.get("locator") or "")[:200]


def single(tx: Tx, found: Found, attempt: Deployment) -> DeploymentRow:
    latest = tx.get(Deployment, found.resource.latest_id) if found.resource.latest_id else None
    return row(found, attempt, latest, running_phases(tx, [attempt]).get(attempt.id))


def view(tx: Tx, found: Found, attempt: Deployment) -> DeploymentView:
    before = tx.first(
        select(Deployment)
        .where(Deployment.resource_id == found.resource.id, Deployment.number < attempt.number)
        .order_by(Deployment.id.desc())
        .limit(1)
    )
    allowed = readiness.assess(tx, attempt)
    shown = single(tx, found, attempt)
    reason = ""
    if attempt.status in UNDONE and allowed.retry:
        reason = ", ".join(word.replace("-", " ") for word in allowed.retry)
    return DeploymentView(
        row=shown,
        resource=found.resource.name,
        trigger=TRIGGERS.get(attempt.trigger, attempt.trigger),
        phases=phases(attempt, deployments.phases(tx, attempt)),
        plan=plan_parts(attempt),
        differs_from=before.number if before else None,
        differences=differences(tx, before, attempt) if before else (),
        failure=failure(attempt),
        serving_note=serving_note(tx, found, attempt),
        may_retry=attempt.status in UNDONE and not allowed.retry,
        retry_reason=reason,
        may_cancel=attempt.status in ACTIVE and attempt.status != "cancel-requested",
        archived=attempt.archived_at is not None,
        waits=waits(tx, attempt),
    )


def waits(tx: Tx, attempt: Deployment) -> Note | None:
    found = away.of_deployment(tx, attempt) if attempt.status in ACTIVE else None
    return None if found is None else Note("warn", found.message, found.hint or "")


def serving_note(tx: Tx, found: Found, attempt: Deployment) -> str:
    serving = tx.get(Deployment, found.resource.serving_id) if found.resource.serving_id else None
    if serving is None or serving.id == attempt.id:
        return ""
    if attempt.status in ACTIVE:
        return f"v{serving.number} serves until v{attempt.number} is healthy"
    if attempt.status == "succeeded":
        return ""
    return f"v{serving.number} is stopped" if found.resource.wanted == "stopped" else f"v{serving.number} keeps serving"


def failure(attempt: Deployment) -> Failure | None:
    if attempt.error_code is None or attempt.status not in {"failed", "rolled-back"}:
        return None
    return Failure(
        attempt.error_code, attempt.error_message or "It failed.", attempt.error_hint or "", attempt.error_phase
    )


def phases(attempt: Deployment, recorded: Sequence[Phase]) -> tuple[PhaseView, ...]:
    """All phases in order: those recorded as they are, those to come as waiting, those never reached as skipped."""
    known = {phase.phase: phase for phase in recorded}
    missing = "pending" if attempt.status in ACTIVE else "skipped"
    shown = []
    for name in PHASES:
        phase = known.get(name)
        if phase is None:
            shown.append(PhaseView(name, LABELS[name], missing, None, ""))
            continue
        seconds = (phase.finished_at - phase.started_at).total_seconds() if phase.finished_at else None
        since = phase.started_at if phase.status == "running" else None
        # What went wrong stands whole in the note below; beside the bar it would push the others apart.
        detail = "" if phase.status == "failed" and attempt.error_phase == name else phase.detail or ""
        # Where it was when somebody canceled it, nothing went wrong.
        canceled = attempt.status == "canceled" and phase.status == "failed"
        shown.append(PhaseView(name, LABELS[name], "canceled" if canceled else phase.status, seconds, detail, since))
    return tuple(shown)


def plan_parts(attempt: Deployment) -> tuple[PlanPart, ...]:
    """The plan as values, grouped; nothing before it was made."""
    plan = attempt.plan
    if not plan:
        return ()
    build = [
        Fact("Strategy", str(plan.get("build_strategy", "dockerfile"))),
        *_facts(plan, framework="Framework", runtime_version="Version", package_manager="Packages with"),
        *_facts(plan, code=True, base_image="Starts from", dockerfile_path="Dockerfile", compose_file="Compose file"),
    ]
    build += [
        Fact(str(command["kind"]).capitalize(), str(command["command"]), code=True)
        for command in plan.get("commands") or ()
        if command.get("kind") != "start"
    ]
    run = [Fact("As", str(plan.get("execution_kind", "docker-container")).replace("-", " "))]
    run += [
        Fact("Start", str(command["command"]), code=True)
        for command in plan.get("commands") or ()
        if command.get("kind") == "start"
    ]
    run += _facts(plan, target_service="Requests go to")
    if plan.get("execution_kind") == "host-process":
        run += [Fact("Port", "assigned at the start, told in PORT")] if plan.get("internal_port") else []
    else:
        run += _facts(plan, internal_port="Port")
    artifact = attempt.artifact or {}
    if artifact.get("image"):
        run.append(Fact("Image", short(str(artifact["image"])), code=True))
    parts = [PlanPart("Build", tuple(build)), PlanPart("Run", tuple(run))]
    if health := plan.get("health"):
        http = health.get("http") or {}
        asked = Fact("Asks", f"{http.get('method', 'GET')} {http.get('path', '/')}", code=True)
        tries = int(health.get("retries", 10))
        if plan.get("health_configured"):
            facts = (asked, Fact("Expects", str(http.get("expected_status_code", 200))), Fact("Tries", str(tries)))
        else:
            seconds = int(health.get("start_period_seconds", 5)) + tries * int(health.get("interval_seconds", 5))
            facts = (asked, Fact("Expects", "any answer below 500"), Fact("For", f"at most {seconds} s"))
        parts.append(PlanPart("Health", facts))
    if attempt.route:
        names = [str(name) for name in attempt.route.get("hostnames") or ()]
        parts.append(PlanPart("Routes", tuple(Fact("Name", name, code=True) for name in names)))
    return tuple(parts)


def _facts(plan: dict[str, Any], *, code: bool = False, **labels: str) -> list[Fact]:
    return [Fact(label, str(plan[name]), code=code) for name, label in labels.items() if plan.get(name)]


def short(image: str) -> str:
    """`sha256:a41c…90fe`."""
    digest = image.rpartition("@")[2]
    return f"{digest[:11]}…{digest[-4:]}" if digest.startswith("sha256:") and len(digest) > SHORT else image


def differences(tx: Tx, before: Deployment, after: Deployment) -> tuple[Difference, ...]:
    """What the configuration of `after` has otherwise than that of `before`: compared by value, secrets masked."""
    was, now = _configuration(tx, before), _configuration(tx, after)
    found = []
    for key in sorted(was.keys() | now.keys()):
        old, new = was.get(key), now.get(key)
        if old == new:
            continue
        secret = any(side is not None and side[1] for side in (old, new))
        found.append(
            Difference(
                key,
                None if old is None else MASK if secret else old[0],
                None if new is None else (f"{MASK} (another value)" if old else MASK) if secret else new[0],
            )
        )
    return tuple(found)


def built(before: Deployment, after: Deployment) -> tuple[Difference, ...]:
    """What was built otherwise: commit, image, and every value of the plan."""
    was, now = _built(before), _built(after)
    return tuple(
        Difference(label, was.get(label), now.get(label))
        for label in dict.fromkeys([*was, *now])
        if was.get(label) != now.get(label)
    )


def _built(attempt: Deployment) -> dict[str, str]:
    told = {}
    if attempt.commit:
        told["Commit"] = f"{attempt.commit[:7]} {attempt.commit_message or ''}".strip()
    for part in plan_parts(attempt):
        if part.title != "Routes":
            told |= {f"{part.title}: {fact.label.lower()}": fact.value for fact in part.facts}
    return told


def _configuration(tx: Tx, attempt: Deployment) -> dict[str, tuple[str, bool]]:
    flat: dict[str, tuple[str, bool]] = {}
    for profile in SECTIONS:
        _flatten(flat, profile, attempt.snapshot.get(profile))
    for variable in snapshot_variables(tx, attempt):
        name = variable["key"] if variable["exposure"] == "runtime" else f"{variable['key']} (build)"
        flat[name] = (str(variable["value"]), bool(variable["secret"]))
    return flat


def _flatten(flat: dict[str, tuple[str, bool]], path: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(flat, f"{path}.{key}", inner)
    elif value is not None:
        flat[path] = (str(value), False)


def rollback(tx: Tx, found: Found, number: int) -> RollbackView:
    """What going back to a version would bring back, change and leave."""
    candidate = deployment_at(tx, found, number)
    serving = tx.get(Deployment, found.resource.serving_id) if found.resource.serving_id else None
    latest = tx.get(Deployment, found.resource.latest_id) if found.resource.latest_id else None
    blocked = ""
    if serving is not None and serving.id == candidate.id:
        blocked = f"v{number} serves already."
    elif latest is not None and (reasons := readiness.candidate_reasons(latest, candidate)):
        blocked = f"v{number} cannot be given back: {', '.join(word.replace('-', ' ') for word in reasons)}."
    artifact = candidate.artifact or {}
    image = f"its exact image {short(str(artifact['image']))}" if artifact.get("image") else "its exact build"
    return RollbackView(
        target=single(tx, found, candidate),
        current=single(tx, found, serving) if serving and serving.id != candidate.id else None,
        latest=latest.ref if latest else candidate.ref,
        image=image,
        differences=(*built(serving, candidate), *differences(tx, serving, candidate))
        if serving and serving.id != candidate.id
        else (),
        kept=(
            "Databases and stored files are not rolled back.",
            "Settings and variables saved since then stay saved; the next deployment takes them.",
        ),
        blocked=blocked,
    )
