"""Symbolic links in a source tree that point out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def leaves(root: Path, link: Path) -> bool:
    """Whether `link` leads out of `root`, over whatever further links; a dangling one inside does not."""
    inside = os.path.realpath(root)
    target = os.path.realpath(link)
    return target != inside and not target.startswith(inside + os.sep)


def leaving_links(root: Path) -> Iterator[Path]:
    for place, directories, files in os.walk(root):
        for name in (*directories, *files):
            path = Path(place, name)
            if path.is_symlink() and (os.path.isabs(path.readlink()) or leaves(root, path)):
                yield path
