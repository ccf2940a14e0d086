"""Published versions of the runner program (contract: infra §4.8)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select, update

from quarterdeck.fleet.workers import offering
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity.setup import default_organization
from quarterdeck.infra.runners.actions import note_release
from quarterdeck.infra.runners.model import Release, Runner
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.text import lines, one_line

LONGEST_NOTES = 64 << 10
UNKNOWN = "0"
"""What a program tells that does not know its version."""
_VERSION = re.compile(
    r"v?(?P<numbers>\d{1,9}(\.\d{1,9}){0,5})"
    r"([._-]?(?P<word>dev|alpha|beta|rc|post|a|b|c)[._-]?(?P<number>\d{0,9}))?(\.dev\d{1,9})?(\+[0-9A-Za-z._-]{1,40})?",
)
_STAGES = {"dev": "", "alpha": "a", "beta": "b", "c": "rc"}


@dataclass(frozen=True, slots=True)
class Published:
    """What whoever publishes a version says of it."""

    version: str
    release_notes: str | None = None
    github_release_url: str | None = None
    commit_sha: str | None = None
    is_breaking: bool = False


def publish(tx: Tx, said: Published) -> Release:
    """Raises `Invalid`, and `Conflict` (`release_exists`) for a version that was published before."""
    if not said.version.strip():
        raise Invalid("Missing required field: version", hint="Send the version.", field="version")
    version = one_line(said.version, "version", 100)
    tx.lock(f"infra-release:{version}")
    if tx.first(select(Release).where(Release.version == version)) is not None:
        raise Conflict(
            f"Version {version} already exists", code="release_exists", hint="Publish it under another version."
        )
    url = said.github_release_url
    if url is not None and not url.startswith(("https://", "http://")):
        raise Invalid("github_release_url is no web address.", hint="Send one, or none.", field="github_release_url")
    release = tx.add(
        Release(
            uid=tx.ids.uid(),
            version=version,
            release_notes=_optional(said.release_notes, "release_notes", LONGEST_NOTES),
            github_release_url=_optional(url, "github_release_url", 1000),
            commit_sha=_optional(said.commit_sha, "commit_sha", 64),
            is_breaking=said.is_breaking,
            released_at=tx.now,
        )
    )
    tx.flush()
    known = select(Worker.id).where(Worker.version == version)
    tx.execute(update(Runner).where(Runner.worker_id.in_(known)).values(release_id=release.id))
    home = default_organization(tx)
    tx.flush()
    note_release(tx, release, home.id)
    return release


def newest(tx: Tx) -> Release | None:
    return tx.first(select(Release).order_by(Release.released_at.desc(), Release.id.desc()).limit(1))


def page(tx: Tx, before: str | None, limit: int) -> list[Release]:
    """Newest first; `before` is the uid of the last one of the page before."""
    query = select(Release).order_by(Release.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Release.id < select(Release.id).where(Release.uid == before).scalar_subquery())
    return list(tx.scalars(query))


def due(worker: Worker, latest: Release | None, *, foreign: bool, server: str | None = None) -> str | None:
    """The version that a runner should be, where the one that it tells is outdated. A foreign one should be the newest
    release; an enrolled worker is the same program as the `server` (this one unless given), and no older than that.
    """
    if worker.version is None:
        return None
    if foreign:
        return latest.version if latest is not None and worker.version != latest.version else None
    here = server or offering.release()
    return here if older(worker.version, here) else None


def older(one: str, other: str) -> bool:
    """Whether a version comes before another one; false where either is none (PEP 440 in short: numbers, and what is
    built before a release comes before it).
    """
    left, right = _order(one), _order(other)
    return left is not None and right is not None and left < right


def _order(version: str) -> tuple[tuple[int, ...], bool, str, int] | None:
    found = _VERSION.fullmatch(version.strip())
    if found is None or version.strip() == UNKNOWN:
        return None
    numbers = [int(part) for part in found["numbers"].split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    word, number = found["word"] or "", int(found["number"] or 0)
    return tuple(numbers), word in {"", "post"}, _STAGES.get(word, word), number


def _optional(text: str | None, field: str, longest: int) -> str | None:
    return (lines(text, field, longest) or None) if text is not None else None
