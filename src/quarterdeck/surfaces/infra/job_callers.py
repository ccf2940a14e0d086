"""Who comes to the state and the saved plan of a job: the Terraform that works on it, by HTTP Basic."""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

from litestar.connection import ASGIConnection

from quarterdeck.infra.states import credentials
from quarterdeck.infra.states.credentials import Attempt
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import NotFound, Unauthenticated
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.principal import Principal


class Shown(NamedTuple):
    """What a request shows: the job's uid and the credential of its attempt."""

    username: str
    password: str


class JobAuthenticator:
    """Knows the attempts of jobs that run."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def credential(self, connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
        header = connection.headers.get("authorization", "")
        return header if header[:6].lower() == "basic " else None

    def missing(self) -> Unauthenticated:
        return Unauthenticated(
            "Send the credential of a job that runs.",
            code="infra_credential_invalid",
            hint="Send the job's id as username and its credential as password, by HTTP Basic.",
        )

    async def authenticate(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
        return await self._db.read(_principal, shown(connection.headers.get("authorization", "")))


def _principal(tx: Tx, said: Shown) -> Principal:
    job = credentials.holder(tx, *said).job
    return Principal(
        kind="runner",
        id=job.worker_id or 0,
        uid=job.uid,
        label=job.worker_name or f"job {job.uid}",
        organization_id=job.organization_id,
        credential=f"job:{job.uid}",
    )


def shown(header: str) -> Shown:
    """Raises `Unauthenticated` for anything but HTTP Basic."""
    scheme, _, encoded = header.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        pair = ""
    username, colon, password = pair.partition(":")
    if scheme.lower() != "basic" or not colon or "\x00" in username:
        raise Unauthenticated(
            "The Authorization header is not HTTP Basic.",
            code="infra_credential_invalid",
            hint="Send the job's id as username and its credential as password.",
        )
    return Shown(username, password)


def attempt(tx: Tx, call: Call) -> Attempt:
    """The attempt that calls, looked at again in the unit of what it does: it may have ended since it was let in.
    Raises `Unauthenticated`, and `NotFound` where another job is named than its own.
    """
    found = credentials.holder(tx, *shown(call.headers.get("authorization", "")))
    if call.path["id"] != found.job.uid:
        raise NotFound(
            "There is no such job, or this credential is not of it.",
            code="infra_job_not_found",
            hint="A credential opens the state of its own job alone.",
        )
    return found
