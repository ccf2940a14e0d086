"""Where a source tree comes from, how much of it we take, and what was got: values only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from quarterdeck.fleet.git.commands import GitToken
from quarterdeck.kernel.vault import Secret

Kind = Literal[
    "local-folder",
    "local-git",
    "remote-git",
    "git-public",
    "git-deploy-key",
    "zip-artifact",
    "docker-image",
    "dockerfile-inline",
    "docker-compose-inline",
]
INLINE: dict[str, str] = {"dockerfile-inline": "Dockerfile", "docker-compose-inline": "compose.yml"}
"""Kinds whose text is the source, with the name of the file that it becomes."""
GIT_KINDS: frozenset[str] = frozenset({"local-git", "remote-git", "git-public", "git-deploy-key"})


@dataclass(frozen=True, eq=False)
class GitKey:
    """A private key in OpenSSH form, without a passphrase."""

    private_key: Secret[str]


Credentials = GitToken | GitKey


@dataclass(frozen=True)
class SourceSpec:
    """One source in normal form (see `normalize`). `content` is the text of an inline Dockerfile or Compose file."""

    kind: Kind
    locator: str
    git_ref: str | None = None
    commit_sha: str | None = None
    base_directory: str | None = None
    original_locator: str | None = None
    image_name: str | None = None
    image_tag: str | None = None
    image_digest: str | None = None
    content: str | None = None
    credentials: Credentials | None = field(default=None, compare=False, repr=False)

    def document(self) -> dict[str, str]:
        """Everything that decides which tree is fetched, without credentials."""
        facts = {
            "kind": self.kind,
            "locator": self.locator,
            "gitRef": self.git_ref,
            "commitSha": self.commit_sha,
            "baseDirectory": self.base_directory,
            "imageName": self.image_name,
            "imageTag": self.image_tag,
            "imageDigest": self.image_digest,
            "content": self.content,
        }
        return {name: value for name, value in facts.items() if value is not None}

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class FetchLimits:
    """Bytes, files and seconds. `size` bounds both what is transferred and what is checked out; `answer_seconds` is
    how long a server may take for its first word.
    """

    size: int = 1_000_000_000
    files: int = 200_000
    seconds: float = 600.0
    answer_seconds: float = 30.0
    submodules: int = 50
    submodule_depth: int = 5


@dataclass(frozen=True)
class FetchedSource:
    """A complete tree on disk. `tree` is where the application is (the base directory included), `root` the whole.

    `revision` is the commit, or `sha256:…` over names, modes and contents where there is no commit.
    `host_key` is the fingerprint of the SSH host that answered, if one did.
    """

    revision: str
    commit: str | None
    ref: str | None
    message: str | None
    author: str | None
    root: Path
    tree: Path
    size: int
    files: int
    host_key: str | None = None
    warnings: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "commit": self.commit,
            "ref": self.ref,
            "message": self.message,
            "author": self.author,
            "size": self.size,
            "files": self.files,
            "hostKey": self.host_key,
            "warnings": list(self.warnings),
        }
