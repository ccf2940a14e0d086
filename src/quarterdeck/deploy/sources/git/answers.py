"""Reading what git prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advertised:
    """Refs of a remote with their commits; `default` is what HEAD points at."""

    refs: dict[str, str]
    default: str | None

    def pick(self, ref: str | None) -> str | None:
        """The full name to fetch: a branch before a tag of the same name."""
        if ref is None:
            return self.default or ("HEAD" if "HEAD" in self.refs else None)
        names = (ref,) if ref.startswith("refs/") else (f"refs/heads/{ref}", f"refs/tags/{ref}")
        return next((name for name in names if name in self.refs), None)


def advertised(output: bytes) -> Advertised:
    refs: dict[str, str] = {}
    default = None
    for line in output.decode(errors="replace").splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: ") and name == "HEAD":
            default = value.removeprefix("ref: ")
        elif name:
            refs[name] = value
    # An empty repository names a default branch that does not exist yet.
    return Advertised(refs, default if "HEAD" in refs else None)


@dataclass(frozen=True)
class Listing:
    """A tree before it is checked out: bytes and number of its files, and the submodules as path → commit."""

    size: int
    files: int
    submodules: dict[str, str]
    uses_large_files: bool


def listing(output: bytes) -> Listing:
    size = files = 0
    submodules: dict[str, str] = {}
    attributes = False
    for entry in output.split(b"\0"):
        head, tab, name = entry.partition(b"\t")
        if not tab:
            continue
        mode, _, sha, length = head.split()
        if mode == b"160000":
            submodules[name.decode(errors="surrogateescape")] = sha.decode()
            continue
        files += 1
        size += int(length) if length.isdigit() else 0
        attributes = attributes or name.rpartition(b"/")[2] == b".gitattributes"
    return Listing(size, files, submodules, attributes)


def modules(output: bytes) -> dict[str, str]:
    """`.gitmodules` as path → address."""
    sections: dict[str, dict[str, str]] = {}
    for entry in output.decode(errors="surrogateescape").split("\0"):
        key, _, value = entry.partition("\n")
        if key.startswith("submodule.") and key.count(".") >= 2:
            name, _, field = key.removeprefix("submodule.").rpartition(".")
            sections.setdefault(name, {})[field] = value
    return {s["path"].rstrip("/"): s["url"] for s in sections.values() if s.get("path") and s.get("url")}
