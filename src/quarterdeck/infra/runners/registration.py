"""How a runner comes to be known: registered by somebody, by the release secret, or enrolled as a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from quarterdeck.fleet.workers.actions import tell
from quarterdeck.fleet.workers.enrolment import digest
from quarterdeck.fleet.workers.model import EnrolmentToken, Worker
from quarterdeck.identity import sessions
from quarterdeck.identity.setup import default_organization
from quarterdeck.infra.runners import metadata
from quarterdeck.infra.runners.actions import RunnerAction, note
from quarterdeck.infra.runners.authenticating import new_token
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.runners.standing import CAPABILITIES, CLOUD_HOSTED, DRIFT, INFRA, SELF_HOSTED, Mode
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.text import one_line
from quarterdeck.kernel.vault import Secret

MOST = 1000
"""Runners of an organization that came by a token of their own."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Registered:
    """A runner and its token, which is shown this once."""

    worker: Worker
    runner: Runner
    token: Secret[str]


def register(
    tx: Tx,
    name: str,
    mode: str,
    *,
    cloud_identity_id: int | None = None,
    said: Mapping[str, Any] | None = None,
) -> Registered:
    """A self-hosted runner of the caller's organization. Raises `Invalid`, `Conflict` (`too_many_runners`), and
    `Forbidden` where a token of a program asks for it.
    """
    sessions.require_in_person(tx.principal)
    if not name.strip() or not mode:
        raise Invalid("name and mode are required", hint="Give the runner a name, and mode self-hosted.", field="name")
    if mode != SELF_HOSTED:
        raise Invalid("mode must be self-hosted", hint="Cloud-hosted runners register by the secret of releases.")
    worker, runner = add(
        tx,
        tx.principal.acts_in,
        one_line(name, "name", LONGEST_NAME),
        owner_id=tx.principal.id,
        cloud_identity_id=cloud_identity_id,
        said=said,
    )
    token = give_token(tx, runner)
    note(tx, worker, RunnerAction.REGISTERED, mode=runner.mode)
    return Registered(worker, runner, token)


def register_cloud_hosted(tx: Tx, name: str, mode: str = CLOUD_HOSTED) -> Registered:
    """A runner of nobody, for every organization. Again under the same name it keeps its id and gets another token; the
    one of before counts no longer. Raises `Invalid`.
    """
    if not name.strip():
        raise Invalid("name is required", hint="Give the runner a name.", field="name")
    if mode != CLOUD_HOSTED:
        raise Invalid("mode must be cloud-hosted", hint="Register self-hosted runners with a token of a person.")
    called = one_line(name, "name", LONGEST_NAME)
    home = default_organization(tx)
    tx.flush()
    tx.lock(f"infra-cloud-runner:{called}")
    known = tx.session.execute(
        select(Worker, Runner)
        .join(Runner, Runner.worker_id == Worker.id)
        .where(Runner.mode == CLOUD_HOSTED, Worker.name == called, Worker.revoked_at.is_(None))
        .order_by(Worker.id)
    ).first()
    worker, runner = add(tx, home.id, called, mode=CLOUD_HOSTED) if known is None else (known[0], known[1])
    token = give_token(tx, runner)
    note(tx, worker, RunnerAction.REGISTERED if known is None else RunnerAction.TOKEN_ROTATED, mode=runner.mode)
    return Registered(worker, runner, token)


def add(
    tx: Tx,
    organization_id: int,
    name: str,
    *,
    owner_id: int | None = None,
    mode: Mode = SELF_HOSTED,
    cloud_identity_id: int | None = None,
    said: Mapping[str, Any] | None = None,
) -> tuple[Worker, Runner]:
    """The rows of a foreign runner. Neither the control channel nor anybody who asks as it is let in by them: the hash
    for the former stands for a secret that nobody has, that for the latter until `give_token`.
    """
    tx.lock(f"infra-runners:{organization_id}")
    mine = select(func.count()).select_from(Runner)
    if int(tx.execute(mine.where(Runner.organization_id == organization_id)).scalar_one()) >= MOST:
        raise Conflict(
            f"There are {MOST} runners already.", code="too_many_runners", hint="Remove those nobody needs any more."
        )
    worker = tx.add(
        Worker(
            uid=tx.ids.uid(),
            organization_id=organization_id,
            name=name,
            recovery_hash=digest(tx.ids.token(32)),
            generation=1,
            capabilities=sorted(CAPABILITIES),
            offered=sorted(CAPABILITIES),
            agents=[],
            hardware={},
            projects=[],
            trouble={},
            ailing=[],
            slots=1,
            created_at=tx.now,
        )
    )
    tx.flush()
    runner = tx.add(
        Runner(
            uid=tx.ids.uid(),
            worker_id=worker.id,
            organization_id=organization_id,
            owner_id=owner_id,
            mode=mode,
            token_hash=digest(tx.ids.token(32)),
            cloud_identity_id=cloud_identity_id,
            release_id=None,
            runner_metadata=metadata.kept(said or {}),
            created_at=tx.now,
        )
    )
    tx.flush()
    tell(tx, worker, "worker-enrolled")
    return worker, runner


def give_token(tx: Tx, runner: Runner) -> Secret[str]:
    """Another token, from now on the only one."""
    token = new_token(tx)
    runner.token_hash, runner.pending_token_hash, runner.pending_job_id = digest(token.reveal()), None, None
    return token


def adopt(tx: Tx, worker: Worker) -> Runner:
    """The part as a runner of a worker that was enrolled for infrastructure, made where it has none. It is of whoever
    made the token that it was enrolled with.
    """
    tx.lock(f"worker:{worker.uid}")
    known = tx.first(select(Runner).where(Runner.worker_id == worker.id))
    if known is not None:
        return known
    maker = tx.execute(select(EnrolmentToken.created_by).where(EnrolmentToken.worker_id == worker.id)).scalar()
    runner = tx.add(
        Runner(
            uid=tx.ids.uid(),
            worker_id=worker.id,
            organization_id=worker.organization_id,
            owner_id=maker,
            mode=SELF_HOSTED,
            token_hash=None,
            cloud_identity_id=None,
            release_id=None,
            runner_metadata={},
            created_at=tx.now,
        )
    )
    tx.flush()
    return runner


def hear(tx: Tx, event: events.Event) -> None:
    """The durable subscriber: a worker was enrolled."""
    worker = tx.first(select(Worker).where(Worker.uid == event.stream.removeprefix("worker:")))
    if worker is not None and worker.revoked_at is None and not {INFRA, DRIFT}.isdisjoint(worker.capabilities):
        adopt(tx, worker)


events.subscribe("infra-runners", {"worker-enrolled"}, hear)
