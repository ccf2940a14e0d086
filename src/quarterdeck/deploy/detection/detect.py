"""The order of detection: every language is asked, the strongest answer wins, and containers stand beside it."""

from __future__ import annotations

import re
from collections.abc import Callable

from quarterdeck.deploy.detection.compiled import detect_dotnet, detect_go, detect_rust
from quarterdeck.deploy.detection.containers import compose_facts, dockerfile_facts
from quarterdeck.deploy.detection.jvm import detect_java
from quarterdeck.deploy.detection.manifests import Manifests
from quarterdeck.deploy.detection.node import detect_node
from quarterdeck.deploy.detection.python import detect_python, detect_scripts
from quarterdeck.deploy.detection.scripting import detect_elixir, detect_php, detect_ruby
from quarterdeck.deploy.detection.tree import SourceTree
from quarterdeck.deploy.detection.values import Detection, Evidence, Found, Issue, StaticFacts

# The documented order of planners; a detector stands for all planners of its language.
DETECTORS: tuple[Callable[[Manifests], Found | None], ...] = (
    detect_node,
    detect_python,
    detect_java,
    detect_ruby,
    detect_php,
    detect_go,
    detect_dotnet,
    detect_rust,
    detect_elixir,
)
_MARKERS: tuple[tuple[str, str], ...] = (
    ("angular-json", r"angular\.json"),
    ("astro-config", r"astro\.config\.\w+"),
    ("bun-lock", r"bun\.lockb?"),
    ("cargo-toml", r"Cargo\.toml"),
    ("composer-json", r"composer\.json"),
    ("compose-manifest", r"(?:docker-)?compose\.ya?ml"),
    ("csproj", r"(?:[^/]+/){0,2}[^/]+\.csproj"),
    ("django-manage", r"manage\.py"),
    ("dockerfile", r"Dockerfile"),
    ("go-mod", r"go\.mod"),
    ("gradle-build", r"build\.gradle"),
    ("gradle-kotlin-build", r"build\.gradle\.kts"),
    ("gradle-wrapper", r"gradlew"),
    ("mix-exs", r"mix\.exs"),
    ("maven-wrapper", r"mvnw"),
    ("next-app-router", r"(?:src/)?app/(?:layout|page)\.[jt]sx?"),
    ("next-config", r"next\.config\.\w+"),
    ("next-pages-router", r"(?:src/)?pages/(?:index|_app)\.[jt]sx?"),
    ("nuxt-config", r"nuxt\.config\.\w+"),
    ("package-lock", r"package-lock\.json"),
    ("package-json", r"package\.json"),
    ("pnpm-lock", r"pnpm-lock\.yaml"),
    ("poetry-lock", r"poetry\.lock"),
    ("pom-xml", r"pom\.xml"),
    ("pyproject-toml", r"pyproject\.toml"),
    ("requirements-txt", r"requirements\.txt"),
    ("remix-config", r"remix\.config\.\w+"),
    ("svelte-config", r"svelte\.config\.\w+"),
    ("uv-lock", r"uv\.lock"),
    ("vite-config", r"vite\.config\.\w+"),
    ("yarn-lock", r"yarn\.lock"),
)


def detect(
    tree: SourceTree,
    *,
    dockerfile_path: str | None = None,
    compose_file_path: str | None = None,
    publish_directory: str | None = None,
) -> Detection:
    """Say what a source tree holds. Never runs project code and never raises for what a tree may contain.

    The paths are those of the runtime profile, relative to the tree; they only say what else to look at.
    """
    manifests = Manifests(tree)
    found = [answer for detector in DETECTORS if (answer := detector(manifests)) is not None]
    if not found or not any(answer.server or answer.shape == "static" for answer in found):
        page = manifests.first("index.html", "index.htm")
        if page and not found:
            evidence = (Evidence("file", "Index page", source=page),)
            found.append(
                Found(planner="static", family="static", shape="static", evidence=evidence, static=StaticFacts())
            )
    if not found and (scripts := detect_scripts(manifests)) is not None:
        found.append(scripts)
    ranked, reason = _ranked(found)
    winner = ranked[0] if ranked else Found(planner="custom", family="custom")
    dockerfile = dockerfile_facts(manifests, dockerfile_path)
    compose = compose_facts(manifests, compose_file_path)
    containers = [name for name, facts in (("dockerfile", dockerfile), ("docker-compose", compose)) if facts]
    has_publish = None
    if publish_directory is not None:
        has_publish = tree.exists(publish_directory.strip("/") or ".")
    return Detection(
        application=winner,
        candidates=tuple(answer.planner for answer in ranked) + tuple(containers),
        detected_files=_detected_files(manifests, winner),
        dockerfile=dockerfile,
        compose=compose,
        has_publish_directory=has_publish,
        reasoning=_reasoning(manifests, winner, reason, containers, tree),
        issues=_issues(manifests),
        truncated=tree.truncated,
    )


def _ranked(found: list[Found]) -> tuple[list[Found], str | None]:
    """Keep the documented order, but let a server of another language outrank its own front-end tooling.

    Laravel, Rails, Django and Phoenix projects carry a package.json that only builds their assets.
    """
    first = found[0] if found else None
    if first is None or first.planner in {"nextjs", "remix", "sveltekit"} or first.server:
        return found, None
    starts = first.node is not None and {"start", "start:built"} & set(first.node.scripts)
    backend = next((answer for answer in found[1:] if answer.server), None)
    if backend is None or (starts and first.shape != "static"):
        return found, None
    rest = [answer for answer in found if answer is not backend]
    return [backend, *rest], f"{backend.planner} answers requests; package.json builds its assets"


def _detected_files(manifests: Manifests, winner: Found) -> tuple[str, ...]:
    names = [marker for marker, pattern in _MARKERS if manifests.matching(pattern)]
    if manifests.tree.exists(".git"):
        names.append("git-directory")
    if winner.node and winner.node.standalone:
        names.append("next-standalone-output")
    if winner.planner == "nextjs-static":
        names.append("next-static-output")
    if winner.java and winner.java.prebuilt:
        names.append("jvm-runnable-jar")
    if winner.java and winner.java.actuator:
        names.append("spring-boot-actuator")
    return tuple(sorted(names))


def _reasoning(
    manifests: Manifests, winner: Found, reason: str | None, containers: list[str], tree: SourceTree
) -> tuple[str, ...]:
    lines = [
        f"{item.label}: {item.value or item.source}" + (f" ({item.source})" if item.value and item.source else "")
        for item in winner.evidence
    ]
    if reason:
        lines.append(reason)
    lines += [f"{name} is present" for name in containers]
    lines += [f"{path} {why} and was not considered" for path, why in sorted(manifests.unreadable.items())]
    if tree.truncated:
        lines.append("the source holds more files than detection looks at")
    return tuple(re.sub(r"\s+", " ", line)[:300] for line in lines)


def _issues(manifests: Manifests) -> tuple[Issue, ...]:
    if not manifests.names:
        message = "The source holds no files at the chosen base directory."
        return (Issue("missing-source-root", message, overridden_by=()),)
    return tuple(
        Issue(
            "ambiguous-framework-evidence",
            f"{path} {why}, so what it says could not be considered.",
            (Evidence("file", "Unreadable manifest", why, path),),
        )
        for path, why in sorted(manifests.unreadable.items())
    )
