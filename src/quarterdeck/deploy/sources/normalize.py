"""The normal form of a source: the same tree is always written the same way."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from urllib.parse import unquote, urlsplit

from quarterdeck.deploy.sources import images, paths
from quarterdeck.deploy.sources.spec import GIT_KINDS, INLINE, GitKey, SourceSpec
from quarterdeck.fleet.git import locators
from quarterdeck.fleet.git.commands import GitToken
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret

_REF = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.|/$|\.$))[^\x00-\x20\x7f~^:?*\[\\]+")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def git_ref(value: str | None) -> str | None:
    """A branch, tag, full ref or commit as given, or Invalid when git could not have such a name."""
    text = (value or "").strip()
    if not text:
        return None
    if text == "@" or len(text) > 255 or not _REF.fullmatch(text):
        raise Invalid(
            "This is not a name that a branch, tag or commit can have.",
            hint="Give a branch, a tag, or a full commit id.",
            field="gitRef",
        )
    return text


def commit_sha(value: str | None) -> str | None:
    text = (value or "").strip().lower()
    if not text:
        return None
    if not _COMMIT.fullmatch(text):
        raise Invalid("A commit is 40 hexadecimal digits.", hint="Give the full commit id.", field="commitSha")
    return text


_PASSWORD = re.compile(r"://[^/\s@:$]*:[^/\s@$]+@")


def normalize(source: SourceSpec) -> SourceSpec:
    """Pure. Raises Invalid for a source that could not be fetched whatever the network says."""
    if source.kind == "docker-image":
        image = images.parse(source.locator)
        return dataclasses.replace(
            source,
            locator=source.locator.strip().removeprefix("docker://"),
            image_name=image.name,
            image_tag=image.tag,
            image_digest=image.digest,
        )
    base = paths.base_directory(source.base_directory)
    if source.kind in INLINE:
        if not (source.content or "").strip():
            raise Invalid(f"The inline {INLINE[source.kind]} is empty.", hint="Give its text.", field="content")
        if source.kind == "docker-compose-inline" and _PASSWORD.search(source.content or ""):
            raise Invalid(
                "The inline Compose file has a password in an address.",
                hint="Make it a secret of the resource and write ${NAME} in its place.",
                field="content",
            )
        return dataclasses.replace(source, base_directory=None)
    if source.kind == "local-folder" or (source.kind == "local-git" and "://" not in source.locator):
        return dataclasses.replace(
            source,
            locator=_folder(source.locator),
            base_directory=base,
            git_ref=git_ref(source.git_ref),
            commit_sha=commit_sha(source.commit_sha),
        )
    if source.kind == "zip-artifact":
        return _archive(dataclasses.replace(source, base_directory=base, git_ref=None, commit_sha=None))
    if source.kind in GIT_KINDS:
        return _git(dataclasses.replace(source, base_directory=base))
    raise Invalid(f"Sources of kind {source.kind} are not fetched.", code="source_kind_unsupported")


def _folder(locator: str) -> str:
    path = locator.removeprefix("file://")
    if not path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise Invalid(
            "A local source needs an absolute path without `..`.",
            code="source_locator_invalid",
            hint="Give the folder's full path on the machine of the control plane, such as /srv/shop.",
        )
    return path.rstrip("/") or "/"


def _archive(source: SourceSpec) -> SourceSpec:
    locator = source.locator.strip()
    if locator.startswith(("/", "file://")):
        return dataclasses.replace(source, locator=_folder(locator))
    address = locators.parse(locator)
    if address.protocol not in {"https", "http"}:
        raise Invalid(
            "A ZIP file is fetched from an https:// address or read from this machine.",
            code="source_locator_invalid",
            hint="Give https://host/app.zip, or the file's full path on the machine of the control plane.",
        )
    return dataclasses.replace(source, locator=address.url, credentials=source.credentials or _token(address))


def _token(address: locators.Address) -> GitToken | None:
    """A token in an address becomes a secret before the address is stored or shown anywhere."""
    if not (address.username or address.password):
        return None
    token, name = (address.password, address.username) if address.password else (address.username, None)
    return GitToken(Secret(token or ""), name or "x-access-token")


def _git(source: SourceSpec) -> SourceSpec:
    address = locators.parse(source.locator.strip())
    original, ref, base = source.original_locator, git_ref(source.git_ref), source.base_directory
    url, credentials = address.url, source.credentials
    if address.protocol in {"https", "http"} and credentials is None:
        credentials = _token(address)
    if address.host == "github.com" and address.protocol in {"https", "http"}:
        url, tree_ref, tree_base = _github(address)
        if tree_ref:
            original = original or address.url
            ref, base = ref or git_ref(tree_ref), base or paths.base_directory(tree_base)
    if isinstance(credentials, GitKey) and address.protocol != "ssh":
        raise Invalid(
            "A deploy key needs an SSH address.",
            code="source_locator_invalid",
            hint="Use user@host:path or ssh://, or give a token.",
        )
    return dataclasses.replace(
        source,
        locator=url,
        original_locator=original,
        git_ref=ref,
        commit_sha=commit_sha(source.commit_sha),
        base_directory=base,
        credentials=credentials,
    )


def _github(address: locators.Address) -> tuple[str, str | None, str | None]:
    """`https://github.com/OWNER/NAME/tree/REF/DIRECTORY` in three. A ref with a slash cannot be told from a
    directory there; it must be given as gitRef.
    """
    scheme, host = urlsplit(address.url)[:2]
    parts = [unquote(part) for part in address.path.strip("/").split("/")]
    if len(parts) < 2:
        return address.url, None, None
    clone = f"{scheme}://{host}/{parts[0]}/{parts[1].removesuffix('.git')}.git"
    if len(parts) >= 4 and parts[2] == "tree":
        return clone, parts[3], "/".join(parts[4:]) or None
    if len(parts) == 2:
        return clone, None, None
    raise Invalid(
        "This page of GitHub is not a repository or a directory of one.",
        code="source_locator_invalid",
        hint="Use the address of the repository, or of a directory (…/tree/BRANCH/DIRECTORY).",
    )


def fingerprint(source: SourceSpec) -> str:
    """`srcfp_` and eight hexadecimal digits: equal for sources that bind to the same place."""
    normal = normalize(source)
    place = "\n".join([normal.kind, normal.locator, normal.git_ref or "", normal.base_directory or ""])
    return "srcfp_" + hashlib.sha256(place.encode()).hexdigest()[:8]
