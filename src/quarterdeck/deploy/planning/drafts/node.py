"""Node: one image for servers, a build stage for static sites."""

from __future__ import annotations

from quarterdeck.deploy.detection.values import Found, Issue, NodeFacts
from quarterdeck.deploy.detection.versions import NODE_DEFAULT
from quarterdeck.deploy.planning.drafts.values import Draft, Where
from quarterdeck.deploy.planning.values import ToolRequirement

BUN_IMAGE = "oven/bun:1.3-alpine"
_INSTALL = {
    "bun": "bun install",
    "pnpm": "pnpm install",
    "yarn": "yarn install --frozen-lockfile",
    "npm": "npm install",
}


def run_script(manager: str, script: str) -> str:
    return f"yarn {script}" if manager == "yarn" else f"{manager} run {script}"


def node_draft(found: Found, where: Where, *, static: bool) -> Draft:
    """Draft a Node application; `static` asks for its files instead of its server."""
    facts = found.node or NodeFacts(manager="npm")
    build, start, package, issues = _commands(found, facts, static=static)
    return Draft(
        base_image=BUN_IMAGE if facts.manager == "bun" else f"node:{found.version or NODE_DEFAULT}-alpine",
        setup=_setup(facts),
        manifests=facts.manifests,
        install=_INSTALL[facts.manager],
        build=build,
        package=package,
        start=start,
        environment={} if static else {"NODE_ENV": "production", "HOST": where.address, "HOSTNAME": where.address},
        issues=issues,
        publish_directory=facts.static_directory if static else None,
        host_path=("node_modules/.bin",),
        tools=_tools(found, facts),
    )


def _commands(
    found: Found, facts: NodeFacts, *, static: bool
) -> tuple[str | None, str | None, str | None, tuple[Issue, ...]]:
    manager = facts.manager
    if static:
        script = facts.static_script or "build"
        if script == "generate" and "generate" not in facts.scripts:
            return "npx --no-install nuxt generate" if manager != "bun" else "bunx nuxt generate", None, None, ()
        if script in facts.scripts:
            before = "build" if script == "export" and "build" in facts.scripts else None
            lines = [run_script(manager, name) for name in (before, script) if name]
            return " && ".join(lines), None, None, ()
        message = f"package.json has no {script} script, so the static files cannot be made."
        issues = (Issue("missing-build-intent", message, overridden_by=("buildCommand",)),)
        return None, None, None, issues if facts.static_planner else ()
    build = run_script(manager, "build") if "build" in facts.scripts else None
    if found.framework == "nextjs" and facts.standalone:
        package = (
            "mkdir -p .next/standalone/.next && cp -R .next/static .next/standalone/.next/static"
            " && if [ -d public ]; then cp -R public .next/standalone/public; fi"
        )
        return build or "npx --no-install next build", "node .next/standalone/server.js", package, ()
    for name in ("start:built", "start"):
        if name in facts.scripts:
            return build, run_script(manager, name), None, ()
    if facts.hybrid:
        return build, None, None, ()
    message = "package.json has neither a start:built nor a start script."
    return build, None, None, (Issue("missing-production-start-command", message),)


def _setup(facts: NodeFacts) -> tuple[str, ...]:
    version = facts.manager_version
    if facts.manager == "pnpm":
        return (f"npm install --global pnpm@{version or '10'}",)
    if facts.manager == "yarn":
        if version and not version.startswith("1."):
            return ("command -v corepack >/dev/null || npm install --global corepack", "corepack enable")
        return (f"command -v yarn >/dev/null || npm install --global yarn@{version or '1.22.22'}",)
    return ()


def _tools(found: Found, facts: NodeFacts) -> tuple[ToolRequirement, ...]:
    if facts.manager == "bun":
        return (ToolRequirement("bun", "Install Bun on the server."),)
    version = found.version or str(NODE_DEFAULT)
    node = ToolRequirement("node", f"Install Node.js {version} on the server.", version)
    if facts.manager == "npm":
        return (node, ToolRequirement("npm", "Install npm on the server; it comes with Node.js."))
    manager = facts.manager
    return (
        node,
        ToolRequirement(manager, f"Install {manager} on the server, for example: npm install --global {manager}."),
    )
