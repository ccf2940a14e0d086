"""Leaving a server: what has to be so that it is begun, that something found there may go, and what follows its end."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from quarterdeck.deploy.deployments import belonging
from quarterdeck.deploy.deployments.jobs import RETIRE, SERVER_LEFT
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import TERMINAL
from quarterdeck.fleet.servers import servers, uninstalling
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx

CHUNK = 500


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
    """Raise `Conflict` (`server_in_use`) when what was found is needed under another name of the machine. With `unseen`
    not everything could be looked at: then nothing at all may be placed there under any name.
    """
    belonging.check_only_here(tx, server_ref, found)
    if unseen:
        rows = tx.scalars(select(Server).where(Server.id.in_(sorted(places))).order_by(Server.id))
        belonging.check_nothing_placed(tx, servers.find(tx, server_ref), list(rows))


def done(tx: Tx, server_ref: str, places: Collection[int], *, counts: dict[str, int], whole: bool) -> None:
    """The end, with how many of each kind went. Where `whole`, nothing is left that anybody should come back for: what
    ended there needs no clearing any more.
    """
    uninstalling.note(tx, server_ref, places, counts=counts)
    if whole:
        _retire(tx, places)


def _retire(tx: Tx, places: Collection[int]) -> None:
    rows = list(
        tx.scalars(
            select(Deployment)
            .where(Deployment.server_id.in_(sorted(places)), Deployment.status.in_(TERMINAL))
            .order_by(Deployment.id)
        )
    )
    for row in rows:
        row.retired_at = row.retired_at or tx.now
    tx.flush()
    subjects = {f"deployment:{row.ref}" for row in rows}
    for job in jobs.list_jobs(tx, jobs.Filter(kind=RETIRE, states=tuple(jobs.LIVE), limit=1_000_000)):
        if job.subject in subjects:
            jobs.cancel(tx, job.id, SERVER_LEFT)
