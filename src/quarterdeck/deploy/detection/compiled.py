"""Go, .NET and Rust projects."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quarterdeck.deploy.detection.manifests import Manifests, table, word
from quarterdeck.deploy.detection.values import Evidence, Found, Issue, ProgramFacts
from quarterdeck.deploy.detection.versions import dotnet_version, go_version, rust_version

_GO = (
    ("github.com/gin-gonic/gin", "gin"),
    ("github.com/labstack/echo", "echo"),
    ("github.com/gofiber/fiber", "fiber"),
    ("github.com/go-chi/chi", "chi"),
)
_RUST = ("axum", "actix-web", "rocket")


def detect_go(manifests: Manifests) -> Found | None:
    if not manifests.has("go.mod"):
        return None
    text = manifests.text("go.mod") or ""
    framework = next((label for module, label in _GO if module in text), None)
    module = re.search(r"^module[ \t]+(\S+)", text, re.MULTILINE)
    entry, issues = _go_entry(manifests)
    return Found(
        planner="go",
        family="go",
        framework=framework,
        manager="go",
        shape="serverful-http",
        version=go_version(manifests),
        project_name=module.group(1) if module else None,
        server=framework is not None,
        evidence=_evidence("go.mod", framework),
        issues=issues,
        program=ProgramFacts(
            name="app", entry=entry, manifests=tuple(path for path in ("go.mod", "go.sum") if manifests.has(path))
        ),
    )


def _go_entry(manifests: Manifests) -> tuple[str, tuple[Issue, ...]]:
    """Find the main package: the root if it is one (or nothing else is), else the only one below cmd/."""
    commands = sorted({str(PurePosixPath(path).parent) for path in manifests.matching(r"cmd/[\w.-]+/[\w.-]+\.go")})
    at_root = any(
        re.search(r"^package main\b", manifests.text(path) or "", re.MULTILINE)
        for path in manifests.matching(r"[\w-]+(?<!_test)\.go")
    )
    if at_root or not commands:
        return ".", ()
    if len(commands) == 1:
        return f"./{commands[0]}", ()
    evidence = tuple(Evidence("package", "Go command", path, path) for path in commands)
    message = f"{len(commands)} commands stand below cmd/; name the one to build in the build command."
    return ".", (Issue("missing-artifact-output", message, evidence, ("buildCommand",)),)


def detect_dotnet(manifests: Manifests) -> Found | None:
    projects = manifests.matching(r"(?:[\w. -]+/){0,2}[\w. -]+\.(?:cs|fs)proj")
    if not projects:
        return None
    web = [path for path in projects if "Microsoft.NET.Sdk.Web" in (manifests.text(path) or "")]
    issues: tuple[Issue, ...] = ()
    if not web:
        issues = (Issue("unsupported-framework", "No project uses the web SDK; name build and start commands."),)
    elif len(web) > 1:
        evidence = tuple(Evidence("project", "Web project", path, path) for path in web)
        issues = (Issue("ambiguous-framework-evidence", f"{len(web)} web projects were found.", evidence),)
    project = (web or list(projects))[0]
    assembly = re.search(r"<AssemblyName>\s{0,20}([\w.-]+)\s{0,20}<", manifests.text(project) or "")
    return Found(
        planner="dotnet",
        family="dotnet",
        framework="aspnet-core" if web else None,
        manager="dotnet",
        shape="serverful-http",
        version=dotnet_version(manifests, project),
        project_name=PurePosixPath(project).stem,
        server=bool(web),
        evidence=_evidence(project, "aspnet-core" if web else None),
        issues=issues,
        program=ProgramFacts(name=assembly.group(1) if assembly else PurePosixPath(project).stem, entry=project),
    )


def detect_rust(manifests: Manifests) -> Found | None:
    if not manifests.has("Cargo.toml"):
        return None
    package_file = manifests.toml("Cargo.toml")
    package = table(package_file, "package")
    dependencies = table(package_file, "dependencies")
    framework = next((name for name in _RUST if name in dependencies), None)
    binaries = package_file.get("bin")
    listed = (
        [word(entry.get("name")) for entry in binaries if isinstance(entry, dict)] if isinstance(binaries, list) else []
    )
    names = [name for name in listed if name]
    chosen = word(package.get("default-run")) or (names[0] if len(names) == 1 else None)
    issues: tuple[Issue, ...] = ()
    if chosen is None and len(names) > 1:
        evidence = tuple(Evidence("binary", "Cargo binary", name, "Cargo.toml") for name in names)
        issues = (
            Issue("missing-artifact-output", f"{len(names)} binaries are built and none is the default.", evidence),
        )
    elif chosen is None:
        chosen = word(package.get("name"))
        if chosen is None:
            issues = (Issue("missing-artifact-output", "Cargo.toml holds no package, so the binary is unknown."),)
    return Found(
        planner="rust",
        family="rust",
        framework=framework,
        manager="cargo",
        shape="serverful-http",
        version=rust_version(manifests),
        project_name=word(package.get("name")),
        server=framework is not None,
        evidence=_evidence("Cargo.toml", framework),
        issues=issues,
        program=ProgramFacts(name=chosen, manifests=tuple(p for p in ("Cargo.toml", "Cargo.lock") if manifests.has(p))),
    )


def _evidence(source: str, framework: str | None) -> tuple[Evidence, ...]:
    found = [Evidence("file", "Project manifest", source=source)]
    if framework:
        found.append(Evidence("framework", "Framework evidence", framework, source))
    return tuple(found)
