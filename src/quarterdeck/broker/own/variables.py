"""Secret variables of environments as a provider: read and written by the server, for attempts of its own worker.

A reference is `PROJECT/ENVIRONMENT`: the project's short name and the environment's name. A request has to be about
just that place, so that what is agreed to for one place never reaches another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from quarterdeck.broker.execution.providers.own import FIND, READ, WRITE
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work import holding
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.recording import add
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid
from quarterdeck.kernel.jobs import Unkept
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.kernel.principal import Principal
from quarterdeck.workspace import variables
from quarterdeck.workspace.model import Environment, Project, Variable

PROVIDER = "quarterdeck"
SCOPE, EXPOSURE, KIND = "environment", "runtime", "secret"
MOST = 1000


def reference(project: Project, environment: Environment) -> str:
    return f"{project.slug}/{environment.name}"


def require_here(provider_type: str, ref: str, project: Project | None, environment: Environment | None) -> None:
    """Raises `Invalid` (`secret_ref_elsewhere`) for a reference to another place than the request is about."""
    if provider_type != PROVIDER:
        return
    if project is None or environment is None:
        raise Invalid(
            "Variables of an environment are asked for with their project and environment.",
            code="secret_ref_elsewhere",
            hint="Send project_id and environment.",
            field="environment",
        )
    if ref != reference(project, environment):
        raise Invalid(
            f"{ref[:200]!r} is not what this project and environment keep.",
            code="secret_ref_elsewhere",
            hint=f"The reference is {reference(project, environment)}.",
            field="target_secret_ref",
        )


def _read(tx: Tx, job: BrokerJob, carried: Job, said: Mapping[str, Any]) -> Unkept:
    _request, _project, environment = _place(tx, job, carried, said)
    rows = _rows(tx, environment)
    if not rows:
        return Unkept(None)
    values = {row.key: variables.reveal(tx, row).reveal() for row in rows}
    return Unkept({"values": values, "version": _version(rows)})


def _write(tx: Tx, job: BrokerJob, carried: Job, said: Mapping[str, Any]) -> Unkept:
    request, _project, environment = _place(tx, job, carried, said)
    values = said.get("values")
    if not isinstance(values, dict) or not all(isinstance(one, str) for one in values.values()):
        raise Invalid("A report has no values.", code="broker_report_unknown")
    rows = _rows(tx, environment)
    if (_version(rows) if rows else None) != said.get("version"):
        raise Conflict(
            "The variables were changed by somebody else meanwhile.", code="secret_changed_meanwhile", hint="Ask again."
        )
    before = {row.key: variables.reveal(tx, row).reveal() for row in rows}
    with _for(tx, request):
        for key, value in values.items():
            if before.get(key) != value:
                variables.set_in_environment(
                    tx, environment.ref, key=key, value=value, kind=KIND, exposure=EXPOSURE, scope=SCOPE, secret=True
                )
        for key in before.keys() - values.keys():
            variables.unset_in_environment(tx, environment.ref, key, EXPOSURE, SCOPE)
    return Unkept({})


def _find(tx: Tx, job: BrokerJob, carried: Job, _said: Mapping[str, Any]) -> Unkept:
    _require_own(tx, carried)
    owner = "environment:" + Environment.id.cast(Variable.owner.type)
    query = (
        select(Project, Environment)
        .join(Environment, Environment.project_id == Project.id)
        .where(
            Project.organization_id == job.organization_id,
            select(Variable.id).where(Variable.owner == owner, Variable.is_secret).exists(),
        )
        .order_by(Environment.id)
        .limit(MOST)
    )
    found = [
        {"secret_ref": reference(project, environment), "labels": {"project": project.slug, "kind": environment.kind}}
        for project, environment in tx.session.execute(query)
    ]
    return Unkept(found)


def _place(tx: Tx, job: BrokerJob, carried: Job, said: Mapping[str, Any]) -> tuple[Request, Project, Environment]:
    _require_own(tx, carried)
    request = holding.request_of(tx, job)
    project = tx.get(Project, request.project_id) if request is not None and request.project_id is not None else None
    environment = (
        tx.get(Environment, request.environment_id)
        if request is not None and request.environment_id is not None
        else None
    )
    if request is None or project is None or environment is None or said.get("ref") != reference(project, environment):
        raise Conflict(
            "The project or environment of this request is gone, or has another name now.",
            code="secret_ref_elsewhere",
            hint="Ask again.",
        )
    return request, project, environment


def _require_own(tx: Tx, carried: Job) -> None:
    if holding.holder(tx, carried) is not None or holding.foreign(carried):
        raise Forbidden("Only the server's own worker reads what the server keeps.", code="broker_report_unknown")


def _rows(tx: Tx, environment: Environment) -> list[Variable]:
    tx.lock(f"variables:environment:{environment.id}")
    here = (Variable.owner == f"environment:{environment.id}", Variable.scope == SCOPE, Variable.exposure == EXPOSURE)
    return list(tx.scalars(select(Variable).where(*here, Variable.is_secret).order_by(Variable.key).limit(MOST)))


def _version(rows: list[Variable]) -> str:
    told = "\n".join(f"{row.uid} {row.updated_at.isoformat()}" for row in rows)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


@contextmanager
def _for(tx: Tx, request: Request) -> Iterator[None]:
    """What is written is written for whoever asked, and bears the request's correlation."""
    user = tx.get(User, request.requester_id)
    whoever = Principal(
        kind="user",
        id=request.requester_id,
        uid=user.uid if user is not None else "",
        label=user.username if user is not None else "somebody who is gone",
        organization_id=request.organization_id,
    )
    before = tx.context
    tx.context = replace(before, principal=whoever, correlation_id=request.uid)
    try:
        yield
    finally:
        tx.context = before


for _kind, _report in ((READ, _read), (WRITE, _write), (FIND, _find)):
    add(_kind, _report)
