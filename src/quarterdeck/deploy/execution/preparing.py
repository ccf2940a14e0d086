"""From the order to a plan: fetch the source, look at it, decide."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from quarterdeck.deploy.detection.detect import detect
from quarterdeck.deploy.detection.tree import DirectoryTree
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.planning.plan import plan
from quarterdeck.deploy.planning.profiles import HealthPolicy, NetworkProfile, RuntimeProfile
from quarterdeck.deploy.planning.values import Advice, BuildPlan
from quarterdeck.deploy.sources.documents import from_document
from quarterdeck.deploy.sources.fetch import completed, fetch
from quarterdeck.deploy.sources.spec import FetchedSource, FetchLimits, SourceSpec
from quarterdeck.deploy.stacks.reading import Variables, look
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.faults import point


def profile(kind: type[Any], document: dict[str, Any] | None) -> Any:
    """A profile in the spelling of the contract as the planner's value; None stays None."""
    if document is None:
        return None
    return msgspec.convert(_snake(document), kind, strict=False)


def _snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            "".join(f"_{c.lower()}" if c.isupper() else c for c in key): _snake(item) for key, item in value.items()
        }
    return value


OWN = ("deployments", "edge", "locks", "processes", "releases", "static")


def refuse_own_data(root: Path, spec: SourceSpec) -> None:
    """Raise `Invalid` for a source among what Quarterdeck keeps itself: other people's trees, and copies of the
    database. A folder that contains them is refused where it is copied.
    """
    if "://" in spec.locator and not spec.locator.lower().startswith("file://"):
        return
    named = spec.locator[7:] if "://" in spec.locator else spec.locator
    top = root.resolve()
    places = {Path(path).resolve() for path in (named, unquote(named)) if path.startswith("/")}
    for own in (*(top / name for name in OWN), top.parent / "backups"):
        if top in places or any(place.is_relative_to(own) for place in places):
            raise Invalid(
                f"The folder {spec.locator} is part of Quarterdeck's own data.",
                code="source_locator_invalid",
                hint="Deploy a folder outside of the data directory.",
                phase="detect",
            )


async def fetch_source(target: Target, order: DeploymentOrder, report: Reporter) -> FetchedSource | None:
    """The tree of the order, complete on the host's disk; None for an image. Repeating it fetches nothing again."""
    async with report.phase("detect") as recorded:
        spec = from_document(order.source, order.source_credential)
        if spec.kind == "docker-image":
            recorded.detail = spec.locator
            return None
        place = target.work(order.deployment) / "source"
        if order.commit is not None and completed(spec, place) is None:
            spec = dataclasses.replace(spec, commit_sha=order.commit)
        limits = FetchLimits(size=order.limits.source_bytes, seconds=order.limits.source_seconds)
        refuse_own_data(target.workspace, spec)
        point("source.fetch")
        fetched = await fetch(
            spec,
            place,
            limits,
            report.say,
            known_hosts=target.workspace / "known_hosts",
            within=order.source_within,
        )
        point("source.fetched")
        commit = fetched.commit or ""
        recorded.data = {
            "commit": fetched.commit,
            "message": (fetched.message or "").split("\n")[0],
            "revision": fetched.revision,
        }
        files = f"{fetched.files} file{'' if fetched.files == 1 else 's'}"
        words = [commit[:7], (fetched.message or "").split("\n")[0][:80]] if commit else [files]
        recorded.detail = " ".join(word for word in words if word)
        report.say(f"Source: {recorded.detail}")
        return fetched


async def make_plan(
    target: Target, order: DeploymentOrder, source: FetchedSource | None, report: Reporter
) -> BuildPlan:
    """Decide how to build and run. Raises `Invalid` with the first obstacle when the plan cannot be carried out."""
    async with report.phase("plan") as recorded:
        # An earlier execution's plan stays: an engine that came or went meanwhile changes nothing any more.
        known = order.done.get("plan")
        if known:
            made = msgspec.convert(known, BuildPlan)
        else:
            made = await asyncio.to_thread(plan_for, order, source, engine=target.engine_refusal is None)
        recorded.data = msgspec.to_builtins(made)
        obstacle = _obstacle(made)
        for advice in made.warnings:
            if advice is obstacle:
                continue  # the failure of this phase tells it
            report.say(
                f"{advice.message} {advice.recommendation}", level="warn" if advice.category != "info" else "info"
            )
        if not made.readiness.ready:
            raise _blocked(target, made, obstacle)
        if made.execution_kind == "host-process":
            await target.need_processes()
        what = [made.framework or made.runtime_family or made.planner_key, made.runtime_version]
        how = {"docker-container": "container", "docker-compose-stack": "stack"}.get(
            made.execution_kind, "host process" if made.host and made.host.start else "static"
        )
        recorded.detail = ", ".join(str(word) for word in [*what, how] if word)
        report.say(f"Plan: {recorded.detail}")
        return made


def plan_for(order: DeploymentOrder, source: FetchedSource | None, *, engine: bool) -> BuildPlan:
    """The plan of an order with its fetched source."""
    runtime: RuntimeProfile = profile(RuntimeProfile, {k: v for k, v in order.runtime.items() if k != "healthCheck"})
    if runtime.strategy == "auto" and order.resource_kind == "compose-stack":
        runtime = msgspec.structs.replace(runtime, strategy="docker-compose")
    found = stack = None
    if source is not None:
        tree = DirectoryTree(source.tree)
        found = detect(
            tree,
            dockerfile_path=runtime.dockerfile_path,
            compose_file_path=runtime.docker_compose_file_path,
            publish_directory=runtime.publish_directory,
        )
        if found.compose is not None:
            stack = look(tree, found.compose.path, variables_of(order))
    public = tuple(variable.key for variable in order.variables if variable.exposure == "build-time")
    return plan(
        found,
        source_kind=order.source["kind"],  # type: ignore[arg-type]
        runtime=runtime,
        network=profile(NetworkProfile, order.network),
        health=profile(HealthPolicy, order.health),
        image=str(order.source["locator"]) if order.source["kind"] == "docker-image" else image_tag(order),
        target="docker-container" if engine else "host-process",
        build_arguments=public,
        stack=stack,
    )


def variables_of(order: DeploymentOrder) -> Variables:
    """What the texts of a Compose file are filled in with."""
    public = {variable.key: variable.value for variable in order.variables if variable.exposure == "build-time"}
    private = {variable.key: variable.value for variable in order.variables if variable.exposure == "runtime"}
    return Variables({**public, **private}, public)


def image_tag(order: DeploymentOrder) -> str:
    """The tag of the image that an attempt builds."""
    return f"quarterdeck/{order.resource.replace('_', '-')}:{order.deployment}"


def _obstacle(made: BuildPlan) -> Advice | None:
    return next((advice for advice in made.warnings if advice.category == "blocked"), None)


def _blocked(target: Target, made: BuildPlan, first: Advice | None) -> Invalid:
    if first is not None and first.code == "runtime-target-unsupported" and target.engine_refusal is not None:
        raise target.engine_refusal
    return Invalid(
        first.message if first else "No plan can be made for this source.",
        code=(first.code if first else "unsupported-framework").replace("-", "_"),
        hint=first.recommendation if first else "Set a start command, or add a Dockerfile.",
        phase="plan",
        reasonCodes=list(made.readiness.reason_codes),
    )
