"""Sources in the spelling of the contract, to and from the values that are fetched."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec

from quarterdeck.deploy.sources.normalize import fingerprint as fingerprint_of
from quarterdeck.deploy.sources.normalize import normalize
from quarterdeck.deploy.sources.spec import INLINE, Credentials, GitKey, Kind, SourceSpec
from quarterdeck.fleet.git.commands import GitToken
from quarterdeck.kernel.errors import ProviderFailure
from quarterdeck.kernel.vault import Secret

USERINFO = re.compile(r"(\bhttps?://)[^/\s@]*@|(?<=://)[^/\s@:]*:[^/\s@]*@", re.IGNORECASE)
FETCHED: frozenset[str] = frozenset(get_args(Kind))
_FIELDS = {
    "gitRef": "git_ref",
    "commitSha": "commit_sha",
    "baseDirectory": "base_directory",
    "originalLocator": "original_locator",
}
_IMAGE = {"imageName": "image_name", "imageTag": "image_tag", "imageDigest": "image_digest"}


def from_document(document: dict[str, Any], credential: str | None = None) -> SourceSpec:
    """The value of a stored source. Raises `ProviderFailure` for a kind that cannot be fetched."""
    kind = document["kind"]
    if kind not in FETCHED:
        raise ProviderFailure(
            f"Sources of the kind {kind} cannot be deployed yet.",
            code="runtime_target_unsupported",
            hint=f"Use one of: {', '.join(sorted(FETCHED))}.",
            phase="source-resolution",
        )
    content = (document.get("metadata") or {}).get("content") or document["locator"] if kind in INLINE else None
    return SourceSpec(
        kind=kind,
        locator=document["locator"],
        content=content,
        credentials=_credentials(credential),
        **{field: document.get(name) for name, field in _FIELDS.items()},
    )


def _credentials(text: str | None) -> Credentials | None:
    if text is None:
        return None
    value = msgspec.json.decode(text)
    if "key" in value:
        return GitKey(Secret(value["key"]))
    return GitToken(Secret(value["token"]), value["username"])


def checked(document: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The stored form of a given source, normal and without any credential, and the credential as text if it had one.

    Raises `Invalid` for what could never be fetched.
    """
    kept = {name: value for name, value in document.items() if value is not None}
    for name in ("displayName", "originalLocator"):
        if name in kept:
            kept[name] = without_credentials(kept[name])
    if "metadata" in kept and document["kind"] not in INLINE:
        kept["metadata"] = {key: without_credentials(value) for key, value in kept["metadata"].items()}
    if document["kind"] not in FETCHED:
        kept["locator"] = without_credentials(kept["locator"])
    kept.setdefault("displayName", _display_name(document["kind"], kept["locator"]))
    if document["kind"] not in FETCHED:
        return kept, None
    spec = normalize(from_document(document))
    kept["locator"] = spec.locator
    for name, field in {**_FIELDS, **_IMAGE}.items():
        value = getattr(spec, field)
        if value is not None:
            kept[name] = without_credentials(value) if name == "originalLocator" else value
    if not document.get("displayName"):
        kept["displayName"] = _display_name(spec.kind, spec.locator)
    credential = None
    if isinstance(spec.credentials, GitToken):
        credential = msgspec.json.encode(
            {"token": spec.credentials.token.reveal(), "username": spec.credentials.username}
        ).decode()
    elif isinstance(spec.credentials, GitKey):
        credential = msgspec.json.encode({"key": spec.credentials.private_key.reveal()}).decode()
    return kept, credential


def without_credentials(text: str) -> str:
    """The text without what stands before an @ in its addresses: `https://name:token@host` is `https://host`."""
    return USERINFO.sub(r"\1", text)


def _display_name(kind: str, locator: str) -> str:
    if kind in INLINE:
        return INLINE[kind]
    return locator.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")[:120] or locator[:120]


def fingerprint(document: dict[str, Any]) -> str:
    """`srcfp_` and eight hexadecimal digits: equal for sources that bind to the same place."""
    if document["kind"] in FETCHED:
        return fingerprint_of(from_document(document))
    return fingerprint_of(
        SourceSpec(kind="dockerfile-inline", locator=document["locator"], content=document["locator"])
    )
