"""One search over everything that the caller sees."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.tasks.machine_shapes import machine_shape
from quarterdeck.surfaces.tasks.project_shapes import project_shape
from quarterdeck.surfaces.tasks.task_shapes import task_shape
from quarterdeck.surfaces.tasks.wire import dashboard as wire
from quarterdeck.tasks.overview import machines, searching
from quarterdeck.tasks.projects import listing
from quarterdeck.tasks.projects.membership import visible_projects


@route("GET", "/api/web/search", permission="tasks:tasks.view")
async def search(call: Call, query: wire.SearchQuery, access: Access) -> wire.Found:
    """Tasks by number and description, machines by name, projects by key, name, description and repository. Every sign
    stands for itself; among many tasks the newest 5,000 descriptions are looked through.
    """
    words = query.q.strip()

    def verb(tx: Tx) -> wire.Found:
        visible = visible_projects(tx, access, tx.principal)
        seen = machines.listed(tx, words)[: query.limit] if machines.may_see(tx, access) else []
        shown = access.decide(tx.principal, "tasks:projects.view").allowed
        found = machine_shape(seen)
        return wire.Found(
            tasks=task_shape(tx, searching.tasks(tx, visible, words, query.limit)),
            machines=found,
            workers=found,
            projects=project_shape(tx, listing.search(tx, visible, words, query.limit)) if shown else [],
        )

    return await call.read(verb) if words else wire.Found(tasks=[], machines=[], workers=[], projects=[])
