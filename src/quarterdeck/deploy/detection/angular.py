"""Where an Angular workspace writes its build, by angular.json."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.detection.manifests import table, word
from quarterdeck.deploy.detection.values import Evidence, Issue

# The application builders put browser files one level deeper than the older browser builder.
_APPLICATION_BUILDERS = ("@angular/build:application", "@angular-devkit/build-angular:application")


def angular_output(workspace: dict[str, Any]) -> tuple[str, Issue | None]:
    """Return the directory of the browser files, and an issue when several applications compete."""
    projects = {
        name: project
        for name, project in table(workspace, "projects").items()
        if isinstance(project, dict) and project.get("projectType", "application") == "application"
    }
    if not projects:
        return "dist", None
    chosen = word(workspace.get("defaultProject"))
    issue = None
    if chosen not in projects:
        chosen = next(iter(projects))
        if len(projects) > 1:
            issue = Issue(
                "ambiguous-framework-evidence",
                f"angular.json holds {len(projects)} applications and names no default one.",
                tuple(Evidence("project", "Angular application", name, "angular.json") for name in sorted(projects)),
                ("publishDirectory",),
            )
    project = projects[chosen]
    build = table(project, "architect", "build") or table(project, "targets", "build")
    builder = word(build.get("builder")) or ""
    output = table(build, "options").get("outputPath")
    nested = "browser" if builder in _APPLICATION_BUILDERS else ""
    if isinstance(output, dict):
        nested = str(output.get("browser", "browser"))
        output = output.get("base")
    path = (word(output) or f"dist/{chosen}").strip("/")
    return (f"{path}/{nested.strip('/')}" if nested else path), issue
