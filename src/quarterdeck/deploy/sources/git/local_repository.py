"""A repository on this machine that may not lead git elsewhere."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from quarterdeck.deploy.sources.local import Copy
from quarterdeck.deploy.sources.reading import BELOW, refused
from quarterdeck.deploy.sources.spec import FetchLimits

ELSEWHERE = ("commondir", "objects/info/alternates", "objects/info/http-alternates")
"""Files by which a repository borrows from another one."""


def apart(repository: Path, target: Path, limits: FetchLimits, within: Sequence[str]) -> Path:
    """Copies the repository (not its working tree) and answers where to. Git reads the copy alone, so that neither a
    link nor a file of the repository's own can have it read what lies outside of `within`, even one made meanwhile.

    Raises `source_folder_refused` for a repository that lies outside or borrows its objects, and what `Copy` raises.
    """
    place = repository / ".git"
    try:
        kind = place.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        place = repository  # a bare one, or none: git says which
    else:
        if not stat.S_ISDIR(kind):
            raise refused(repository, "It is a linked working tree: name the repository that it belongs to.")
    Copy(place, target, limits, lambda _: None, within, without=frozenset()).run()
    for name in ELSEWHERE:
        if (target / name).exists():
            raise refused(repository, f"It borrows from another repository ({name}): deploy that one, or a clone.")
    if (target / ".git").exists():
        raise refused(repository, BELOW)
    return target
