"""Release directories of a host: a copy of a tree that belongs to the application's own user, built in place.

A release is named after its deployment: `<root>/releases/<name>/tree`, with a mark beside it once it is complete. On
the standard library alone, since it is also run where nothing else is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from quarterdeck.fleet.processes.ownership import grant, publish
from quarterdeck.kernel import disk, trees
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure

COMPLETE = ".quarterdeck-complete"


class Releases:
    """`root` is the target directory of the host."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def directory(self, name: str) -> Path:
        """Whatever a name says, nothing outside of the releases is meant."""
        return self._root / "releases" / Path(name).name

    def tree(self, name: str) -> Path:
        return self.directory(name) / "tree"

    def is_complete(self, name: str) -> bool:
        return (self.directory(name) / COMPLETE).is_file()

    def lay_out(self, name: str, source: Path, excluded: Sequence[str], account: int | None) -> None:
        """Copy a directory, or unpack an archive of one, in place of what was there.

        Until everything is granted nobody else comes into the release: another version that runs as the same user
        could put links in the place of what is its own already.
        """
        release, tree = self.directory(name), self.tree(name)
        if release.exists():
            release.chmod(0o700)
            trees.remove(release)
        release.mkdir(mode=0o700, parents=True)
        if source.is_dir():
            shutil.copytree(source, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", *excluded))
        else:
            tree.mkdir()
            # Not by the standard library, of which the host may have a version that unpacks otherwise.
            subprocess.run(["tar", "-xf", str(source), "-C", str(tree), "--no-same-owner"], check=True)
        if account is not None:
            # No business of the users that other applications run as.
            tree.chmod(0o700)
            grant(tree, account)
        release.chmod(0o711)

    def publish(self, name: str, directory: str, account: int | None) -> str:
        """Make a directory of the tree readable for the edge, and the application's no more. Answers its path. Raises
        `Invalid` (`static_publish_directory_missing`) and what `ownership.publish` raises.
        """
        top = self.tree(name).resolve()
        found = self.published(name, directory)
        if not Path(found).is_dir() or not Path(found).is_relative_to(top):
            raise Invalid(
                f"The build left no directory {directory}.",
                code="static_publish_directory_missing",
                hint="Set publishDirectory to what the build writes.",
            )
        publish(top, Path(found), account)
        return found

    def published(self, name: str, directory: str) -> str:
        return str((self.tree(name) / directory.strip("/")).resolve())

    def complete(self, name: str) -> None:
        (self.directory(name) / COMPLETE).touch(mode=0o600)

    def shortage(self, name: str, least_free: float, most: int) -> Problem | None:
        """Why a build there has to be ended: it writes the disk full, more than it may, or too deep."""
        problem = disk.shortage(self._root, disk.free_share(self._root), least_free)
        if problem is not None:
            return problem
        try:
            if trees.size(self.tree(name)) <= most:
                return None
        except Invalid as too_deep:
            return too_deep
        return ProviderFailure(
            f"The build wrote more than {most / 1_000_000_000:.1f} GB and was ended.",
            code="build_disk_exceeded",
            hint="Let it write less, or raise QUARTERDECK_BUILD_DISK.",
        )

    def remove(self, name: str) -> None:
        trees.remove(self.directory(name))


def packed(source: Path, archive: Path, excluded: Sequence[str]) -> None:
    """Write an archive of a directory, as `lay_out` copies one."""
    leave = shutil.ignore_patterns(".git", *excluded)

    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        path = Path(member.name)
        return None if path.name and leave(str(path.parent), [path.name]) else member

    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as made:
        made.add(source, arcname=".", filter=kept)
