"""What happened to the broker's projects, workflows and policies is known as long as these are there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import select

from quarterdeck.broker.policies import happenings as policies
from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.tenancy import happenings as tenancy
from quarterdeck.broker.workflows import happenings as workflows
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import lasting
from quarterdeck.workspace.model import Project

STREAMS: dict[str, type[Project | Workflow | Policy]] = {
    tenancy.STREAM: Project, workflows.STREAM: Workflow, policies.STREAM: Policy,
}  # fmt: skip


def there(prefix: str, model: type[Project | Workflow | Policy], tx: Tx, streams: Sequence[str]) -> list[str]:
    uids = [one.removeprefix(prefix) for one in streams]
    return [f"{prefix}{uid}" for uid in tx.execute(select(model.uid).where(model.uid.in_(uids))).scalars()]


for _prefix, _model in STREAMS.items():
    lasting(_prefix, partial(there, _prefix, _model))
