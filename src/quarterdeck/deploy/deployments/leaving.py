"""Leaving a server: what has to be so that it is begun, that something found there may go, and what follows its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Collection
from functools import partial

import structlog
from sqlalchemy import ColumnElement, select, update

from quarterdeck.deploy.deployments import belonging
from quarterdeck.deploy.deployments.following import RETIRE, SERVER_LEFT
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import TERMINAL
from quarterdeck.fleet.servers import servers, uninstalling
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.taking_away import TakingAway
from quarterdeck.fleet.targets.uninstalling import ENGINE, Left, is_whole
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Conflict, NotFound, Problem

AT_ONCE = 500
PAUSES = (0.2, 1.0, 5.0, 15.0)
"""Seconds between the tries to write down how it ended."""
CLEARING_SECONDS, LOOK_SECONDS = 90.0, 0.5
"""How long clearing that has begun is waited for, and how often it is looked at."""
log = structlog.get_logger("quarterdeck.leaving")


async def leave(
    machines: TakingAway, server_ref: str, *, remove: bool, engine: bool = False, without_engine: bool = False
) -> tuple[Server, list[Left]]:
    """What we have left there, and with `remove` what of it is gone; with `engine` the engine that we have installed,
    too. Raises `Conflict` (`server_in_use`) before anything goes while something is placed there or needed under
    another name of the machine, `Invalid` for the machine of the control plane, and what `machines.uninstall` raises.
    """
    db = machines.db

    async def known(refs: Collection[str]) -> frozenset[str]:
        mine: frozenset[str] = await db.read(belonging.ours, refs)
        return mine

    if not remove:
        return await machines.left(server_ref, known, engine=engine)
    places: list[int] = await db.write(accept, server_ref)

    async def agreed(found: list[str], unseen: bool) -> None:
        await db.read(check_found, server_ref, places, found, unseen=unseen)

    try:
        await _cleared(db, server_ref, places)
        server, found = await machines.uninstall(
            server_ref, known, agreed, engine=engine, without_engine=without_engine
        )
    except BaseException as error:
        await asyncio.shield(_insist(db, uninstalling.give_up, server_ref, places, _code(error)))
        raise
    counts = dict(Counter(one.kind for one in found if one.removed))
    gone = next((one.name for one in found if one.removed and one.kind == ENGINE), None)
    ended = partial(done, counts=counts, whole=is_whole(found), engine=gone)
    await asyncio.shield(_end(db, ended, server_ref, places))
    return server, found


async def _cleared(db: Database, server_ref: str, places: Collection[int]) -> None:
    """Wait for the clearing that is at work there; none begins any more. Raises `Conflict` (`server_in_use`) where it
    goes on for longer than a version may drain.
    """
    for _ in range(int(CLEARING_SECONDS / LOOK_SECONDS)):
        if not await db.read(_clearing, places, [jobs.State.RUNNING]):
            return
        await asyncio.sleep(LOOK_SECONDS)
    await db.read(_check_cleared, server_ref, places)


async def _end(db: Database, ended: Callable[..., None], server_ref: str, places: Collection[int]) -> None:
    """Write down that it has ended. Where that cannot be written the server takes work again all the same, and a repeat
    finds nothing there.
    """
    try:
        await _insist(db, ended, server_ref, places)
    except Exception as error:
        await _insist(db, uninstalling.give_up, server_ref, places, _code(error))
        raise


async def _insist(db: Database, verb: Callable[..., None], *args: object) -> None:
    """Write, and again after a pause when that fails: until it is written the server takes nothing."""
    for pause in PAUSES:
        try:
            return await db.write(verb, *args)
        except Exception as error:  # noqa: BLE001 - whatever it was, it may be gone the next time
            log.warning("leaving_not_written", code=_code(error), reason=type(error).__name__)
        await asyncio.sleep(pause)
    return await db.write(verb, *args)


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, Problem) else "internal_error"


def accept(tx: Tx, server_ref: str) -> list[int]:
    """Begin, in the unit that finds nothing placed there: whoever deploys to it waits for this unit, or this one for
    theirs. Answers the row ids of all servers that are this machine, which take nothing new until `done` or
    `uninstalling.give_up`. Raises what `uninstalling.accept` and `belonging.check_unused` raise.
    """
    places = uninstalling.accept(tx, server_ref)
    belonging.check_unused(tx, server_ref)
    belonging.check_nothing_coming(tx, servers.find(tx, server_ref), places)
    return [one.id for one in places]


def check_found(tx: Tx, server_ref: str, places: Collection[int], found: Collection[str], *, unseen: bool) -> None:
    """Raise `Conflict` (`server_in_use`) when what was found is needed under another name of the machine, or is being
    cleared away by somebody who was told to before. With `unseen`
    not everything could be looked at: then nothing at all may be placed there under any name.
    """
    _check_cleared(tx, server_ref, places)
    belonging.check_only_here(tx, server_ref, found)
    if unseen:
        rows = tx.scalars(select(Server).where(Server.id.in_(sorted(places))).order_by(Server.id))
        belonging.check_nothing_placed(tx, servers.find(tx, server_ref), list(rows))


def done(
    tx: Tx, server_ref: str, places: Collection[int], *, counts: dict[str, int], whole: bool, engine: str | None = None
) -> None:
    """The end, with how many of each kind went. Where `whole`, nothing is left that anybody should come back for: what
    ended there needs no clearing any more.
    """
    uninstalling.note(tx, server_ref, places, counts=counts, engine=engine)
    if whole:
        _retire(tx, places)


def _check_cleared(tx: Tx, server_ref: str, places: Collection[int]) -> None:
    if _clearing(tx, places, [jobs.State.RUNNING]):
        why = "what a deployment left is being cleared away there"
        raise uninstalling.in_use(servers.find(tx, server_ref), why, "Wait until that has ended: qd work")


def _retire(tx: Tx, places: Collection[int]) -> None:
    ended = _ended(places) & Deployment.retired_at.is_(None)
    for row in tx.scalars(select(Deployment).where(ended).order_by(Deployment.id)):
        row.retired_at = tx.now
    tx.execute(
        update(Deployment).where(_ended(places), Deployment.artifact_retained.is_(True)).values(artifact_retained=False)
    )  # what could be given back went, too
    tx.flush()
    for job in _clearing(tx, places, jobs.LIVE):
        # It may have ended, or be forgotten, since it was looked at: then there is nothing to cancel.
        with contextlib.suppress(Conflict, NotFound), tx.savepoint():
            jobs.cancel(tx, job, SERVER_LEFT)


def _clearing(tx: Tx, places: Collection[int], states: Collection[jobs.State]) -> list[int]:
    """Row ids of the jobs in these states that clear away what deployments left there."""
    waiting = jobs.list_jobs(tx, jobs.Filter(kind=RETIRE, states=tuple(states), limit=1_000_000))
    found: list[int] = []
    for start in range(0, len(waiting), AT_ONCE):
        some = {job.id: (job.subject or "").removeprefix("deployment:") for job in waiting[start : start + AT_ONCE]}
        named = _ended(places) & Deployment.ref.in_(sorted(set(some.values())))
        here = set(tx.scalars(select(Deployment.ref).where(named)))
        found.extend(job for job, ref in some.items() if ref in here)
    return found


def _ended(places: Collection[int]) -> ColumnElement[bool]:
    return Deployment.server_id.in_(sorted(places)) & Deployment.status.in_(TERMINAL)
