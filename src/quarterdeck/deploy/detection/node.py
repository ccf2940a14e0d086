"""Node projects: package manager, scripts and framework, from package.json and the files beside it."""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from msgspec.structs import replace

from quarterdeck.deploy.detection.angular import angular_output
from quarterdeck.deploy.detection.manifests import Manifests, table, word
from quarterdeck.deploy.detection.values import Evidence, Found, Issue, NodeFacts
from quarterdeck.deploy.detection.versions import node_version

NodeManager = Literal["bun", "npm", "pnpm", "yarn"]

LOCKFILES: tuple[tuple[str, NodeManager], ...] = (
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
)
SERVERS = (
    ("@nestjs/core", "nestjs"),
    ("express", "express"),
    ("fastify", "fastify"),
    ("hono", "hono"),
    ("koa", "koa"),
)
VIEW_LIBRARIES = (
    ("vue", "vue", "dist"),
    ("solid-js", "solid", "dist"),
    ("svelte", "svelte", "public"),
    ("react", "react", "build"),
)
_CONFIG = r"\.(?:js|cjs|mjs|ts|mts|cts)"
_INSTALL_INPUTS = (".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml", ".pnpmfile.cjs", "bunfig.toml")
_SCRIPT_NAMES = ("build", "dev", "export", "generate", "preview", "serve", "start", "start:built")


def detect_node(manifests: Manifests) -> Found | None:
    """Find a Node project; `angular.json` or a framework configuration without package.json does not make one."""
    if not manifests.has("package.json"):
        return None
    package = manifests.json("package.json")
    scripts = tuple(sorted(name for name, line in table(package, "scripts").items() if word(line)))
    dependencies = {name for group in ("devDependencies", "dependencies") for name in table(package, group)}
    manager, manager_version, lockfile = _manager(manifests, package)
    facts = NodeFacts(
        manager=manager,
        manager_version=manager_version,
        lockfile=lockfile,
        manifests=_install_inputs(manifests, package, lockfile),
        scripts=scripts,
    )
    base = Found(
        planner="node",
        family="node",
        manager=manager,
        shape="serverful-http",
        version=node_version(manifests, package),
        project_name=word(package.get("name")),
        scripts=tuple(name.replace(":", "-") for name in _SCRIPT_NAMES if name in scripts),
        evidence=(
            Evidence("file", "Node manifest", source="package.json"),
            Evidence("package-manager", "Package manager", manager, lockfile or "package.json"),
        ),
        node=facts,
    )
    return _framework(manifests, base, facts, dependencies)


def _manager(manifests: Manifests, package: dict[str, Any]) -> tuple[NodeManager, str | None, str | None]:
    lock = next(((path, owner) for path, owner in LOCKFILES if manifests.has(path)), None)
    declared = re.match(r"(npm|pnpm|yarn|bun)@(\d[\w.\-]*)", word(package.get("packageManager")) or "")
    if declared:
        manager = cast("NodeManager", declared.group(1))
        own = next((path for path, owner in LOCKFILES if owner == manager and manifests.has(path)), None)
        return manager, declared.group(2), own
    return (lock[1], None, lock[0]) if lock else ("npm", None, None)


def _install_inputs(manifests: Manifests, package: dict[str, Any], lockfile: str | None) -> tuple[str, ...]:
    """Name what the install step reads; workspaces and local packages need the whole tree, which is an empty answer."""
    workspaces = package.get("workspaces") or manifests.has("pnpm-workspace.yaml")
    local = any(
        str(version).startswith(("file:", "link:", "workspace:", "portal:"))
        for group in ("dependencies", "devDependencies", "optionalDependencies")
        for version in table(package, group).values()
    )
    hooks = {"preinstall", "install", "postinstall", "prepare"} & set(table(package, "scripts"))
    if workspaces or local or hooks or manifests.has("prisma/schema.prisma"):
        return ()
    names = ["package.json", *([lockfile] if lockfile else []), *(p for p in _INSTALL_INPUTS if manifests.has(p))]
    if manifests.matching(r"\.yarn/(?:releases|plugins|patches)/.*"):
        names.append(".yarn/")
    return tuple(names)


def _config(manifests: Manifests, stem: str) -> str | None:
    return next(iter(manifests.matching(re.escape(stem) + r"\.config" + _CONFIG)), None)


class _Naming:
    """Turns the plain finding about a Node project into that of a named framework."""

    def __init__(self, base: Found, facts: NodeFacts) -> None:
        self.base = base
        self.facts = facts

    def named(self, framework: str, source: str | None, **changes: Any) -> Found:
        evidence = Evidence("framework", "Framework evidence", framework, source or "package.json")
        return replace(self.base, framework=framework, evidence=(*self.base.evidence, evidence), **changes)

    def static(self, planner: str, directory: str, **changes: Any) -> NodeFacts:
        values = {"static_planner": planner, "static_directory": directory, "static_script": "build", **changes}
        return replace(self.facts, **values)


def _framework(manifests: Manifests, base: Found, facts: NodeFacts, dependencies: set[str]) -> Found:
    naming = _Naming(base, facts)
    config = _config(manifests, "next")
    if config or "next" in dependencies:
        return _next(naming, config, manifests.text(config) or "" if config else "")
    config = _config(manifests, "remix")
    if config or any(name.startswith("@remix-run/") for name in dependencies):
        return naming.named("remix", config, planner="remix", shape="ssr", server=True)
    config = _config(manifests, "nuxt")
    if config or "nuxt" in dependencies:
        generates = "generate" in facts.scripts
        node = naming.static("nuxt-static", ".output/public", static_by_default=generates, static_script="generate")
        if generates:
            return naming.named("nuxt", config, planner="nuxt-static", shape="static", node=node)
        return naming.named("nuxt", config, shape="ssr", server=True, node=node)
    server = next(((name, label) for name, label in SERVERS if name in dependencies), None)
    config = _config(manifests, "svelte")
    if "@sveltejs/kit" in dependencies or (config and not server and "svelte" not in dependencies):
        return _sveltekit(naming, config)
    if server:
        return naming.named(server[1], None, server=True)
    return _static(manifests, naming, dependencies) or base


def _next(naming: _Naming, config: str | None, text: str) -> Found:
    exports = bool(re.search(r"output\s*:\s*[\"']export[\"']", text))
    by_script = "export" in naming.facts.scripts
    node = naming.static(
        "nextjs-static",
        "out",
        static_by_default=exports or by_script,
        static_script="export" if by_script and not exports else "build",
        standalone=bool(re.search(r"output\s*:\s*[\"']standalone[\"']", text)),
    )
    if node.static_by_default:
        return naming.named("nextjs", config, planner="nextjs-static", shape="static", node=node)
    return naming.named("nextjs", config, planner="nextjs", shape="ssr", server=True, node=node)


def _sveltekit(naming: _Naming, config: str | None) -> Found:
    issue = Issue(
        "ambiguous-framework-evidence",
        "SvelteKit can be served as static files or by a server; the project does not say which is meant.",
        (Evidence("framework", "SvelteKit", "sveltekit", config or "package.json"),),
        ("strategy", "startCommand"),
    )
    node = naming.static("sveltekit-static", "build", hybrid=True)
    return naming.named(
        "sveltekit", config, planner="sveltekit", shape="hybrid-static-server", issues=(issue,), node=node
    )


def _static(manifests: Manifests, naming: _Naming, dependencies: set[str]) -> Found | None:
    config = _config(manifests, "astro")
    if config:
        return _site(naming, "astro", config, "astro-static", "dist")
    if manifests.has("angular.json"):
        directory, issue = angular_output(manifests.json("angular.json"))
        found = _site(naming, "angular", "angular.json", "angular-static", directory)
        return replace(found, issues=(issue,)) if issue else found
    library = next((row for row in VIEW_LIBRARIES if row[0] in dependencies), None)
    config = _config(manifests, "vite")
    if config or "vite" in dependencies:
        # Vite decides where the output goes, whatever the view library's own tool would do.
        return _site(naming, library[1] if library else "vite", config, "vite-static", "dist")
    if library:
        return _site(naming, library[1], None, f"{library[1]}-static", library[2])
    return None


def _site(naming: _Naming, framework: str, source: str | None, planner: str, directory: str) -> Found:
    node = naming.static(planner, directory, static_by_default=True)
    return naming.named(framework, source, planner=planner, shape="static", node=node)
