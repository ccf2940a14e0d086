"""Which folders of this machine may be sources: they are read with the server's rights, which may be root's."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarterdeck.deploy.sources.reading import BELOW, EVERYWHERE, lies_within, local_path, refused
from quarterdeck.identity.machine import Machine
from quarterdeck.kernel.db import Tx

ANY_FOLDER = "sources:any-folder"


@dataclass(frozen=True)
class Folders:
    """`roots` binds everybody. Without it, who holds `sources:any-folder` in the organization that this installation
    began with answers for what he names, and nobody else names a folder at all.
    """

    roots: tuple[str, ...] | None = None
    machine: Machine = field(default_factory=Machine, compare=False)

    def admit(self, tx: Tx, document: dict[str, Any]) -> None:
        """Raise `Forbidden` (`source_folder_refused`) unless the caller may make a source of what `document` names."""
        path = _path(document)
        if path is None:
            return
        self.within(document)
        if self.roots is None and not self.machine.answers(tx, ANY_FOLDER):
            raise refused(
                path,
                "Use a git repository or an image, or ask whoever runs the server to allow folders with "
                "QUARTERDECK_SOURCE_ROOTS.",
            )

    def within(self, document: dict[str, Any]) -> list[str]:
        """The directories below which the source has to lie when it is fetched; nothing for what is no folder."""
        path = _path(document)
        if path is None:
            return []
        if self.roots is None:
            return list(EVERYWHERE)
        if not lies_within(path, self.roots):
            raise refused(path, BELOW)
        return list(self.roots)


def _path(document: dict[str, Any]) -> Path | None:
    return local_path(str(document.get("kind")), str(document.get("locator")))
