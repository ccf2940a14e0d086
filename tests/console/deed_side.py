"""What forms do to projects and resources in the made-up installation of `portside`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quarterdeck.console.ports import Place, SourceChoice
from quarterdeck.kernel.errors import Conflict, Invalid


class DeedSide:
    """Every deed is noted; those that have a version or a confirmation look at it first."""

    version: str
    _did: Callable[..., None]

    async def create_project(self, who: Any, *, name: str, description: str) -> str:
        self._did("create-project", name)
        return name

    async def change_project(self, who: Any, slug: str, *, name: str, description: str, version: str) -> str:
        if version != self.version:
            raise Conflict("Storefront was changed by somebody else.", hint="Compare both and save again.")
        self._did("change-project", slug, name, description)
        return slug

    async def archive_project(self, who: Any, slug: str) -> None:
        self._did("archive-project", slug)

    async def restore_project(self, who: Any, slug: str) -> None:
        self._did("restore-project", slug)

    async def project_blockers(self, who: Any, slug: str) -> tuple[str, ...]:
        return ("2 resources",) if slug == "storefront" else ()

    async def delete_project(self, who: Any, slug: str, confirmation: str) -> None:
        if confirmation != slug:
            raise Invalid("The name typed is not the name of the project.", hint=f"Type {slug}.", field="confirmation")
        self._did("delete-project", slug)

    async def create_environment(self, who: Any, project: str, *, name: str, kind: str) -> str:
        self._did("create-environment", project, name, kind)
        return name

    async def deploy_source(self, who: Any, source: SourceChoice) -> tuple[Place, int]:
        self._did("deploy-source", source)
        return Place("storefront", "production", "web"), 42

    async def deploy(self, who: Any, place: Place) -> int:
        self._did("deploy", place)
        return 42

    async def cancel(self, who: Any, place: Place, number: int) -> None:
        self._did("cancel", place, number)

    async def retry(self, who: Any, place: Place, number: int) -> int:
        self._did("retry", place, number)
        return 42

    async def roll_back(self, who: Any, place: Place, number: int) -> int:
        self._did("roll-back", place, number)
        return 42

    async def control(self, who: Any, place: Place, operation: str) -> None:
        self._did("control", place, operation)

    async def set_variable(self, who: Any, place: Any, *, key: str, value: str, exposure: str, secret: bool) -> None:
        self._did("set-variable", place, key, value, exposure, secret)

    async def import_variables(
        self, who: Any, place: Place, *, content: str, exposure: str, secret: str, plain: str
    ) -> int:
        self._did("import-variables", place, content, exposure, secret, plain)
        return content.count("=")

    async def unset_variable(self, who: Any, place: Any, *, key: str, exposure: str) -> None:
        self._did("unset-variable", place, key, exposure)

    async def change_settings(self, who: Any, place: Place, form: str, values: Mapping[str, str], version: str) -> None:
        if version != self.version:
            raise Conflict("web was changed by somebody else.", hint="Compare both and save again.")
        self._did("change-settings", place, form, dict(values))

    async def archive_resource(self, who: Any, place: Place) -> None:
        self._did("archive-resource", place)

    async def delete_resource(self, who: Any, place: Place, confirmation: str) -> None:
        if confirmation != place.resource:
            raise Invalid("The name typed is not the name of the resource.", hint="Type web.", field="confirmation")
        self._did("delete-resource", place)
