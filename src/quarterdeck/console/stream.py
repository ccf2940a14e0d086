"""One stream per page: fragments with ids that replace their own box, and log lines resumed by number.

State is sent whole on connecting and again when it changed, so that a lost event costs nothing; only the log needs the
`Last-Event-ID`. A reload is always true without any of this.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from litestar.response import Stream
from markupsafe import Markup

from quarterdeck.console import commands
from quarterdeck.console.desk import Desk, open_desk
from quarterdeck.console.permissions import SIGNED_IN, needs
from quarterdeck.console.ports import Place, Update
from quarterdeck.console.render import secure_headers
from quarterdeck.console.views.infra import SpecsAsked
from quarterdeck.console.views.infra_jobs import InfraJobsAsked
from quarterdeck.console.views.secrets import RequestsAsked
from quarterdeck.kernel.errors import Invalid, NotFound, Problem
from quarterdeck.kernel.http.shared_signature import get
from quarterdeck.kernel.http.sse import STILL_ADMITTED
from quarterdeck.kernel.principal import current

CHECKED_EVERY, GATHER, MOST_LINES = 5.0, 0.05, 2000
INFRA_ROWS, SECRET_ROWS = 50, 50
_TOPIC = re.compile(
    r"(home|fleet|jobs|tasks|secrets|infra|infra-jobs|(?:infra-(?:job|plan|spec)|secret-request):[0-9a-f-]{36}|task(?:-events)?:[0-9]{1,15}|project:[^:,/]+|(?:resource|deployment):[^:,]+|log:[\w:.\-]+)\Z"
)
SWAP = Markup(' hx-swap-oob="outerMorph"')


@get("/stream", opt=needs(SIGNED_IN))
async def stream(request: Request[Any, Any, Any]) -> Stream:
    """`topics` as the page named them, `after` the number of the last log line in it."""
    desk = await open_desk(request)
    topics = tuple(topic for topic in request.query_params.get("topics", "").split(",") if topic)
    if not topics or len(topics) > 4 or not all(_TOPIC.match(topic) for topic in topics):
        raise Invalid("There is no such stream.", hint="Reload the page.")
    await desk.ports.admitted(desk.who, topics)
    resumed = str(request.headers.get("last-event-id") or request.query_params.get("after", ""))
    after = int(resumed) if resumed.isascii() and resumed.isdigit() and len(resumed) < 16 else 0
    headers = secure_headers(desk.console.renderer.ids.token(12)) | {"X-Accel-Buffering": "no"}
    return Stream(_events(desk, topics, after), media_type="text/event-stream", headers=headers)


async def _events(desk: Desk, topics: tuple[str, ...], after: int) -> AsyncIterator[str]:
    waiting: asyncio.Queue[Update | None] = asyncio.Queue(maxsize=256)
    reader = asyncio.create_task(_read(desk, topics, after, waiting))
    sent: dict[str, str] = {}
    try:
        yield ": open\n\n"
        for topic in topics:
            if text := await _fragment(desk, topic, sent):
                yield text
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            if loop.time() - checked >= CHECKED_EVERY:
                checked = loop.time()
                if not await _still_admitted(desk):
                    return
            try:
                first = await asyncio.wait_for(waiting.get(), CHECKED_EVERY)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            await asyncio.sleep(GATHER)
            batch = [first]
            while not waiting.empty():
                batch.append(waiting.get_nowait())
            for text in _log_events(desk, [update for update in batch if update]):
                yield text
            for topic in dict.fromkeys(update.topic for update in batch if update):
                if not topic.startswith("log:") and (text := await _fragment(desk, topic, sent)):
                    yield text
            if None in batch:
                return
    finally:
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reader


async def _still_admitted(desk: Desk) -> bool:
    """Whether the session that opened the stream still stands, and in the organization that the page shows; the page
    goes to the door on its next load.
    """
    still = desk.request.scope["state"].get(STILL_ADMITTED)
    if still is None:
        return True
    try:
        await still()
    except Problem:
        return False
    return bool(current.get().principal.organization_id == desk.who.organization_id)


async def _read(desk: Desk, topics: tuple[str, ...], after: int, waiting: asyncio.Queue[Update | None]) -> None:
    """The page's updates into its queue; None when there will be no more."""
    try:
        async for update in desk.ports.follow(desk.who, topics, after):
            await waiting.put(update)
    except Problem:
        pass  # the page shows the refusal on its next load; the stream only ends
    finally:
        with contextlib.suppress(asyncio.QueueFull):
            waiting.put_nowait(None)


def _log_events(desk: Desk, batch: list[Update]) -> list[str]:
    lines = [line for update in batch for line in update.lines]
    events = []
    if len(lines) > MOST_LINES or any(update.gap for update in batch):
        events.append(_event("Lines were left out here. The raw log has them all.", name="qd-gap"))
        lines = lines[-MOST_LINES:]
    if lines:
        text = desk.console.renderer.text("pages/log_lines.html", {"lines": lines}, desk.viewer.zone)
        events.append(_event(text, name="qd-log", number=lines[-1].number))
    if any(update.ended for update in batch):
        events.append(_event("ended", name="qd-end"))
    return events


async def _fragment(desk: Desk, topic: str, sent: dict[str, str]) -> str:
    """The boxes of `topic` as one event; nothing when they are as they were."""
    try:
        text = await _render(desk, topic)
    except NotFound:
        return ""
    if not text or sent.get(topic) == text:
        return ""
    sent[topic] = text
    return _event(text)


async def _render(desk: Desk, topic: str) -> str:
    kind, _, name = topic.partition(":")
    ports, who = desk.ports, desk.who
    if kind == "home":
        boxes = ("home_head", "home_lists", "home_side", "room_counts")
        return _boxes(desk, boxes, view=await ports.home(who), counts=await ports.counts(who))
    if kind == "fleet":
        return _boxes(desk, ("fleet_rows",), rows=await ports.hosts(who))
    if kind == "jobs":
        return _boxes(desk, ("jobs_rows",), view=await ports.jobs(who, state="", before="", limit=50))
    if kind == "tasks":
        board = await ports.board(who, project="", mine=False)
        return _boxes(desk, ("tasks_board", "room_counts"), view=board, counts=await ports.counts(who))
    if kind == "task":
        task, counts = await ports.task(who, int(name)), await ports.counts(who)
        boxes = ("task_head", "task_gate", "task_side", "room_counts")
        return _boxes(desk, boxes, view=task, answer=commands.answer_gate(task), counts=counts)
    if kind == "task-events":
        task, told = await ports.task(who, int(name)), await ports.task_events(who, int(name))
        return _boxes(desk, ("task_head", "task_event_rows"), view=task, events=told)
    if kind == "infra":
        found = await ports.infra_specs(who, SpecsAsked(), "", INFRA_ROWS)
        return _boxes(desk, ("infra_spec_rows", "room_counts"), view=found, counts=await ports.counts(who))
    if kind == "infra-jobs":
        jobs = await ports.infra_jobs(who, InfraJobsAsked(), INFRA_ROWS)
        return _boxes(desk, ("infra_job_rows", "room_counts"), rows=jobs.rows, counts=await ports.counts(who))
    if kind == "infra-spec":
        spec = await ports.infra_spec(who, name)
        return _boxes(
            desk, ("infra_spec_head", "infra_spec_side", "room_counts"), view=spec, counts=await ports.counts(who)
        )
    if kind == "infra-job":
        job = await ports.infra_job(who, name, 0)
        return _boxes(
            desk,
            ("infra_job_head", "infra_job_state", "infra_job_pin", "infra_job_facts", "room_counts"),
            view=job,
            counts=await ports.counts(who),
        )
    if kind == "infra-plan":
        plan = await ports.infra_plan(who, name)
        return _boxes(desk, ("infra_plan_head", "room_counts"), view=plan, counts=await ports.counts(who))
    if kind == "secrets":
        inbox = await ports.secret_requests(who, RequestsAsked(), SECRET_ROWS)
        return _boxes(desk, ("secret_rows", "room_counts"), view=inbox, box="", counts=await ports.counts(who))
    if kind == "secret-request":
        asked = await ports.secret_request(who, name)
        boxes = ("secret_head", "secret_state", "secret_side", "room_counts")
        return _boxes(desk, boxes, view=asked, counts=await ports.counts(who))
    if kind == "project":
        return _boxes(desk, ("project_environments",), view=await ports.project(who, name))
    parts = name.split("/")
    if kind == "resource" and len(parts) == 3:
        view = await ports.resource(who, Place(*parts))
        shown = ["resource_head", "resource_side", "resource_history"]
        if view.deployment:
            shown.append("deployment_state")
        return _boxes(desk, tuple(shown), view=view, head=view.head, deployment=view.deployment, linked=True)
    if kind == "deployment" and len(parts) == 4 and parts[3].isdigit():
        place = Place(*parts[:3])
        head = await ports.resource_head(who, place)
        deployment = await ports.deployment(who, place, int(parts[3]))
        return _boxes(
            desk, ("deployment_head", "deployment_state", "deployment_plan"), head=head, deployment=deployment
        )
    return ""


def _boxes(desk: Desk, templates: tuple[str, ...], **values: Any) -> str:
    render = desk.console.renderer.text
    shared = {"viewer": desk.viewer, "oob": SWAP, **values}
    return "".join(render(f"pages/{name}.html", shared, desk.viewer.zone) for name in templates)


def _event(data: str, *, name: str = "", number: int | None = None) -> str:
    head = (f"event: {name}\n" if name else "") + (f"id: {number}\n" if number is not None else "")
    return head + "".join(f"data: {line}\n" for line in data.splitlines() or [""]) + "\n"
