"""What of the data directory's files belongs into a backup, beside the databases.

What serves now and what a rollback gives back, who had which port and user number, and saved plans and files of
secrets, sealed as they are. Not what is made again: work directories, the edge's certificates and its private keys,
sockets, process states.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from quarterdeck.backups.manifest import ARTEFACTS, RUNTIME, SECRETS

LEDGERS = ("processes/ports.json", "processes/accounts.json", "edge/ports.json", "edge/options.json")
DIRECTORIES = ("edge/routes", "edge/upstreams")


def listed(runtime: Path, releases: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Path in the backup and on the disk, a directory before what is in it."""
    for name in LEDGERS:
        if (runtime / name).is_file():
            yield f"{RUNTIME}/{name}", runtime / name
    for name in (*DIRECTORIES, *(f"releases/{release}" for release in sorted(releases))):
        if (runtime / name).is_dir():
            yield from _below(f"{RUNTIME}/{name}", runtime / name)


def artefacts(data: Path) -> Iterator[tuple[str, Path]]:
    """The same of the saved plans that lie in a data directory. Those that go meanwhile are needed by nobody."""
    root = data / ARTEFACTS
    if not root.is_dir():
        return
    yield ARTEFACTS, root
    for job in sorted(path for path in root.iterdir() if not path.name.startswith(".")):
        with contextlib.suppress(FileNotFoundError):
            inside = sorted(job.iterdir())
            yield f"{ARTEFACTS}/{job.name}", job
            yield from ((f"{ARTEFACTS}/{job.name}/{file.name}", file) for file in inside)


def secrets(data: Path) -> Iterator[tuple[str, Path]]:
    """The same of the encrypted files in which secrets are kept. Each is replaced whole when it changes."""
    found = sorted((data / SECRETS).glob("*.secrets"))
    if found:
        yield SECRETS, data / SECRETS
        yield from ((f"{SECRETS}/{file.name}", file) for file in found)


def _below(path: str, place: Path) -> Iterator[tuple[str, Path]]:
    yield path, place
    with os.scandir(place) as found:
        inside = sorted(found, key=lambda entry: entry.name)
    for entry in inside:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(f"{path}/{entry.name}", Path(entry.path))
        elif not entry.name.startswith(".") or "/releases/" in path:  # beside the edge's files: half-written ones
            yield f"{path}/{entry.name}", Path(entry.path)
