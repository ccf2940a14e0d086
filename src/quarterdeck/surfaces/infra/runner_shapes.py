"""Runners and releases as the infra surface shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from quarterdeck.infra.execution import programs
from quarterdeck.infra.people import uids
from quarterdeck.infra.runners import listing, releases, standing
from quarterdeck.infra.runners.listing import Seen
from quarterdeck.infra.runners.model import Release
from quarterdeck.infra.runners.registration import Registered
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.surfaces.infra.wire import runners as wire


def at(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)


def text(value: Any) -> str:
    """What was sent; nothing for what was left out or is null."""
    return value if isinstance(value, str) else ""


def either(*values: Any) -> str | None:
    """The first text that says something: programs of both generations send theirs, and empty ones."""
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def rows(tx: Tx, found: list[Seen]) -> list[wire.Runner]:
    latest, people, clouds = releases.newest(tx), _people(tx, found), listing.identities_of(tx, found)
    return [wire.Runner(**_fields(tx, one, latest, people, clouds)) for one in found]


def details(tx: Tx, seen: Seen) -> wire.OneRunner:
    latest = releases.newest(tx)
    release = listing.release_of(tx, seen)
    shown = wire.RunnerDetails(
        **_fields(tx, seen, latest, _people(tx, [seen]), listing.identities_of(tx, [seen])),
        programs=programs.told(seen.worker.offered),
        metadata={} if seen.runner is None else seen.runner.runner_metadata,
        release=None if release is None else release_shape(release),
        latest_release=None if latest is None else release_shape(latest),
        current_job_id=listing.current_job(tx, seen.worker),
    )
    return wire.OneRunner(worker=shown, runner=shown)


def release_shape(release: Release) -> wire.Release:
    return wire.Release(
        id=release.uid,
        version=release.version,
        release_notes=release.release_notes,
        released_at=wire_time(release.released_at),
        github_release_url=release.github_release_url,
        commit_sha=release.commit_sha,
        is_breaking=release.is_breaking,
    )


def registered(tx: Tx, made: Registered) -> wire.Registered:
    """The keys of both generations, and of the documentation, which shows them flat."""
    worker, token = made.worker, made.token.reveal()
    brief = wire.Brief(
        id=worker.uid,
        name=worker.name,
        mode=made.runner.mode,
        status=standing.status(worker, tx.now),
        created_at=wire_time(worker.created_at),
    )
    return wire.Registered(
        worker=brief, runner=brief, worker_id=worker.uid, runner_id=worker.uid, worker_token=token, runner_token=token
    )


def tokened(made: Registered) -> wire.Tokened:
    uid, token = made.worker.uid, made.token.reveal()
    return wire.Tokened(runner_id=uid, runner_token=token, worker_id=uid, worker_token=token)


def _people(tx: Tx, found: list[Seen]) -> dict[int, str]:
    owners = {one.runner.owner_id for one in found if one.runner is not None and one.runner.owner_id is not None}
    return uids(tx, owners)


def _fields(
    tx: Tx, seen: Seen, latest: Release | None, people: dict[int, str], clouds: dict[int, str]
) -> dict[str, Any]:
    worker, runner = seen.worker, seen.runner
    due = releases.due(worker, latest, foreign=seen.foreign)
    return {
        "id": worker.uid,
        "name": worker.name,
        "mode": seen.mode,
        "status": standing.status(worker, tx.now),
        "last_heartbeat": at(worker.last_seen_at),
        "version": worker.version,
        "is_default": seen.is_default,
        "created_at": wire_time(worker.created_at),
        "user_id": None if runner is None or runner.owner_id is None else people.get(runner.owner_id),
        "cloud_identity_id": clouds.get((runner and runner.cloud_identity_id) or 0),
        "kind": "runner" if seen.foreign else "worker",
        "outdated": due is not None,
        "due_version": due,
        "drain_reason": worker.drain_reason,
        "takes_jobs": standing.takes_jobs(worker),
        "looks_only": standing.looks_only(worker),
    }
