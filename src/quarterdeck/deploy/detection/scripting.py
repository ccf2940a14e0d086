"""Ruby, PHP and Elixir projects."""

from __future__ import annotations

import re

from quarterdeck.deploy.detection.manifests import Manifests, table, word
from quarterdeck.deploy.detection.values import Evidence, Found, Issue, ProgramFacts


def detect_ruby(manifests: Manifests) -> Found | None:
    if not manifests.has("Gemfile"):
        return None
    gems = tuple(
        sorted(set(re.findall(r"^[ \t]*gem[ \t(]+[\"']([\w.-]+)[\"']", manifests.text("Gemfile") or "", re.MULTILINE)))
    )
    framework = "rails" if "rails" in gems else "sinatra" if "sinatra" in gems else None
    rack = manifests.first("config.ru")
    entry = rack or (manifests.first("app.rb", "main.rb", "server.rb") if framework == "sinatra" else None)
    issues: tuple[Issue, ...] = ()
    if framework != "rails" and entry is None:
        issues = (Issue("missing-start-intent", "There is neither a config.ru nor another sign of how to start it."),)
    version = re.match(r"(?:ruby-)?(\d+\.\d+)", manifests.text(".ruby-version") or "")
    return Found(
        planner="ruby",
        family="ruby",
        framework=framework,
        shape="serverful-http",
        version=version.group(1) if version else None,
        server=framework is not None or rack is not None,
        evidence=_evidence("Gemfile", framework),
        issues=issues,
        program=ProgramFacts(
            entry=entry,
            manifests=tuple(path for path in ("Gemfile", "Gemfile.lock") if manifests.has(path)),
            packages=gems,
        ),
    )


def detect_php(manifests: Manifests) -> Found | None:
    if not manifests.has("composer.json"):
        return None
    package = manifests.json("composer.json")
    required = set(table(package, "require"))
    framework = None
    if "laravel/framework" in required:
        framework = "laravel"
    elif "symfony/framework-bundle" in required or "symfony/symfony" in required:
        framework = "symfony"
    root = "public" if manifests.has("public/index.php") else "." if manifests.has("index.php") else None
    issues: tuple[Issue, ...] = ()
    if framework is None and root is None:
        issues = (Issue("missing-start-intent", "There is no index.php at the root or in public/ to serve."),)
    return Found(
        planner="php",
        family="php",
        framework=framework,
        manager="composer",
        shape="serverful-http",
        project_name=word(package.get("name")),
        server=framework is not None,
        evidence=_evidence("composer.json", framework),
        issues=issues,
        program=ProgramFacts(
            entry=root,
            manifests=tuple(path for path in ("composer.json", "composer.lock") if manifests.has(path)),
            packages=tuple(sorted(required)),
        ),
    )


def detect_elixir(manifests: Manifests) -> Found | None:
    if not manifests.has("mix.exs"):
        return None
    text = manifests.text("mix.exs") or ""
    name = re.search(r"\bapp:\s{0,20}:([a-z_]\w{0,60})", text)
    framework = "phoenix" if re.search(r"\{:phoenix,", text) else None
    issues: tuple[Issue, ...] = ()
    if name is None:
        issues = (
            Issue("missing-artifact-output", "mix.exs does not name its application, so its release is unknown."),
        )
    return Found(
        planner="elixir",
        family="elixir",
        framework=framework,
        manager="mix",
        shape="serverful-http",
        project_name=name.group(1) if name else None,
        server=framework is not None,
        evidence=_evidence("mix.exs", framework),
        issues=issues,
        program=ProgramFacts(
            name=name.group(1) if name else None,
            manifests=tuple(path for path in ("mix.exs", "mix.lock") if manifests.has(path)),
        ),
    )


def _evidence(source: str, framework: str | None) -> tuple[Evidence, ...]:
    found = [Evidence("file", "Project manifest", source=source)]
    if framework:
        found.append(Evidence("framework", "Framework evidence", framework, source))
    return tuple(found)
