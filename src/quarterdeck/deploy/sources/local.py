"""A folder of this machine as a source: copied, without what is heavy and made again anyway."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.deploy.sources.git import failures
from quarterdeck.deploy.sources.links import leaves
from quarterdeck.deploy.sources.spec import FetchLimits
from quarterdeck.kernel.errors import Invalid, NotFound, Unavailable

HEAVY = frozenset(
    {
        ".git", ".hg", ".svn", "node_modules", ".venv", "__pycache__", ".tox", ".nox",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".gradle", ".terraform",
    }
)  # fmt: skip
CHUNK = 1_048_576


@dataclass
class Copy:
    """Copies `source` to `target` within limits; `digest` is over names, modes and contents in a fixed order."""

    source: Path
    target: Path
    limits: FetchLimits
    log: Callable[[str], None]
    size: int = 0
    files: int = 0
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()
        self._end = time.monotonic() + self.limits.seconds

    def run(self) -> str:
        """Answers `sha256:…`. Raises NotFound, Invalid or `source_too_large`; blocks, so run it in a thread."""
        if not self.source.is_dir():
            raise NotFound(
                f"There is no folder {self.source} on this machine.",
                code="source_unreachable",
                hint="Check the path; it counts on the machine that runs the deployment.",
                phase="detect",
            )
        if self.target.resolve().is_relative_to(self.source.resolve()):
            raise Invalid(
                f"The folder {self.source} contains Quarterdeck's own data.",
                code="source_locator_invalid",
                hint="Deploy a folder that does not contain the data directory.",
            )
        try:
            self._folder(self.source, self.target)
        except PermissionError as error:
            raise Unavailable(
                f"{error.filename} cannot be read.",
                code="source_unreachable",
                hint="Let the user of the control plane read the folder.",
                phase="detect",
            ) from None
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise failures.disk_full(str(self.source)) from None
            raise
        return f"sha256:{self._hash.hexdigest()}"

    def _folder(self, source: Path, target: Path) -> None:
        target.mkdir(exist_ok=True, mode=0o755)
        with os.scandir(source) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
        for entry in ordered:
            if self._end < time.monotonic():
                raise failures.timed_out(str(self.source), self.limits.seconds)
            path = Path(entry.path)
            if entry.is_symlink():
                self._link(path, target / entry.name)
            elif entry.is_dir():
                if entry.name not in HEAVY and not (path / "pyvenv.cfg").exists():
                    self._note(b"d", path)
                    self._folder(path, target / entry.name)
            elif entry.is_file():
                self._file(path, target / entry.name)
            else:
                self._warn(f"{path.relative_to(self.source)} is neither file, folder nor link and was left out.")

    def _link(self, link: Path, target: Path) -> None:
        if leaves(self.source, link):
            raise Invalid(
                f"The link {link.relative_to(self.source)} points out of the folder.",
                code="source_link_leaves_tree",
                hint="Replace the link by what it points at, or deploy a folder that contains both.",
                phase="detect",
            )
        aim = link.readlink()
        if aim.is_absolute():
            place = Path(os.path.realpath(link.parent)).relative_to(os.path.realpath(self.source))
            aim = Path(os.path.relpath(os.path.realpath(link), os.path.join(os.path.realpath(self.source), place)))  # noqa: PTH118
        self._note(b"l", link, str(aim).encode(errors="surrogateescape"))
        target.symlink_to(aim)

    def _file(self, path: Path, target: Path) -> None:
        self.files += 1
        if self.files > self.limits.files:
            raise failures.too_large(f"has more than {self.limits.files} files", f"{self.limits.files}")
        content = hashlib.sha256()
        with path.open("rb") as reader, target.open("wb") as writer:
            runnable = os.fstat(reader.fileno()).st_mode & stat.S_IXUSR
            while chunk := reader.read(CHUNK):
                self.size += len(chunk)
                if self.size > self.limits.size:
                    limit = f"{self.limits.size // 1_000_000} MB"
                    raise failures.too_large(f"is larger than {limit}", limit)
                content.update(chunk)
                writer.write(chunk)
            os.fchmod(writer.fileno(), 0o755 if runnable else 0o644)
        self._note(b"x" if runnable else b"f", path, content.digest())

    def _note(self, kind: bytes, path: Path, value: bytes = b"") -> None:
        name = str(path.relative_to(self.source)).encode(errors="surrogateescape")
        self._hash.update(b"\0".join((kind, name, value)) + b"\0")

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.log(text)
