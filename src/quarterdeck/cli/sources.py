"""What SOURCE is: a folder, a ZIP file, a repository or an image.

In this order: what `--kind` says; what ends in `.zip`; a path that starts with `.`, `/` or `~`; an address with `://`,
`user@host:path`, or anything that ends in `.git`; an existing folder; a well-known host with two parts behind it; else
an image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from quarterdeck.cli.failure import usage

Kind = Literal["folder", "archive", "git", "image"]
WIRE = {"folder": "local-folder", "archive": "zip-artifact", "git": "git-public", "image": "docker-image"}
SCP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:(?!/?-)\S+")
HOSTS = ("github.com/", "gitlab.com/", "bitbucket.org/", "codeberg.org/", "git.sr.ht/")
IMAGE = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@sha256:[0-9a-f]{64})?"
)
HINT = (
    "Give a folder (./shop), a ZIP file (./shop.zip), a repository (https://host/shop.git) or an image (nginx:alpine); "
    "--kind decides."
)


@dataclass(frozen=True)
class Source:
    """`locator` as it is sent; `name` is what a resource made from it is called by itself; `key` is the id of the
    stored SSH credential that it is fetched with, `build_on` that of the server that builds its images.
    """

    kind: Kind
    locator: str
    name: str
    ref: str | None = None
    base_directory: str | None = None
    key: str | None = None
    build_on: str | None = None

    def with_key(self, key: str) -> Source:
        """Fetched with this stored SSH credential. Raises `Failure` for what is no repository."""
        if self.kind != "git":
            raise usage(f"{self.locator} is no repository, so it needs no deploy key.", "Leave --key out.")
        return replace(self, key=key)

    def body(self) -> dict[str, Any]:
        """The source as the API takes it. A branch of a folder makes it the repository that lies there."""
        kind = "local-git" if self.kind == "folder" and self.ref else WIRE[self.kind]
        body: dict[str, Any] = {"kind": kind, "locator": self.locator, "displayName": self.name}
        if self.ref:
            body["gitRef"] = self.ref
        if self.base_directory:
            body["baseDirectory"] = self.base_directory
        if self.key:
            body |= {"kind": "git-deploy-key", "metadata": {"sshCredentialId": self.key}}
        if self.build_on:
            body["metadata"] = {**body.get("metadata", {}), "buildServerId": self.build_on}
        return body


def recognise(
    text: str,
    kind: Kind | None = None,
    *,
    branch: str | None = None,
    base_directory: str | None = None,
    here: Path | None = None,
) -> Source:
    """Raises `Failure` for what is none of these, or has no branches."""
    found = _recognised(text, kind, here)
    if found.kind == "image" and (branch or base_directory):
        raise usage(f"{text} is an image, which has neither branches nor directories.", HINT)
    if found.kind == "archive" and branch:
        raise usage(f"{text} is a ZIP file, which has no branches.", HINT)
    return replace(found, ref=branch, base_directory=base_directory)


def _recognised(text: str, kind: Kind | None, here: Path | None) -> Source:
    text = text.strip()
    if not text or text.startswith("-"):
        raise usage("There is no source.", HINT)
    chosen = kind or guess(text, here or Path.cwd())
    if chosen == "folder":
        return _folder(text, here or Path.cwd())
    if chosen == "archive":
        return _archive(text, here or Path.cwd())
    if chosen == "git":
        return _git(text)
    image = text.removeprefix("docker://")
    if not IMAGE.fullmatch(image):
        raise usage(f"{text} is neither a folder that exists, nor a repository, nor an image.", HINT)
    return Source("image", image, slug(image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]))


def guess(text: str, here: Path) -> Kind:
    if text.endswith(".zip") and not (here / Path(text).expanduser()).is_dir():
        return "archive"
    if text.startswith((".", "/", "~")):
        return "folder"
    if text.startswith("docker://"):
        return "image"
    if "@sha256:" in text:
        return "image"
    if "://" in text or SCP.fullmatch(text) or text.endswith(".git"):
        return "git"
    if (here / text).is_dir():
        return "folder"
    if text.startswith(HOSTS) and text.count("/") >= 2:
        return "git"
    return "image"


def _folder(text: str, here: Path) -> Source:
    path = (here / Path(text.removeprefix("file://")).expanduser()).resolve()
    if not path.exists():
        raise usage(f"There is no folder {path}.", HINT, code="source_missing")
    if not path.is_dir():
        raise usage(f"{path} is a file, not a folder.", HINT, code="source_missing")
    return Source("folder", str(path), slug(path.name))


def _archive(text: str, here: Path) -> Source:
    if "://" in text and not text.startswith("file://"):
        name = urlsplit(text).path.rsplit("/", 1)[-1]
        return Source("archive", text, slug(name.removesuffix(".zip")))
    path = (here / Path(text.removeprefix("file://")).expanduser()).resolve()
    if not path.is_file():
        raise usage(f"There is no file {path}.", HINT, code="source_missing")
    return Source("archive", str(path), slug(path.name.removesuffix(".zip")))


def _git(text: str) -> Source:
    locator = f"https://{text}" if text.startswith(HOSTS) else text
    if "://" in locator:
        parts = urlsplit(locator)
        if parts.scheme not in {"https", "http", "ssh", "file"}:
            raise usage(f"Repositories are not fetched over {parts.scheme}.", HINT)
        path = parts.path
    else:
        path = locator.split(":", 1)[-1]
    pieces = [piece for piece in path.split("/") if piece]
    if not pieces:
        raise usage(f"{text} names no repository.", HINT)
    if len(pieces) >= 4 and pieces[2] == "tree" and "github.com" in locator:
        return Source("git", locator, slug(pieces[-1] if len(pieces) > 4 else pieces[1]))
    return Source("git", locator, slug(pieces[-1].removesuffix(".git")))


def slug(text: str) -> str:
    """A name that every part of the product takes: lower case, digits, dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50] or "app"
