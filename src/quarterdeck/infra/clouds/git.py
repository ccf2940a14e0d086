"""The token with which a runner reads the repository of its job (contract: infra §3, `git-token`)."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.specs import modules
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import Secret


def token(tx: Tx, job: InfraJob) -> Secret[str] | None:
    """None where the job is of no repository, or its spec has none for the repository that the job was frozen with:
    a token goes nowhere but where it was given for. Whoever calls has found that the runner holds the job.
    """
    frozen: Any = job.snapshot.get("module")
    url = frozen.get("url") if isinstance(frozen, dict) and frozen.get("kind") == "git" else None
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    if spec is None or not isinstance(url, str) or job.completed_at is not None:
        return None
    found = modules.token(tx, spec, url)
    return Secret(found) if found else None
