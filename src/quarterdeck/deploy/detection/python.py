"""Python projects: how they are installed and which application object they serve."""

from __future__ import annotations

import re
from typing import Any, Literal

from quarterdeck.deploy.detection.manifests import Manifests, table, word
from quarterdeck.deploy.detection.python_targets import application_targets
from quarterdeck.deploy.detection.values import Evidence, Found, Issue, PackageManager, PythonFacts
from quarterdeck.deploy.detection.versions import python_version

InstallSource = Literal["uv.lock", "poetry.lock", "pyproject.toml", "requirements.txt"]
SCRIPTS = r"[^/]+\.py"
STARTERS = ("main.py", "app.py", "server.py", "run.py")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def detect_python(manifests: Manifests) -> Found | None:
    project_file = manifests.toml("pyproject.toml")
    manage_path = manifests.first("manage.py")
    installs_from, manager = _installation(manifests, project_file)
    if installs_from is None and manage_path is None and not manifests.has("pyproject.toml"):
        return None
    return _found(manifests, project_file, installs_from, manager)


def detect_scripts(manifests: Manifests) -> Found | None:
    """Python files at the root and nothing else that says what this is: no dependencies, but Python it is."""
    return _found(manifests, {}, None, "pip") if manifests.matching(SCRIPTS) else None


def _found(
    manifests: Manifests, project_file: dict[str, Any], installs_from: InstallSource | None, manager: PackageManager
) -> Found:
    project = table(project_file, "project")
    poetry = table(project_file, "tool", "poetry")
    packages = _packages(manifests, project_file)
    manage_path = manifests.first("manage.py")
    targets = application_targets(manifests)
    facts = PythonFacts(
        installs_from=installs_from,
        packages=packages,
        asgi_targets=targets.asgi,
        wsgi_targets=targets.wsgi,
        manage_path=manage_path,
        python_path=targets.python_path,
        manifests=_install_inputs(manifests, installs_from),
    )
    known = manifests.first("pyproject.toml", "requirements.txt", "manage.py")
    source = known or _script(manifests) or "requirements.txt"
    planner, framework, issues = _planner(manifests, facts)
    evidence = [
        Evidence("file", "Python manifest" if known else "Python file", source=source),
        Evidence("package-manager", "Package manager", manager, installs_from),
    ]
    if framework:
        evidence.append(Evidence("framework", "Framework evidence", framework, source))
    evidence += [Evidence("asgi-target", "ASGI application", target) for target in targets.asgi]
    evidence += [Evidence("wsgi-target", "WSGI application", target) for target in targets.wsgi]
    return Found(
        planner=planner,
        family="python",
        framework=framework,
        manager=manager,
        shape=None if planner == "python" else "serverful-http",
        version=python_version(manifests, project),
        project_name=word(project.get("name")) or word(poetry.get("name")),
        server=planner != "python",
        evidence=tuple(evidence),
        issues=issues,
        python=facts,
    )


def _script(manifests: Manifests) -> str | None:
    """The file at the root that most likely starts the application."""
    return manifests.first(*STARTERS) or next(iter(sorted(manifests.matching(SCRIPTS))), None)


def _installation(manifests: Manifests, project_file: dict[str, Any]) -> tuple[InstallSource | None, PackageManager]:
    poetry = bool(table(project_file, "tool", "poetry"))
    if manifests.has("uv.lock"):
        return "uv.lock", "uv"
    if manifests.has("poetry.lock") or poetry:
        return "poetry.lock", "poetry"
    # A pyproject.toml that only configures tools installs nothing.
    if project_file.get("project") or project_file.get("build-system"):
        return "pyproject.toml", "pip"
    if manifests.has("requirements.txt"):
        return "requirements.txt", "pip"
    return None, "pip"


def _install_inputs(manifests: Manifests, installs_from: InstallSource | None) -> tuple[str, ...]:
    """Name what dependencies are installed from; an empty answer means that the install step needs the whole tree."""
    if installs_from == "requirements.txt":
        lines = (manifests.text("requirements.txt") or "").splitlines()
        if any(re.match(r"\s*(?:-e|--editable|-c|--constraint|-r|--requirement|file:|\.|/)", line) for line in lines):
            return ()
        return ("requirements.txt",)
    if installs_from in {"uv.lock", "poetry.lock"} and manifests.has("pyproject.toml"):
        names = ("pyproject.toml", "uv.lock" if installs_from == "uv.lock" else "poetry.lock")
        return tuple(name for name in names if manifests.has(name))
    return ()


def _packages(manifests: Manifests, project_file: dict[str, Any]) -> tuple[str, ...]:
    lines: list[Any] = []
    for path in manifests.matching(r"(?:requirements/)?(?:requirements|base|prod|production)[\w.-]*\.(?:txt|in)"):
        lines += (manifests.text(path) or "").splitlines()
    declared = table(project_file, "project").get("dependencies")
    lines += declared if isinstance(declared, list) else []
    lines += table(project_file, "tool", "poetry", "dependencies")
    names = set()
    for line in lines:
        match = _REQUIREMENT.match(line) if isinstance(line, str) and not line.lstrip().startswith(("#", "-")) else None
        if match and match.group(1).lower() != "python":
            names.add(re.sub(r"[-_.]+", "-", match.group(1)).lower())
    return tuple(sorted(names))


def _planner(manifests: Manifests, facts: PythonFacts) -> tuple[str, str | None, tuple[Issue, ...]]:
    if "fastapi" in facts.packages:
        return "fastapi", "fastapi", target_issues(facts.asgi_targets, "main:app", manifests.has("main.py"), "asgi")
    if facts.manage_path or "django" in facts.packages:
        if facts.manage_path:
            return "django", "django", ()
        message = "Django is a dependency, but there is no manage.py at the source root to run it with."
        return "django", "django", (Issue("missing-python-app-target", message),)
    if "flask" in facts.packages:
        return "flask", "flask", target_issues(facts.wsgi_targets, "app:app", manifests.has("app.py"), "wsgi")
    if facts.asgi_targets:
        return "generic-asgi", None, target_issues(facts.asgi_targets, "main:app", False, "asgi")
    if facts.wsgi_targets:
        return "generic-wsgi", None, target_issues(facts.wsgi_targets, "app:app", False, "wsgi")
    script = _script(manifests)
    such = f", though it may be python {script}" if script else ""
    message = f"The project is Python, but nothing in it says how its server is started{such}."
    way = f'Set the start command: --start-command "python {script}"' if script else None
    return "python", None, (Issue("missing-start-intent", message, hint=way),)


def chosen_target(targets: tuple[str, ...], default: str) -> str:
    """Return the one application object to serve: the only one found, else the framework's customary name."""
    return targets[0] if len(targets) == 1 and default not in targets else default


def target_issues(targets: tuple[str, ...], default: str, has_default_module: bool, kind: str) -> tuple[Issue, ...]:
    if len(targets) == 1 or default in targets or (not targets and has_default_module):
        return ()
    if targets:
        evidence = tuple(Evidence(f"{kind}-target", f"{kind.upper()} application", target) for target in targets)
        message = f"{len(targets)} {kind.upper()} applications were found, and nothing says which one is served."
        return (Issue("ambiguous-python-app-target", message, evidence),)
    message = f"No {kind.upper()} application object was found, nor the module {default.partition(':')[0]}.py."
    return (Issue("missing-asgi-app" if kind == "asgi" else "missing-wsgi-app", message),)
