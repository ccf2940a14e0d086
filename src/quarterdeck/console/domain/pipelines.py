"""Pipelines of projects, and that of the settings, for their editor."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from quarterdeck.access import Access
from quarterdeck.console.views.pipelines import DEFAULT, Pipeline
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.principal import Principal
from quarterdeck.tasks import settings
from quarterdeck.tasks.projects import membership, projects

SETTINGS = "tasks:settings.manage"
Stages = Sequence[Mapping[str, Any]]


class Pipelines:
    """`who` is the caller that the unit of work knows from its context."""

    instance: Any

    async def pipeline(self, who: Principal, key: str) -> tuple[Pipeline, str]:
        """With the version that it has now. Raises `Forbidden` for that of the settings where they are not for the
        reader.
        """
        found: tuple[Pipeline, str] = await self.instance.db.read(_shown, self.instance.access, key)
        return found

    async def save_pipeline(self, who: Principal, key: str, stages: Stages | None, version: str) -> None:
        """None takes a project's own away. Raises `Invalid` that names the wrong value by its path, and `Conflict`
        where somebody has saved since `version`.
        """
        await self.instance.db.write(_save, self.instance.access, key, stages, version)


def _version(stages: Stages) -> str:
    return hashlib.sha256(msgspec.json.encode(list(stages), order="sorted")).hexdigest()[:16]


def _shown(tx: Tx, access: Access, key: str) -> tuple[Pipeline, str]:
    default = settings.shown(tx)["defaultPipeline"]
    if key == DEFAULT:
        access.load(tx)
        access.require(tx.principal, SETTINGS)
        found = Pipeline(DEFAULT, "Projects without one of their own", tuple(default), own=True, may_change=True)
        return found, _version(default)
    part = projects.find(tx, key)
    membership.require(tx, access, part, "view")
    stages, name = part.pipeline or default, projects.whole(tx, part).name
    may = membership.may(tx, access, part, "manage")
    return Pipeline(part.key, name, tuple(stages), own=bool(part.pipeline), may_change=may), _version(stages)


def _save(tx: Tx, access: Access, key: str, stages: Stages | None, version: str) -> None:
    if key != DEFAULT:
        membership.require(tx, access, projects.find(tx, key), "manage")
    else:
        tx.lock(f"task-settings:{tx.principal.acts_in}")
    if _shown(tx, access, key)[1] != version:
        raise Conflict(
            "Somebody has saved this pipeline since you opened it.",
            code="pipeline_changed",
            hint="What you typed stands below; saving it again takes the place of theirs.",
        )
    plain = None if stages is None else _plain(stages)
    if key == DEFAULT:
        settings.change(tx, {"defaultPipeline": plain or []})
    else:
        projects.change(tx, key, {"pipeline": plain})


def _plain(stages: Stages) -> list[dict[str, Any]]:
    """By the same shape that the API takes. Raises `Invalid` at the path of the value."""
    from quarterdeck.surfaces.tasks.wire.settings import Stage

    try:
        return [msgspec.to_builtins(one) for one in msgspec.convert(list(stages), list[Stage])]
    except msgspec.ValidationError as error:
        told, _, place = str(error).partition(" - at `$")
        path = f"pipeline{place.rstrip('`')}"
        raise Invalid(
            f"{path}: {told}.", code="pipeline_invalid", hint="Change it, then save again.", field=path
        ) from None
