"""Carrying out now what is said about how long things stay. A route of ours beside the contract."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.retention import Category as Governed
from quarterdeck.kernel.retention import on_request
from quarterdeck.surfaces.deploy.retention_defaults import for_all, here
from quarterdeck.surfaces.deploy.wire.retention_defaults import Category
from quarterdeck.surfaces.shared.values import given


class RetentionRun(Struct, kw_only=True, rename="camel"):
    """Without `dryRun: false` it is only said what would go. `system` is about every organization; without
    `categories` all are meant.
    """

    scope: Literal["organization", "system"] = "organization"
    categories: list[Category] | UnsetType = UNSET
    dry_run: bool = True


class RetentionRunItem(Struct, kw_only=True, rename="camel"):
    """A dry run says what is due at this moment: `removes` would go, `onlyCounts` too if the defaults that only look
    were destructive. Else both are null, and the work `workId` does it and says what went.
    """

    category: str
    removes: int | None
    only_counts: int | None
    work_id: str | None


class RetentionRunAnswer(Struct, kw_only=True, rename="camel"):
    schema_version: str = "retention-runs/v1"
    scope: str
    dry_run: bool
    items: list[RetentionRunItem]


@route(
    "POST",
    "/api/retention-runs",
    permission="deploy:retention-defaults.configure",
    summary="Carry out now what is said about how long things stay, or look what that would take",
    status=200,
    errors=((400, "validation_error"), (403, "operation_authorization_denied")),
    body_required=True,
    tags=("retention-defaults",),
)
async def run(call: Call, instance: Any, body: RetentionRun) -> RetentionRunAnswer:
    def whose(tx: Tx) -> int | None:
        mine = here(tx, None)
        if body.scope == "organization":
            return mine.id
        for_all(tx, mine)
        return None

    organization_id = await call.read(whose)
    wanted = on_request.governed(given(body.categories))
    if body.dry_run:
        items = [_looked(one, await on_request.due(instance, one, organization_id)) for one in wanted]
    else:
        started = await call.write(on_request.start, wanted, organization_id)
        items = [
            RetentionRunItem(category=str(one.governed), removes=None, only_counts=None, work_id=job.work_ref)
            for one, job in started
        ]
    return RetentionRunAnswer(scope=body.scope, dry_run=body.dry_run, items=items)


def _looked(category: Governed, due: on_request.Due) -> RetentionRunItem:
    return RetentionRunItem(
        category=str(category.governed), removes=due.removes, only_counts=due.only_counts, work_id=None
    )
