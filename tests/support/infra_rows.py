"""Rows of infrastructure as a test wants them, and attempts of their jobs, without anybody who works on them."""

from __future__ import annotations

import json
import uuid
from typing import Any

from msgspec import Struct
from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity.model import Organization, User
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import credentials
from quarterdeck.infra.states.credentials import Attempt
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.model import Project
from support.deck import HOME

POINTED_AT = (CloudIdentity, Worker)
"""Tables that rows here may point at, whoever else has imported them."""
KIND = "test.infra"
"""A kind of job that carries infrastructure jobs here, of which the server knows nothing else."""


class Nothing(Struct):
    pass


def home(tx: Tx, ref: str = HOME) -> Organization:
    return tx.one(select(Organization).where(Organization.ref == ref), what=ref)


def zone(tx: Tx, name: str = "payments", *, organization: str = HOME, **given: Any) -> Zone:
    place = home(tx, organization)
    project = tx.add(
        Project(
            uid=tx.ids.uid(), ref=tx.ids.ref("prj"), organization_id=place.id, name=name,
            slug=f"{name}-{tx.ids.text(4)}", lifecycle="active", created_at=tx.now,
        )
    )  # fmt: skip
    values = {"owner_id": 1, "approvals": 0, "destroy_approvals": 0, **given}
    return tx.add(
        Zone(
            uid=tx.ids.uid(), organization_id=place.id, project_id=project.id, created_at=tx.now, updated_at=tx.now,
            **values,
        )
    )  # fmt: skip


def spec(tx: Tx, name: str = "ledger", *, organization: str = HOME, **given: Any) -> Spec:
    values = {
        "owner_id": 1, "project_name": name, "environment_stage": "staging", "region": "here", "provider": "local",
        "terraform_version": "1.11.4", "document": {"project_name": name}, "configuration_hash": "a" * 64,
        "module": {"kind": "bundled", "name": "local"}, "status": "ACTIVE", "version": 1, "outputs": {},
        "components": {}, **given,
    }  # fmt: skip
    return tx.add(
        Spec(
            uid=str(uuid.uuid4()), organization_id=home(tx, organization).id, created_at=tx.now, updated_at=tx.now,
            **values,
        )
    )  # fmt: skip


def job(tx: Tx, one: Spec, job_type: str = "DEPLOY", **given: Any) -> InfraJob:
    values = {
        "owner_id": 1, "zone_id": one.zone_id, "spec_id": one.id, "job_type": job_type, "status": "QUEUED",
        "snapshot": {"id": one.uid}, "configuration_hash": one.configuration_hash, "execution_metadata": {}, **given,
    }  # fmt: skip
    return tx.add(
        InfraJob(
            uid=str(uuid.uuid4()), organization_id=one.organization_id, created_at=tx.now, updated_at=tx.now, **values
        )
    )


def begin(tx: Tx, one: InfraJob, owner: str = "test") -> Attempt:
    """Somebody claims it: enqueued where it is not, and claimed."""
    if jobs.kinds.find(KIND) is None:
        jobs.kinds.register(jobs.JobKind(KIND, Nothing))
    if one.ledger_id is None:
        carried = jobs.enqueue(
            tx,
            jobs.Enqueue(KIND, Nothing(), one.organization_id, subject=f"infra-job:{one.uid}", max_attempts=9),
        )
        one.ledger_id = carried.id
        tx.flush()
    claimed = jobs.claim(tx, jobs.Claimant(owner, frozenset(), ("normal",), 10))
    (mine,) = [given.job for given in claimed if given.job.id == one.ledger_id]
    one.status = "PROCESSING"
    tx.flush()
    return Attempt(one, mine.fence)


def give_back(tx: Tx, attempt: Attempt) -> None:
    """Its worker goes: the job waits for another one."""
    assert attempt.job.ledger_id is not None
    jobs.hand_back(tx, attempt.job.ledger_id, attempt.fence)


def end(tx: Tx, attempt: Attempt, status: str = "SUCCESS") -> None:
    assert attempt.job.ledger_id is not None
    jobs.complete(tx, attempt.job.ledger_id, attempt.fence, jobs.Outcome("succeeded"))
    attempt.job.status, attempt.job.completed_at = status, tx.now
    tx.flush()


def started(tx: Tx, one: Spec | None = None, job_type: str = "DEPLOY", **given: Any) -> tuple[Attempt, str]:
    """A job whose attempt runs, and its credential."""
    made = job(tx, one or spec(tx), job_type, **given)
    attempt = begin(tx, made)
    return attempt, credentials.issue(tx, made).reveal()


def plan(tx: Tx, one: InfraJob, **given: Any) -> Plan:
    values = {
        "summary": {"create": 1, "update": 0, "delete": 0, "replace": 0}, "changes": [], "artefact_key": f"{one.uid}/1",
        "artefact_sha256": "b" * 64, "artefact_size": 10, "fence": 1, **given,
    }  # fmt: skip
    return tx.add(Plan(uid=tx.ids.uid(), job_id=one.id, spec_id=one.spec_id, created_at=tx.now, **values))


def somebody(tx: Tx, name: str = "ada") -> User:
    return tx.one(select(User).where(User.username == name), what=name)


def state(serial: int = 1, lineage: str = "one", resources: list[dict[str, Any]] | None = None, **more: Any) -> bytes:
    """A state as Terraform writes one."""
    return json.dumps(
        {
            "version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage, "outputs": {},
            "resources": resources or [], "check_results": None, **more,
        }
    ).encode()  # fmt: skip


def resource(name: str, kind: str = "terraform_data", count: int = 1, **attributes: Any) -> dict[str, Any]:
    return {
        "mode": "managed", "type": kind, "name": name, "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [
            {"schema_version": 0, "attributes": {"id": f"{name}-{number}", **attributes}, "sensitive_attributes": []}
            | ({"index_key": number} if count > 1 else {})
            for number in range(count)
        ],
    }  # fmt: skip
