"""A folder of this machine as a source: copied, without what is heavy and made again anyway."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.deploy.sources.git import failures
from quarterdeck.deploy.sources.links import leaves, leaving_links
from quarterdeck.deploy.sources.reading import open_file, open_folder, open_root
from quarterdeck.deploy.sources.spec import FetchLimits
from quarterdeck.kernel.errors import Invalid, NotFound, Timeout, Unavailable

HEAVY = frozenset(
    {
        ".git", ".hg", ".svn", "node_modules", ".venv", "__pycache__", ".tox", ".nox",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".gradle", ".terraform",
    }
)  # fmt: skip
CHUNK = 1_048_576
TELL_SECONDS = 5.0
"""Between two lines that say how far a long copy is."""


@dataclass
class Copy:
    """Copies `source` to `target` within limits; `digest` is over names, modes and contents in a fixed order."""

    source: Path
    target: Path
    limits: FetchLimits
    log: Callable[[str], None]
    within: Sequence[str] = ("/",)
    """Directories, in one of which the source has to lie."""
    without: frozenset[str] = HEAVY
    size: int = 0
    files: int = 0
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()
        self._told = time.monotonic()
        self._end = self._told + self.limits.seconds

    def run(self) -> str:
        """Answers `sha256:…`. Raises NotFound, Forbidden, Invalid or `source_too_large`; blocks, so run it in a
        thread.
        """
        try:
            root = open_root(self.source, self.within)
            try:
                self._refuse_own_data()
                self._folder(root, "", self.target)
            finally:
                os.close(root)
        except PermissionError as error:
            raise Unavailable(
                f"{error.filename} cannot be read.",
                code="source_unreachable",
                hint="Let the user of the control plane read the folder.",
                phase="detect",
            ) from None
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(
                f"There is no folder {self.source} on this machine.",
                code="source_unreachable",
                hint="Check the path; it counts on the machine that runs the deployment.",
                phase="detect",
            ) from None
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise failures.disk_full(str(self.source)) from None
            raise
        # A chain of links that was bent while it was copied shows in the copy, where nobody bends anything.
        for link in leaving_links(self.target, self.target):
            raise self._leaves(str(link.relative_to(self.target)))
        return f"sha256:{self._hash.hexdigest()}"

    def _so_far(self) -> str:
        return f"{self.files} files with {self.size / 1e6:.0f} MB"

    def _refuse_own_data(self) -> None:
        if self.target.resolve().is_relative_to(self.source.resolve()):
            raise Invalid(
                f"The folder {self.source} contains Quarterdeck's own data.",
                code="source_locator_invalid",
                hint="Deploy a folder that does not contain the data directory.",
            )

    def _folder(self, folder: int, where: str, target: Path) -> None:
        target.mkdir(exist_ok=True, mode=0o755)
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
        for entry in ordered:
            if self._end < time.monotonic():
                raise Timeout(
                    f"Copying {self.source} took longer than {self.limits.seconds:g} s: {self._so_far()} were copied.",
                    code="source_timeout",
                    hint="Deploy the folder of the application alone, not one of those above it.",
                    phase="detect",
                )
            if self._told + TELL_SECONDS < time.monotonic():
                self._told = time.monotonic()
                self.log(f"Copied {self._so_far()} of {self.source} until now.")
            name = f"{where}{entry.name}"
            if entry.is_symlink():
                self._link(folder, entry.name, name, target / entry.name)
            elif entry.is_dir(follow_symlinks=False):
                if entry.name not in self.without:
                    self._below(folder, entry.name, name, target / entry.name)
            elif entry.is_file(follow_symlinks=False):
                self._file(folder, entry.name, name, target / entry.name)
            else:
                self._warn(f"{name} is neither file, folder nor link and was left out.")

    def _below(self, folder: int, entry: str, name: str, target: Path) -> None:
        inner = open_folder(entry, folder)
        try:
            if not _exists("pyvenv.cfg", inner):
                self._note(b"d", name)
                self._folder(inner, f"{name}/", target)
        finally:
            os.close(inner)

    def _link(self, folder: int, entry: str, name: str, target: Path) -> None:
        aim = Path(os.readlink(entry, dir_fd=folder))
        if leaves(self.source, self.source / name):
            raise self._leaves(name)
        if aim.is_absolute():
            top = os.path.realpath(self.source)
            place = Path(os.path.realpath((self.source / name).parent)).relative_to(top)
            aim = Path(os.path.relpath(os.path.realpath(self.source / name), Path(top) / place))
        self._note(b"l", name, str(aim).encode(errors="surrogateescape"))
        target.symlink_to(aim)

    def _leaves(self, name: str) -> Invalid:
        return Invalid(
            f"The link {name} points out of the folder.",
            code="source_link_leaves_tree",
            hint="Replace the link by what it points at, or deploy a folder that contains both.",
            phase="detect",
        )

    def _file(self, folder: int, entry: str, name: str, target: Path) -> None:
        self.files += 1
        if self.files > self.limits.files:
            raise failures.too_large(f"has more than {self.limits.files} files", f"{self.limits.files}")
        content = hashlib.sha256()
        with os.fdopen(open_file(entry, folder), "rb") as reader, target.open("wb") as writer:
            runnable = os.fstat(reader.fileno()).st_mode & stat.S_IXUSR
            while chunk := reader.read(CHUNK):
                self.size += len(chunk)
                if self.size > self.limits.size:
                    limit = f"{self.limits.size // 1_000_000} MB"
                    raise failures.too_large(f"is larger than {limit}", limit)
                content.update(chunk)
                writer.write(chunk)
            os.fchmod(writer.fileno(), 0o755 if runnable else 0o644)
        self._note(b"x" if runnable else b"f", name, content.digest())

    def _note(self, kind: bytes, name: str, value: bytes = b"") -> None:
        self._hash.update(b"\0".join((kind, name.encode(errors="surrogateescape"), value)) + b"\0")

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.log(text)


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
