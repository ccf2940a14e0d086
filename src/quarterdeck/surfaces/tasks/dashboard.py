"""What goes on in the projects that the caller sees."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.tasks.task_shapes import task_shape
from quarterdeck.surfaces.tasks.wire import dashboard as wire
from quarterdeck.tasks.overview import counting, happening, machines, newest
from quarterdeck.tasks.projects import listing
from quarterdeck.tasks.projects.membership import visible_projects

VIEW = "tasks:tasks.view"


@route("GET", "/api/web/dashboard/stats", permission=VIEW)
async def stats(call: Call, access: Access) -> wire.Stats:
    """How many tasks are in which state, what ended today, and how the machines stand."""

    def verb(tx: Tx) -> wire.Stats:
        visible = visible_projects(tx, access, tx.principal)
        living = counting.living(tx, visible)
        ended = counting.ended_since(tx, visible, counting.midnight(tx))
        known = machines.listed(tx)
        connected = [one.worker for one in known if one.status in {"online", "draining"}]
        online = sum(one.status == "online" for one in known)
        return wire.Stats(
            active_tasks=living.get("assigned", 0) + living.get("running", 0),
            queued_tasks=living.get("queued", 0),
            suspended_tasks=living.get("suspended", 0),
            online_machines=online,
            online_workers=online,
            total_machines=len(known),
            draining_machines=sum(one.status == "draining" for one in known),
            completed_today=ended.get("completed", 0),
            failed_today=ended.get("failed", 0),
            slots_used=sum(one.used_slots for one in connected),
            slots_total=sum(one.slots for one in connected),
        )

    return await call.read(verb)


@route("GET", "/api/web/dashboard/recent-tasks", permission=VIEW)
async def recent_tasks(call: Call, query: wire.RecentQuery, access: Access) -> wire.RecentTasks:
    """The newest tasks that the caller sees."""

    def verb(tx: Tx) -> wire.RecentTasks:
        ids = newest.numbers(tx, visible_projects(tx, access, tx.principal), query.limit)
        items = task_shape(tx, newest.rows(tx, ids))
        return wire.RecentTasks(items=items, next_cursor=None, total=len(items))

    return await call.read(verb)


@route("GET", "/api/web/dashboard/recent-activity", permission=VIEW)
async def recent_activity(call: Call, query: wire.RecentQuery, access: Access) -> wire.RecentActivity:
    """What happened last to the tasks that the caller sees, newest first."""

    def verb(tx: Tx) -> wire.RecentActivity:
        found = happening.last(tx, visible_projects(tx, access, tx.principal), query.limit)
        keys = listing.keys(tx, {one.project_id for one in found})
        items = [activity(one, keys.get(one.project_id)) for one in found]
        return wire.RecentActivity(items=items, next_cursor=None, total=len(items))

    return await call.read(verb)


def activity(one: happening.Happened, key: str | None) -> wire.Activity:
    told = one.event.data
    return wire.Activity(
        id=one.event.id,
        type=one.event.type,
        actor=told.get("actor"),
        project_key=key,
        task_id=one.task_id,
        message=told.get("message") or f"Task #{one.task_id}: {one.event.type.replace('_', ' ')}.",
        created_at=wire_time(one.event.at),
    )
