"""What the new-project form says, as the profiles of the contract."""

from __future__ import annotations

import re
from typing import Any

from quarterdeck.console.ports import SourceChoice
from quarterdeck.console.views.resources import Inspection
from quarterdeck.deploy.deployments import inspection
from quarterdeck.deploy.resources import build_places, deploy_keys
from quarterdeck.kernel.errors import Invalid
from quarterdeck.workspace.names import slug

KINDS = {
    "git": "remote-git",
    "folder": "local-folder",
    "archive": "zip-artifact",
    "image": "docker-image",
    "dockerfile": "dockerfile-inline",
}


ENDINGS = frozenset({"txt", "json", "toml", "xml", "exs", "mod"})


def source(choice: SourceChoice) -> dict[str, Any]:
    if choice.kind not in KINDS:
        raise Invalid(f"{choice.kind[:40]!r} is no kind of source.", hint="Choose one of the list.", field="kind")
    if not choice.locator:
        raise Invalid("Say where the source is.", hint="An address, a path or an image.", field="locator")
    document: dict[str, Any] = {"kind": KINDS[choice.kind], "locator": choice.locator}
    if choice.key:
        if choice.kind != "git":
            raise Invalid("Only a git repository is fetched with a deploy key.", hint="Choose none.", field="key")
        document |= {"kind": "git-deploy-key", "metadata": {deploy_keys.FIELD: choice.key}}
    if choice.builder:
        document["metadata"] = {**document.get("metadata", {}), build_places.FIELD: choice.builder}
    if choice.branch:
        commit = re.fullmatch(r"[0-9a-f]{40}", choice.branch)
        document["commitSha" if commit else "gitRef"] = choice.branch
    if choice.directory:
        document["baseDirectory"] = choice.directory
    return document


def runtime(choice: SourceChoice) -> dict[str, Any]:
    profile: dict[str, Any] = {"strategy": choice.strategy or "auto"}
    if choice.kind == "image":
        profile["strategy"] = "prebuilt-image"
    if choice.build_command:
        profile["buildCommand"] = choice.build_command
    if choice.start_command:
        profile["startCommand"] = choice.start_command
    return profile


def network(choice: SourceChoice) -> dict[str, Any] | None:
    if not choice.port:
        return None
    return {"internalPort": whole(choice.port, "port", "port"), "exposureMode": "reverse-proxy"}


def whole(text: str, field: str, what: str) -> int:
    """A whole number of a form; raises `Invalid` at its field."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid(f"{text[:40]!r} is no {what}.", hint="Use digits only.", field=field)
    return int(text)


def name_of(choice: SourceChoice) -> str:
    """The name given, else the last word of where the source is."""
    if choice.name:
        return choice.name
    if choice.kind == "dockerfile":
        return "app"
    last = choice.locator.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git").removesuffix(".zip")
    last = last.partition("@")[0].partition(":")[0]
    return slug(last, "app")


def file_of(marker: str) -> str:
    """`requirements-txt` as the file that it stands for; what stands for several files in words."""
    stem, _, ending = marker.rpartition("-")
    if ending == "lock":
        return "package-lock.json" if stem == "package" else f"{stem}.lock"
    return f"{stem}.{ending}" if ending in ENDINGS else marker.replace("-", " ")


def shown(found: inspection.Inspection) -> Inspection:
    """What was found, for the page."""
    plan = found.plan
    facts = [("Runs as", plan.execution_kind.replace("-", " "))]
    for label, value in (
        ("Runtime", plan.runtime_version and f"{plan.runtime_family} {plan.runtime_version}"),
        ("Packages with", plan.package_manager),
        ("Starts from", plan.base_image),
        ("Dockerfile", plan.dockerfile_path and ("made for it" if plan.dockerfile else plan.dockerfile_path)),
        ("Image", plan.image if plan.artifact_intent == "prebuilt-image" else None),
        ("Publishes", plan.publish_directory),
    ):
        if value:
            facts.append((label, str(value)))
    warnings = [f"{advice.message} {advice.recommendation}" for advice in plan.warnings if advice.category != "info"]
    warnings += [f"{advice.message} {advice.recommendation}" for advice in plan.unsupported_reasons]
    return Inspection(
        framework=plan.framework or plan.runtime_family or plan.planner_key,
        evidence=tuple(file_of(marker) for marker in plan.detected_files[:6] if marker != "git-directory"),
        strategy=plan.build_strategy,
        facts=tuple(facts),
        commands=tuple((command.kind.capitalize(), command.command) for command in plan.commands),
        port=str(plan.internal_port or ""),
        warnings=tuple(dict.fromkeys(warnings)),
        ready=plan.readiness.ready,
        commit=(found.commit or "")[:7],
    )
