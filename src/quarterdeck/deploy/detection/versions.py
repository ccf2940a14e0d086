"""Runtime versions that a project asks for, read from its version files."""

from __future__ import annotations

import re

from quarterdeck.deploy.detection.manifests import Manifests, table, word

NODE_DEFAULT = 22
NODE_RELEASES = (24, 22, 20, 18)
PYTHON_DEFAULT = (3, 11)
PYTHON_RELEASES = tuple((3, minor) for minor in range(9, 15))

_COMPARATOR = re.compile(r"(>=|<=|>|<|=|\^|~=|~|==|!=)?\s*v?(\d+)(?:\.(\d+|x|\*))?(?:\.(?:\d+|x|\*))*")


def first_line(manifests: Manifests, path: str) -> str | None:
    text = manifests.text(path)
    lines = [line.strip() for line in (text or "").splitlines()]
    return next((line for line in lines if line and not line.startswith("#")), None)


def node_version(manifests: Manifests, package: dict[str, object]) -> str | None:
    """Return the major version asked for by `.node-version`, `.nvmrc` or `engines.node`."""
    for path in (".node-version", ".nvmrc"):
        line = first_line(manifests, path)
        match = re.match(r"v?(\d{1,3})(?:\.|$)", line or "")
        if match:
            return match.group(1)
    engines = word(table(package, "engines").get("node"))
    return str(node_release(engines)) if engines else None


def node_release(requirement: str) -> int:
    """Choose a major version for an npm range: the default if it fits, else the newest long-term release that does."""
    alternatives = [part for part in requirement.split("||") if _COMPARATOR.search(part)]
    for major in (NODE_DEFAULT, *NODE_RELEASES):
        if any(_fits_node(part, major) for part in alternatives):
            return major
    exact = re.search(r"\d{1,3}", requirement)
    return int(exact.group()) if alternatives and exact else NODE_DEFAULT


def _fits_node(part: str, major: int) -> bool:
    hyphen = re.fullmatch(r"\s*v?(\d+)\S*\s+-\s+v?(\d+)\S*\s*", part)
    if hyphen:
        return int(hyphen.group(1)) <= major <= int(hyphen.group(2))
    for operator, number, _minor in _COMPARATOR.findall(part):
        bound = int(number)
        fits = {
            ">=": major >= bound, ">": major >= bound, "<": major < bound, "<=": major <= bound,
        }.get(operator, major == bound)  # fmt: skip
        if not fits:
            return False
    return True


def python_version(manifests: Manifests, project: dict[str, object]) -> str | None:
    """Return `3.N` from `.python-version`, `runtime.txt` or `requires-python`."""
    for path in (".python-version", "runtime.txt"):
        match = re.match(r"(?:python-)?(3\.\d{1,2})(?:\.\d+)?$", first_line(manifests, path) or "")
        if match:
            return match.group(1)
    requirement = word(project.get("requires-python"))
    if requirement is None:
        return None
    newer = [release for release in PYTHON_RELEASES if release >= PYTHON_DEFAULT]
    older = [release for release in reversed(PYTHON_RELEASES) if release < PYTHON_DEFAULT]
    for release in (*newer, *older):
        if _fits_python(requirement, release):
            return f"{release[0]}.{release[1]}"
    return None


def _fits_python(requirement: str, release: tuple[int, int]) -> bool:
    for operator, major, minor in _COMPARATOR.findall(requirement):
        bound = (int(major), int(minor) if minor.isdigit() else 0)
        fits = {
            ">=": release >= bound, ">": release > bound, "<": release < bound, "<=": release <= bound,
            "~=": release >= bound and release[0] == bound[0], "^": release >= bound and release[0] == bound[0],
            "!=": release != bound or not minor,
        }.get(operator, release == bound)  # fmt: skip
        if not fits:
            return False
    return True


def java_version(manifests: Manifests) -> str | None:
    line = first_line(manifests, ".java-version") or ""
    match = re.search(r"(?:^|[^\d.])(?:1\.)?(\d{1,2})(?:[.+_]|$)", line)
    return match.group(1) if match else None


def go_version(manifests: Manifests) -> str | None:
    match = re.search(r"^go\s+(\d+\.\d+)", manifests.text("go.mod") or "", re.MULTILINE)
    return match.group(1) if match else None


def rust_version(manifests: Manifests) -> str | None:
    channel = word(table(manifests.toml("rust-toolchain.toml"), "toolchain").get("channel"))
    channel = channel or first_line(manifests, "rust-toolchain")
    match = re.fullmatch(r"(\d+\.\d+(?:\.\d+)?)", channel or "")
    return match.group(1) if match else None


def dotnet_version(manifests: Manifests, project: str) -> str | None:
    pinned = word(table(manifests.json("global.json"), "sdk").get("version"))
    match = re.match(r"(\d+)\.(\d+)", pinned or "")
    if match is None:
        match = re.search(r"<TargetFrameworks?>\s*net(\d+)\.(\d+)", manifests.text(project) or "")
    return f"{match.group(1)}.{match.group(2)}" if match else None
