"""The token with which a runner reads the repository of its job (contract: infra §3, `git-token`)."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import Secret


def token(tx: Tx, job: InfraJob) -> Secret[str] | None:
    """None where the job is of no repository, has ended, or its spec has moved to another repository since: a token
    goes nowhere but where it was given for. Whoever calls has found that the runner holds the job.
    """
    frozen: Any = job.snapshot.get("module")
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    if spec is None or job.completed_at is not None or not isinstance(frozen, dict) or frozen.get("kind") != "git":
        return None
    return specs.token(tx, spec) if frozen.get("url") and frozen.get("url") == spec.module.get("url") else None
