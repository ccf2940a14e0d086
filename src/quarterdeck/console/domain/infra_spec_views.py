"""Rows of zones and specifications as their pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quarterdeck.access import Access
from quarterdeck.console import infra_words as words
from quarterdeck.console.domain import infra_job_views as jobs
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.infra import JOBS, PLANS, DriftView, NewestPlan, SpecRow, SpecView, State, ZoneRow
from quarterdeck.console.views.infra_plans import change_rows, grouped, text_of
from quarterdeck.console.views.shell import Note
from quarterdeck.console.words import counted, dollars
from quarterdeck.infra.clouds import credentials
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.plans import destroying, drift, failing, law, plans
from quarterdeck.infra.specs import brief, removing, standing
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import states
from quarterdeck.infra.states.model import State as Kept
from quarterdeck.infra.work import reading
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import PLAN
from quarterdeck.infra.zones import listing as zone_listing
from quarterdeck.kernel.db import Tx

MOST_JOBS, MOST_FACTS = 8, 40
GO_ON = "Destroy what it made first. Who may manage states deletes it all the same, with a reason."
NOTHING: tuple[Any, ...] = (None, "", [], {})
SECTIONS = ("network", "cluster", "dns", "repositories")


def state_of(status: str, *, drifted: bool, asked: bool = False) -> State:
    """A specification that stands and has drifted shows that; what is done with it goes before. `asked`: that it
    is destroyed waits to be agreed to.
    """
    if status == "DESTROYING" and asked:
        return ("specification", "destroying", "approval")
    return ("specification", "drift" if status == "ACTIVE" and drifted else status.lower(), None)


def spec_rows(tx: Tx, found: Sequence[Spec]) -> tuple[SpecRow, ...]:
    places = zone_listing.names(tx, [spec.zone_id for spec in found])
    told = brief.standings(tx, [spec.id for spec in found])
    asked = destroying.waiting(tx, [spec.id for spec in found if spec.status == "DESTROYING"])
    return tuple(_row(spec, places.get(spec.zone_id or 0), told[spec.id], asked=spec.id in asked) for spec in found)


def _row(spec: Spec, zone: tuple[str, str] | None, told: brief.Standing, *, asked: bool) -> SpecRow:
    said = ""
    if told.orphan_risk:
        said = "Something may be left over"
    elif told.drifted:
        said = "Changed by somebody else"
    elif told.pending:
        said = "Changed since the last apply"
    return SpecRow(
        uid=spec.uid,
        name=spec.project_name,
        stage=spec.environment_stage,
        provider=spec.provider,
        region=spec.region,
        state=state_of(spec.status, drifted=told.drifted, asked=asked),
        cost=spec.estimated_monthly_cost,
        updated=spec.updated_at,
        zone=zone,
        told=said,
        pending=told.pending,
        drifted=told.drifted,
    )


def zone_row(one: zone_listing.Listed, specs: tuple[SpecRow, ...] = ()) -> ZoneRow:
    zone = one.zone
    return ZoneRow(
        zone.uid,
        one.project.name,
        zone.description or "",
        zone.approvals,
        zone.destroy_approvals,
        one.spec_count,
        zone.created_at,
        specs,
    )


def view(tx: Tx, access: Access, spec: Spec) -> SpecView:
    state = states.find(tx, states.subject_of_spec(spec))
    resources = state.resources if state is not None else 0
    live = standing.live_jobs(tx, spec)
    newest = reading.of_spec(tx, spec, MOST_JOBS)
    told = jobs.waiting_rows(tx, newest)
    busy = f"{told[0].title} goes on." if live and told else ""
    choices, default = jobs.runner_choices(tx, access)
    row = spec_rows(tx, [spec])[0]
    return SpecView(
        row=row,
        version=spec.version,
        facts=tuple(_facts(tx, access, spec)),
        sections=tuple(_sections(spec.document)),
        outputs=outputs(spec.outputs),
        drift=_drift(tx, spec, drifted=row.drifted),
        resources=resources,
        orphan_risk=spec.orphan_risk or "",
        jobs=told,
        busy=busy,
        removal=_removal(tx, spec, resources),
        may_force=access.decide(tx.principal, removing.FORCE).allowed,
        why_not_destroy="" if _stands(spec, resources) else "Nothing stands that could be destroyed.",
        lock=_lock(state),
        has_state=state is not None,
        applied="" if spec.applied_hash is None else "As it is now" if not row.pending else "An earlier version",
        runners=choices,
        runner=default,
        plan=_newest_plan(tx, spec, newest),
    )


def _newest_plan(tx: Tx, spec: Spec, newest: Sequence[InfraJob]) -> NewestPlan | None:
    job = next((one for one in newest if one.job_type == PLAN and one.status == "SUCCESS" and not one.read_only), None)
    plan = plans.of(tx, job) if job is not None else None
    if job is None or plan is None:
        return None
    verdict = law.applicable(tx, job, spec)
    delta = tuple(
        (one.sign, one.tone, one.number, one.word)
        for one in grouped(plan.summary, ())
        if one.action not in {"drift", "read"}
    )
    ready = bool(delta) and (verdict.ok or verdict.code == "approvals_missing")
    return NewestPlan(f"{PLANS}/{job.uid}", job.completed_at or job.created_at, delta, ready)


def _stands(spec: Spec, resources: int) -> bool:
    return bool(resources or spec.orphan_risk or spec.applied_hash or spec.status in {"FAILED", "ACTIVE"})


def outputs(told: Mapping[str, Any]) -> tuple[tuple[str, str | None], ...]:
    """Values by name; what is sensitive has none."""
    return tuple(
        (name, None if isinstance(value, dict) and value.get("sensitive") is True else text_of(value))
        for name, value in sorted(told.items())
    )


def _facts(tx: Tx, access: Access, spec: Spec) -> Iterable[Fact]:
    yield Fact("Provider", spec.provider)
    yield Fact("Region", spec.region)
    module = spec.module
    if module.get("kind") == "git":
        yield Fact("Module", str(module.get("url", "")), code=True)
        yield Fact("Commit", str(module.get("commit", "")), code=True)
        if module.get("path"):
            yield Fact("Directory", str(module["path"]), code=True)
    else:
        yield Fact("Module", "bundled")
    yield Fact("Terraform", spec.terraform_version)
    if spec.cloud_identity_id is not None and access.decide(tx.principal, "infra:clouds.view").allowed:
        identity = tx.get(CloudIdentity, spec.cloud_identity_id)
        if identity is not None:
            yield Fact("Cloud identity", credentials.label(identity))
    if spec.drift_cloud_identity_id is not None and access.decide(tx.principal, "infra:clouds.view").allowed:
        looks = tx.get(CloudIdentity, spec.drift_cloud_identity_id)
        if looks is not None:
            yield Fact("Looked at for drift as", credentials.label(looks))
    if spec.estimated_monthly_cost is not None:
        yield Fact("Cost", f"{dollars(spec.estimated_monthly_cost)} a month, estimated")
    yield Fact("Identifier", spec.uid, code=True)
    yield Fact("Hash", spec.configuration_hash[:12], code=True)


def _sections(document: Mapping[str, Any]) -> Iterable[tuple[str, tuple[Fact, ...]]]:
    """What is declared, without what says nothing."""
    for name in SECTIONS:
        section = document.get(name) or {}
        facts = [
            Fact(words.label(f"{name}.{key}"), _said(value)) for key, value in section.items() if value not in NOTHING
        ]
        if name == "dns" and not section.get("enabled"):
            facts = []
        if facts:
            yield words.SECTIONS[name][0], tuple(facts)
    for name, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = [Fact(str(one.get("name", "")), _entry(one)) for one in value[:MOST_FACTS]]
            yield words.SECTIONS[name][0], tuple(rows)
    variables = document.get("variables") or {}
    if variables:
        yield "Variables", tuple(Fact(key, text_of(value)) for key, value in list(variables.items())[:MOST_FACTS])


def _entry(one: Mapping[str, Any]) -> str:
    said = [(words.label(key).lower(), value) for key, value in one.items() if _says(key, value)]
    return "; ".join(label if value is True else f"{label}: {text_of(value)}" for label, value in said)


def _says(key: str, value: Any) -> bool:
    return key not in {"name", "provider_config"} and value not in (*NOTHING, False)


def _said(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else text_of(value)


def _drift(tx: Tx, spec: Spec, *, drifted: bool) -> DriftView:
    told, failed = spec.drift or {}, failing.newest(tx, spec)
    changes = told.get("changes")
    return DriftView(
        at=spec.drift_checked_at,
        drifted=drifted,
        changes=change_rows(changes if isinstance(changes, list) else ()),
        left_out=int(told.get("left_out") or 0),
        every=spec.drift_minutes,
        due=spec.drift_due_at,
        why_not=drift.why_not(tx, spec) or "",
        failing=(failed.error_message or "", f"{JOBS}/{failed.uid}") if failed is not None else None,
    )


def _removal(tx: Tx, spec: Spec, resources: int) -> Note | None:
    """Why it is not deleted now."""
    live = standing.live_jobs(tx, spec)
    if live:
        verb = "has" if live == 1 else "have"
        return Note("warn", f"{counted(live, 'job')} of it {verb} not ended.", "Cancel, or wait.")
    if resources:
        held = counted(resources, "resource")
        return Note("warn", f"Its state holds {held}, which nobody would look after any more.", GO_ON)
    if spec.orphan_risk:
        return Note("warn", f"Something may be left over: {spec.orphan_risk}", GO_ON)
    return None


def _lock(state: Kept | None) -> str:
    if state is None or state.lock_id is None:
        return ""
    return str((state.lock or {}).get("Who") or "somebody")
