"""What of runners and releases is audited."""

from __future__ import annotations

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners.model import Release
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx


class RunnerAction(audit.Action):
    REGISTERED = "runner.registered"
    TOKEN_ROTATED = "runner.token-rotated"  # noqa: S105 - a word
    BOOTSTRAPPED = "runner.bootstrapped"
    REMOVED = "runner.removed"
    CHOSEN = "runner.chosen"
    METADATA_REPLACED = "runner.metadata-replaced"
    GIT_TOKEN_READ = "runner.git-token-read"  # noqa: S105 - a word
    TOKEN_ISSUED = "runner.token-issued"  # noqa: S105 - a word
    LIFTED = "runner.lifted"
    RELEASE_PUBLISHED = "runner-release.published"


def note(tx: Tx, worker: Worker, action: RunnerAction, **detail: object) -> None:
    """The audit event of what is done to a runner."""
    audit.record(
        tx,
        action,
        resource_type="runner",
        resource_id=worker.uid,
        organization_id=worker.organization_id,
        detail={"name": worker.name, **detail},
    )


def note_release(tx: Tx, release: Release, organization_id: int) -> None:
    audit.record(
        tx,
        RunnerAction.RELEASE_PUBLISHED,
        resource_type="runner-release",
        resource_id=release.uid,
        organization_id=organization_id,
        detail={"version": release.version, "breaking": release.is_breaking},
    )
    told = {"version": release.version}
    events.append(
        tx, f"runner-release:{release.uid}", "runner-release-published", told, organization_id=organization_id
    )
