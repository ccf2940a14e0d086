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


def leaving_links(place: Path, root: Path) -> Iterator[Path]:
    """Links below `place` that lead out of `root`, and absolute ones, which would lead elsewhere on another machine."""
    for folder, directories, files in os.walk(place):
        for name in (*directories, *files):
            path = Path(folder, name)
            if path.is_symlink() and (path.readlink().is_absolute() or leaves(root, path)):
                yield path


def stays_inside(root: Path, place: Path) -> bool:
    """Whether writing to `place` writes below `root`."""
    return not place.is_symlink() and place.resolve().is_relative_to(root.resolve())
