"""Forms as the domain's commands, each in one unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.console.domain import ledger, sources
from quarterdeck.console.domain.places import (
    deployment_at,
    environment_at,
    environment_slug,
    project_at,
    resource_at,
)
from quarterdeck.console.ports import Place, SourceChoice
from quarterdeck.deploy.deployments import admission, deployments, first
from quarterdeck.deploy.deployments import archiving as history
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources import (
    archiving,
    build_places,
    deploy_keys,
    importing,
    profiles,
    resources,
    runtime,
    variables,
)
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.workspace import environments, projects
from quarterdeck.workspace import variables as environment_variables
from quarterdeck.workspace.model import Project

KINDS = {"static": "static-site", "docker-compose": "compose-stack"}
"""What a resource is that is built in this way; everything else is an application."""
NUMBERS = ("internalPort", "hostPort", "retries", "intervalSeconds", "timeoutSeconds", "startPeriodSeconds")


class Deeds:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any
    registry: tuple[DeletionBlocker, ...] = ()

    async def require(self, who: Principal, permission: str) -> None:
        """A deed that needs more than its route declares."""
        await self.instance.access.ready(self.instance.db)
        self.instance.access.require(who, permission)

    async def create_project(self, who: Principal, *, name: str, description: str) -> str:
        await self.require(who, "deploy:projects.create")
        made: Project = await self.instance.db.write(projects.create, name, description or None)
        return made.slug

    async def change_project(self, who: Principal, slug: str, *, name: str, description: str, version: str) -> str:
        await self.require(who, "deploy:projects.set-description")
        changed: str = await self.instance.db.write(_change_project, slug, name, description, version)
        return changed

    async def archive_project(self, who: Principal, slug: str) -> None:
        await self.instance.db.write(lambda tx: projects.archive(tx, project_at(tx, slug).ref))

    async def restore_project(self, who: Principal, slug: str) -> None:
        await self.instance.db.write(lambda tx: projects.restore(tx, project_at(tx, slug).ref))

    async def delete_project(self, who: Principal, slug: str, confirmation: str) -> None:
        def delete(tx: Tx) -> None:
            project = project_at(tx, slug)
            if confirmation != project.slug:
                raise Invalid(
                    "The name typed is not the name of the project.",
                    hint=f"Type {project.slug}.",
                    field="confirmation",
                )
            projects.delete(tx, project.ref, project.ref, self.registry)

        await self.instance.db.write(delete)

    async def create_environment(self, who: Principal, project: str, *, name: str, kind: str) -> str:
        def create(tx: Tx) -> str:
            if kind not in {"local", "development", "test", "staging", "production", "custom"}:
                raise Invalid(f"{kind[:40]!r} is no kind of environment.", hint="Choose one of the list.", field="kind")
            return environment_slug(environments.create(tx, project_at(tx, project).ref, name, kind))

        made: str = await self.instance.db.write(create)
        return made

    async def deploy_source(self, who: Principal, source: SourceChoice) -> tuple[Place, int]:
        for permission in ("projects.create", "environments.create", "resources.create"):
            await self.require(who, f"deploy:{permission}")
        made: tuple[Place, int] = await self.instance.db.write(_deploy_source, source)
        return made

    async def deploy(self, who: Principal, place: Place) -> int:
        def start(tx: Tx) -> int:
            found = resource_at(tx, place)
            trigger = "redeploy" if found.resource.latest_id else "create"
            return admission.create(tx, resource_ref=found.resource.ref, trigger=trigger).number

        number: int = await self.instance.db.write(start)
        return number

    async def cancel(self, who: Principal, place: Place, number: int) -> None:
        def stop(tx: Tx) -> None:
            attempt = deployment_at(tx, resource_at(tx, place), number)
            deployments.cancel(tx, attempt.ref, attempt.ref)

        await self.instance.db.write(stop)

    async def retry(self, who: Principal, place: Place, number: int) -> int:
        made: int = await self.instance.db.write(
            lambda tx: deployments.retry(tx, deployment_at(tx, resource_at(tx, place), number).ref).number
        )
        return made

    async def roll_back(self, who: Principal, place: Place, number: int) -> int:
        def back(tx: Tx) -> int:
            found = resource_at(tx, place)
            candidate = deployment_at(tx, found, number)
            latest = tx.get(Deployment, found.resource.latest_id) if found.resource.latest_id else None
            return deployments.rollback(tx, (latest or candidate).ref, candidate.ref).number

        made: int = await self.instance.db.write(back)
        return made

    async def control(self, who: Principal, place: Place, operation: str) -> None:
        await self.require(who, f"deploy:resources.runtime.{operation}")
        await self.instance.db.write(lambda tx: runtime.control(tx, resource_at(tx, place).resource.ref, operation))

    async def set_variable(
        self,
        who: Principal,
        place: Place | tuple[str, str],
        *,
        key: str,
        value: str,
        exposure: str,
        secret: bool,
    ) -> None:
        if exposure not in {"runtime", "build-time"}:
            raise Invalid("A variable is seen at run time or at build time.", field="exposure")
        kind = "secret" if secret else "plain-config"

        def put(tx: Tx) -> None:
            if isinstance(place, Place):
                ref = resource_at(tx, place).resource.ref
                variables.set_variable(tx, ref, key=key, value=value, kind=kind, exposure=exposure, secret=secret)
            else:
                ref = environment_at(tx, *place)[0].ref
                environment_variables.set_in_environment(
                    tx, ref, key=key, value=value, kind=kind, exposure=exposure, scope=None, secret=secret
                )

        await self.instance.db.write(put)

    async def import_variables(
        self, who: Principal, place: Place, *, content: str, exposure: str, secret: str, plain: str
    ) -> int:
        def verb(tx: Tx) -> int:
            done = importing.import_variables(
                tx,
                resource_at(tx, place).resource.ref,
                content,
                exposure,
                secret_keys=secret.replace(",", " ").split(),
                plain_keys=plain.replace(",", " ").split(),
            )
            return len(done)

        made: int = await self.instance.db.write(verb)
        return made

    async def archive_deployment(self, who: Principal, place: Place, number: int) -> None:
        def verb(tx: Tx) -> None:
            ref = deployment_at(tx, resource_at(tx, place), number).ref
            history.archive(tx, ref, ref)

        await self.instance.db.write(verb)

    async def unset_variable(
        self,
        who: Principal,
        place: Place | tuple[str, str],
        *,
        key: str,
        exposure: str,
    ) -> None:
        room = "resources" if isinstance(place, Place) else "environments"
        await self.require(who, f"deploy:{room}.unset-variable")

        def drop(tx: Tx) -> None:
            if isinstance(place, Place):
                variables.unset_variable(tx, resource_at(tx, place).resource.ref, key, exposure)
            else:
                ref = environment_at(tx, *place)[0].ref
                environment_variables.unset_in_environment(tx, ref, key, exposure, None)

        await self.instance.db.write(drop)

    async def change_settings(
        self, who: Principal, place: Place, form: str, values: Mapping[str, str], version: str
    ) -> None:
        await self.require(who, f"deploy:resources.configure-{form}")
        number = sources.whole(version, "version", "version")

        def change(tx: Tx) -> None:
            resource = resource_at(tx, place).resource
            given = profiles.Given(**{form: _profile(resource, form, values)})
            profiles.configure(tx, resource.ref, given, version=number)

        await self.instance.db.write(change)

    async def archive_resource(self, who: Principal, place: Place) -> None:
        await self.instance.db.write(lambda tx: archiving.archive(tx, resource_at(tx, place).resource.ref))

    async def delete_resource(self, who: Principal, place: Place, confirmation: str) -> None:
        def delete(tx: Tx) -> None:
            resource = resource_at(tx, place).resource
            if confirmation != resource.slug:
                raise Invalid(
                    "The name typed is not the name of the resource.",
                    hint=f"Type {resource.slug}.",
                    field="confirmation",
                )
            resources.delete(tx, resource.ref, confirmation, self.registry)

        await self.instance.db.write(delete)

    async def cancel_job(self, who: Principal, ref: str) -> None:
        await self.instance.db.write(ledger.cancel_job, ref)

    async def retry_job(self, who: Principal, ref: str) -> str:
        made: str = await self.instance.db.write(ledger.retry_job, ref)
        return made

    async def recover_job(self, who: Principal, ref: str, reason: str) -> None:
        await self.instance.db.write(ledger.recover_job, ref, reason)

    async def give_up_job(self, who: Principal, ref: str, reason: str) -> None:
        await self.instance.db.write(ledger.give_up_job, ref, reason)


def _change_project(tx: Tx, at: str, name: str, description: str, version: str) -> str:
    project = project_at(tx, at)
    return projects.change(tx, project.ref, name=name, description=description or None, seen=version).slug


def _deploy_source(tx: Tx, choice: SourceChoice) -> tuple[Place, int]:
    name = sources.name_of(choice)
    begun = first.deploy(
        tx,
        first.First(
            name=name,
            project=choice.project or name,
            environment=choice.environment or "production",
            kind=KINDS.get(choice.strategy, "application"),
            source=sources.source(choice),
            runtime=sources.runtime(choice),
            network=sources.network(choice),
            server=choice.server or None,
        ),
    )
    return Place(begun.project.slug, environment_slug(begun.environment), begun.resource.slug), begun.attempt.number


def _profile(resource: Resource, form: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The posted form over what is saved: a field that is empty is taken away, one that the form has not stays."""
    saved: dict[str, Any] = dict(getattr(resource, form) or {})
    http = dict(saved.get("http") or {})
    for name, text in values.items():
        if form == "health" and name in {"path", "expectedStatusCode"}:
            _put(http, name, _typed(name, text) if text else None)
        elif name in {deploy_keys.FIELD, build_places.FIELD}:
            metadata = {**(saved.get("metadata") or {}), name: text}
            _put(saved, "metadata", {key: value for key, value in metadata.items() if value} or None)
        elif name == "enabled":
            saved["enabled"] = text == "yes"
        else:
            _put(saved, name, _typed(name, text) if text else None)
    if form == "health":
        saved["http"] = http
    if form == "source":
        # What belongs to the place that was there before does not follow to another one.
        if resource.source and resource.source.get("locator") != saved.get("locator"):
            kept = ("kind", "locator", "gitRef", "baseDirectory", "metadata")
            return {key: saved[key] for key in kept if saved.get(key)}
        saved.pop("commitSha", None)
    return saved


def _typed(name: str, text: str) -> str | int:
    return sources.whole(text, name, "number") if name in NUMBERS or name == "expectedStatusCode" else text


def _put(profile: dict[str, Any], name: str, value: str | int | dict[str, str] | None) -> None:
    if value is None:
        profile.pop(name, None)
    else:
        profile[name] = value
