"""Releases of the runner program, and who publishes them (contract: infra §1.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.infra.runners import registration, releases
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.infra.runner_shapes import release_shape, text, tokened
from quarterdeck.surfaces.infra.runners import VIEW
from quarterdeck.surfaces.infra.wire import runners as wire
from quarterdeck.surfaces.shared.values import given

PIPELINE = ("release",)
WRONG = (401, "release_secret_invalid")


class Paging(Struct, kw_only=True):
    before: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


@route(
    "POST",
    "/api/releases/worker",
    permission="authenticated",
    callers=PIPELINE,
    errors=((400, "validation_error"), WRONG, (409, "release_exists")),
)
async def publish(call: Call, body: wire.ReleaseCreate) -> wire.Published:
    """Publish a version of the runner."""
    said = releases.Published(
        version=text(body.version),
        release_notes=given(body.release_notes),
        github_release_url=given(body.github_release_url) or None,
        commit_sha=given(body.commit_sha),
        is_breaking=bool(given(body.is_breaking)),
    )
    return await call.write(lambda tx: wire.Published(id=releases.publish(tx, said).uid))


@route("GET", "/api/cli/releases", permission=VIEW)
async def listed(call: Call, query: Paging) -> wire.Releases:
    """Published versions of the runner, newest first."""

    def verb(tx: Tx) -> wire.Releases:
        found = releases.page(tx, given(query.before), query.limit + 1)
        shown = [release_shape(one) for one in found[: query.limit]]
        latest = releases.newest(tx)
        return wire.Releases(
            releases=shown,
            latest=None if latest is None else release_shape(latest),
            next=shown[-1].id if len(found) > query.limit else None,
        )

    return await call.read(verb)


@route(
    "POST",
    "/api/runners/register",
    permission="authenticated",
    callers=PIPELINE,
    errors=((400, "validation_error"), WRONG, (409, "too_many_runners")),
)
async def register(call: Call, body: wire.CloudRunnerCreate) -> wire.Tokened:
    """Register a cloud-hosted runner; again under the same name, it gets another token, and the earlier one ends."""
    return await call.write(cloud_hosted(body))


def cloud_hosted(body: wire.CloudRunnerCreate) -> Callable[[Tx], wire.Tokened]:
    """The unit of the route above, which the shared one has as well."""

    def verb(tx: Tx) -> wire.Tokened:
        mode = text(body.mode)
        return tokened(registration.register_cloud_hosted(tx, text(body.name), *([mode] if mode else [])))

    return verb
