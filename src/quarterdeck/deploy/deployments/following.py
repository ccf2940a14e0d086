"""What follows a deployment as work of its own: draining what it replaced, clearing away what it left."""

from __future__ import annotations

import msgspec

from quarterdeck.deploy.deployments import admission
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.ordering import resource_of, server_of
from quarterdeck.deploy.resources import resources
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx

RETIRE = "deployment.retire"
CHANGED = "runtimes"
"""The bus topic that says: another runtime serves, or one was stopped or started."""
SERVER_LEFT = "The server was uninstalled: nothing is left there to be cleared away."
"""Why clearing may end without having been done."""
FOLLOW_UP_ATTEMPTS = 40
"""Tries, at last ten minutes apart: an engine may be away for an hour or two."""


class RetirePayload(msgspec.Struct):
    """`retire` drains and stops what was replaced; `clean` removes what a failed attempt left; `forget` removes an
    artefact that is not kept any longer.
    """

    deployment: int
    operation: str


def follow_up(tx: Tx, deployment: Deployment, operation: str) -> None:
    """Ask for what is to be done about a deployment that has ended, in words of `RetirePayload`."""
    # Only cleaning changes the way to the resource: it takes its turn among whatever else does, and is not kept
    # waiting by versions that drain, since the next attempt may stand behind it.
    turn = operation == "clean"
    jobs.enqueue(
        tx,
        jobs.Enqueue(
            kind=RETIRE,
            payload=RetirePayload(deployment.id, operation),
            organization_id=deployment.organization_id,
            subject=f"deployment:{deployment.ref}",
            lane="normal" if turn else "background",
            capabilities=admission.target_capabilities(server_of(tx, deployment)),
            concurrency_key=resources.turn_of(resource_of(tx, deployment)) if turn else None,
            max_attempts=FOLLOW_UP_ATTEMPTS,
        ),
    )
