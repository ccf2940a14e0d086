"""Source trees as detection sees them: names and bounded reads, never a way out of the root."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

SKIPPED_DIRECTORIES = frozenset(
    {
        ".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".nox", ".mypy_cache",
        ".ruff_cache", ".pytest_cache", ".idea", ".gradle", "bower_components", ".cache", ".terraform",
    }
)  # fmt: skip
MAX_FILES = 20_000
MAX_DEPTH = 12


class SourceTree(Protocol):
    """Files below one root. Paths are relative, with `/`; nothing here raises for a missing or odd file."""

    @property
    def truncated(self) -> bool:
        """Whether the tree holds more files than `paths` lists."""

    def paths(self) -> tuple[str, ...]:
        """Regular files, sorted, at most the tree's bound."""

    def read(self, path: str, limit: int) -> bytes | None:
        """Return the first `limit` bytes of a regular file inside the tree, or None."""

    def exists(self, path: str) -> bool:
        """Whether a file or a directory of that name lies inside the tree."""


class MemoryTree:
    """A tree held in memory: inline Dockerfiles and tests."""

    truncated = False

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        self._files = {name: body.encode() if isinstance(body, str) else body for name, body in files.items()}

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self._files))

    def read(self, path: str, limit: int) -> bytes | None:
        body = self._files.get(path)
        return None if body is None else body[:limit]

    def exists(self, path: str) -> bool:
        wanted = path.strip("/")
        return any(name == wanted or name.startswith(f"{wanted}/") for name in self._files)


class DirectoryTree:
    """A directory on disk. Symbolic links are followed only to files that lie inside the root."""

    def __init__(self, root: Path, base: str = ".", *, max_files: int = MAX_FILES, max_depth: int = MAX_DEPTH) -> None:
        """`base` is the resource's base directory; one that leads out of `root` reads as an empty tree."""
        self._source = Path(os.path.realpath(root))
        self._root = Path(os.path.realpath(self._source / base.strip("/")))
        self._inside = self._root.is_relative_to(self._source)
        self._max_files = max_files
        self._max_depth = max_depth
        self._listed: tuple[str, ...] | None = None
        self._truncated = False

    @property
    def truncated(self) -> bool:
        self.paths()
        return self._truncated

    def paths(self) -> tuple[str, ...]:
        if self._listed is None:
            self._listed = tuple(sorted(self._walk())) if self._inside else ()
        return self._listed

    def read(self, path: str, limit: int) -> bytes | None:
        target = self._resolve(path)
        if target is None:
            return None
        try:
            # Non-blocking, so that a pipe put in a file's place cannot hold detection up.
            descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        with os.fdopen(descriptor, "rb") as handle:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            try:
                return handle.read(limit)
            except OSError:
                return None

    def exists(self, path: str) -> bool:
        target = self._resolve(path)
        try:
            return target is not None and target.exists()
        except OSError:
            return False

    def _resolve(self, path: str) -> Path | None:
        if not self._inside or "\0" in path:
            return None
        try:
            target = Path(os.path.realpath(self._root / path.lstrip("/")))
        except (OSError, ValueError, RuntimeError):
            return None
        return target if target.is_relative_to(self._root) else None

    def _walk(self) -> list[str]:
        found: list[str] = []
        waiting: deque[tuple[str, int]] = deque([("", 0)])
        while waiting:
            folder, depth = waiting.popleft()
            try:
                entries = sorted(os.scandir(self._root / folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if not entry.name.isprintable():
                    continue
                name = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in SKIPPED_DIRECTORIES and depth < self._max_depth:
                        waiting.append((f"{name}/", depth + 1))
                elif self._is_file(entry, name):
                    if len(found) >= self._max_files:
                        self._truncated = True
                        return found
                    found.append(name)
        return found

    def _is_file(self, entry: os.DirEntry[str], name: str) -> bool:
        try:
            if not entry.is_symlink():
                return entry.is_file(follow_symlinks=False)
            target = self._resolve(name)
            return target is not None and target.is_file()
        except OSError:
            return False
