"""Deleting a spec, which never loses sight of resources by the way."""

from __future__ import annotations

from sqlalchemy import delete as delete_rows

from quarterdeck.access import Access
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.happenings import SpecAction, audited, happened
from quarterdeck.infra.specs.model import Spec, SpecVersion
from quarterdeck.infra.specs.standing import live_jobs
from quarterdeck.infra.states.states import holds_resources
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.text import one_line

FORCE = "infra:states.manage"
DESTROY = "Destroy what it made first; who may manage states deletes it with force=true and a reason."


def delete(tx: Tx, access: Access, text: str, *, force: bool = False, reason: str | None = None) -> None:
    """Delete a spec with its versions. Its state and what it told in jobs stay.

    Raises `Conflict`: while a job of it lives (`spec_job_live`), also by force; while its state holds resources
    (`spec_holds_resources`) or something may be left over (`spec_orphan_risk`), unless forced with a reason by somebody
    who has `infra:states.manage`.
    """
    spec = specs.locked(tx, specs.meant(tx, text).id)
    if force:
        access.require(tx.principal, FORCE)
        if not reason or not reason.strip():
            raise Invalid("A forced deletion needs a reason.", hint="Give the reason.", field="reason")
    reason = one_line(reason, "reason", 500, empty=True) if reason else None
    living = live_jobs(tx, spec)
    if living:
        raise Conflict(
            f"{spec.project_name} has {living} jobs that have not ended.",
            code="spec_job_live",
            hint="Cancel them, or wait for their end.",
            liveJobs=living,
        )
    held = holds_resources(tx, spec)
    if not force:
        _require_gone(spec, held)
    detail = {"resources": held, "orphanRisk": spec.orphan_risk, "reason": reason, "forced": force}
    audited(tx, spec, SpecAction.DELETED, **detail)
    happened(tx, spec, "infra-spec-deleted", **detail)
    tx.execute(delete_rows(SpecVersion).where(SpecVersion.spec_id == spec.id))
    tx.session.delete(spec)
    tx.session.flush()


def _require_gone(spec: Spec, held: int) -> None:
    if held:
        raise Conflict(
            f"The state of {spec.project_name} holds {held} resources, which nobody would look after any more.",
            code="spec_holds_resources",
            hint=DESTROY,
            resources=held,
        )
    if spec.orphan_risk:
        raise Conflict(
            f"Something of {spec.project_name} may be left over: {spec.orphan_risk}",
            code="spec_orphan_risk",
            hint=f"Look for it at the provider. {DESTROY}",
        )
