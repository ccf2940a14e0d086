"""One door for every kind of source: `await fetch(spec, destination)`.

The tree is made in a sibling directory and renamed when it is whole, so that `destination` either is complete or does
not exist; repeating a fetch after a crash either finds it or begins anew.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from quarterdeck.deploy.sources.archives import Archive
from quarterdeck.deploy.sources.git.fetching import Fetch
from quarterdeck.deploy.sources.git.local_repository import apart
from quarterdeck.deploy.sources.git.running import Log
from quarterdeck.deploy.sources.local import Copy
from quarterdeck.deploy.sources.normalize import normalize
from quarterdeck.deploy.sources.reading import EVERYWHERE, local_path
from quarterdeck.deploy.sources.spec import GIT_KINDS, INLINE, FetchedSource, FetchLimits, SourceSpec
from quarterdeck.fleet.git import locators
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.ids import Ids

MARKER = "source.json"
TREE = "tree"
STORE = "store"


def _silent(_: str) -> None:
    """Where nobody listens."""


async def fetch(
    spec: SourceSpec,
    destination: Path,
    limits: FetchLimits | None = None,
    log: Log = _silent,
    *,
    known_hosts: Path | None = None,
    inherited: Mapping[str, str] | None = None,
    within: Sequence[str] = EVERYWHERE,
) -> FetchedSource:
    """Get the tree of `spec` into `destination`/tree, once: what is complete there already is answered as it is.

    `known_hosts` is the file in which SSH hosts are pinned (default: beside `destination`). What lies on this machine
    is read only below one of the directories of `within`, links followed. Raises Problems with the
    codes `source_too_large`, `source_unreachable`, `source_ref_not_found`, `source_auth_failed`, `source_timeout`.
    """
    source = normalize(spec)
    present = completed(source, destination)
    if present:
        log(f"The source is here already at {present.revision[:12]}.")
        return present
    if source.kind == "docker-image":
        raise Invalid("An image has no source tree to fetch.", code="source_kind_unsupported")
    bounds = limits or FetchLimits()
    partial = await asyncio.to_thread(_prepare, destination)
    try:
        fetched = await _fill(
            source, partial, bounds, log, known_hosts or destination.parent / "known_hosts", inherited, within
        )
        _within(source, fetched)
        await asyncio.to_thread(_finish, source, fetched, partial, destination)
    except RecursionError:
        raise trees.too_deep() from None
    finally:
        await asyncio.to_thread(trees.remove, partial)
    final = completed(source, destination)
    if final is None:
        raise Invalid("The source was changed while it was fetched.", hint="Deploy again.", code="source_unreachable")
    return final


def completed(source: SourceSpec, destination: Path) -> FetchedSource | None:
    """The tree that an earlier fetch of exactly this source has finished."""
    try:
        marker = json.loads((destination / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if marker.get("source") != normalize(source).digest:
        return None
    root = destination / TREE
    return FetchedSource(
        revision=marker["revision"],
        commit=marker["commit"],
        ref=marker["ref"],
        message=marker["message"],
        author=marker["author"],
        root=root,
        tree=root / source.base_directory if source.base_directory else root,
        size=marker["size"],
        files=marker["files"],
        host_key=marker["hostKey"],
        warnings=tuple(marker["warnings"]),
    )


async def _fill(
    source: SourceSpec,
    partial: Path,
    limits: FetchLimits,
    log: Log,
    known_hosts: Path,
    inherited: Mapping[str, str] | None,
    within: Sequence[str],
) -> FetchedSource:
    root = partial / TREE
    (partial / STORE).mkdir(mode=0o700)
    if source.kind in INLINE:
        return _inline(source, root)
    loop = asyncio.get_running_loop()
    if source.kind == "local-folder":
        return await _copied(source, root, Copy(Path(source.locator), root, limits, _told(loop, log), within))
    if source.kind == "zip-artifact":
        archive = Archive(source, partial / STORE, limits, _told(loop, log), within)
        folder = await archive.unpacked()
        # What somebody has packed is meant as it is: nothing is left out as heavy.
        return await _copied(source, root, Copy(folder, root, limits, _told(loop, log), without=frozenset()))
    if source.kind not in GIT_KINDS:
        raise Invalid(f"Sources of kind {source.kind} are not fetched.", code="source_kind_unsupported")
    root.mkdir()
    locator = f"file://{source.locator}" if source.locator.startswith("/") else source.locator
    bounded = None if tuple(within) == EVERYWHERE else local_path(source.kind, source.locator)
    if bounded is not None:
        locator = f"file://{await asyncio.to_thread(apart, bounded, partial / STORE / 'origin', limits, within)}"
    work = Fetch(
        root=locators.parse(locator),
        alone=bounded is not None,
        credentials=source.credentials,
        limits=limits,
        place=partial / STORE,
        known_hosts=known_hosts,
        log=log,
        inherited=os.environ if inherited is None else inherited,
    )
    got = await work.into(root, source.git_ref, source.commit_sha)
    log(f"Fetched {got.commit[:12]} {got.message}")
    fetched = _fetched(source, root, revision=got.commit, size=got.size, files=got.files, warnings=list(got.warnings))
    return dataclasses.replace(
        fetched, commit=got.commit, ref=got.ref, message=got.message, author=got.author, host_key=got.host_key
    )


async def _copied(source: SourceSpec, root: Path, copy: Copy) -> FetchedSource:
    revision = await asyncio.to_thread(copy.run)
    return _fetched(source, root, revision=revision, size=copy.size, files=copy.files, warnings=copy.warnings)


def _told(loop: asyncio.AbstractEventLoop, log: Log) -> Log:
    """The log for a thread: it belongs to the loop."""
    return lambda text: _tell(loop, log, text)


def _tell(loop: asyncio.AbstractEventLoop, log: Log, text: str) -> None:
    loop.call_soon_threadsafe(log, text)


def _inline(source: SourceSpec, root: Path) -> FetchedSource:
    content = (source.content or "").encode()
    root.mkdir()
    (root / INLINE[source.kind]).write_bytes(content)
    revision = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return _fetched(source, root, revision=revision, size=len(content), files=1, warnings=[])


def _fetched(
    source: SourceSpec, root: Path, *, revision: str, size: int, files: int, warnings: list[str]
) -> FetchedSource:
    tree = root / source.base_directory if source.base_directory else root
    return FetchedSource(revision, None, None, None, None, root, tree, size, files, warnings=tuple(warnings))


def _within(source: SourceSpec, fetched: FetchedSource) -> None:
    if not fetched.tree.is_dir() or not fetched.tree.resolve().is_relative_to(fetched.root.resolve()):
        raise NotFound(
            f"The source has no directory {source.base_directory}.",
            code="source_base_directory_missing",
            hint="Check the base directory and the branch.",
            phase="detect",
        )


def _prepare(destination: Path) -> Path:
    """A fresh sibling; what earlier attempts left half done goes away."""
    destination.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # sources are nobody else's business
    for old in destination.parent.glob(f".{destination.name}.fetching-*"):
        trees.remove(old)
    partial = destination.with_name(f".{destination.name}.fetching-{Ids().hex(8)}")
    partial.mkdir(mode=0o700)
    return partial


def _finish(source: SourceSpec, fetched: FetchedSource, partial: Path, destination: Path) -> None:
    """Keep the tree and its marker alone (no store, no key), then make them appear at once."""
    for entry in partial.iterdir():
        if entry.name != TREE:
            trees.remove(entry) if entry.is_dir() else entry.unlink()
    marker = fetched.facts() | {"source": source.digest}
    (partial / MARKER).write_text(json.dumps(marker), encoding="utf-8")
    partial.chmod(0o755)
    if destination.exists():
        trees.remove(destination)
    partial.rename(destination)
