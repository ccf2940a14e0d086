"""What an order says of the cloud identity of its job, with a token made for this attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from quarterdeck.identity.machine import Machine
from quarterdeck.infra.clouds import credentials, identities, issuing
from quarterdeck.infra.clouds.credentials import FEDERATED, NAMES
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.execution.orders import CLOUD_JOBS, GRACE_SECONDS, SECONDS, Cloud
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Problem

CHECKS = frozenset({"CONNECTION_TEST"})
"""Jobs that take up an identity which nobody has proved yet."""
OWN = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""What the server itself can take a role of AWS on by; nothing else of its machine counts."""


@dataclass(frozen=True, slots=True)
class OwnCredentials:
    """Whether the server was started with credentials of its own, by the provider; a part that rules are given."""

    aws: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> OwnCredentials:
        return cls(aws=all(environment.get(name) for name in OWN))


def cloud(tx: Tx, job: InfraJob, own: bool = False) -> Cloud | None:
    """None for a job without an identity. `own`: the server's own worker takes it. The token in it is good for as long
    as the job may take, and is kept nowhere.

    Raises `Conflict`: `cloud_identity_gone`, `cloud_identity_unverified`, `cloud_issuer_absent`, and
    `infra_needs_runner` where the server's own worker may not take it up.
    """
    if job.cloud_identity_id is None:
        return None
    identity = identities.by_id(tx, job.cloud_identity_id)
    if identity is None or identity.organization_id != job.organization_id or not identity.credentials:
        raise gone(job)
    if identity.verified_at is None and job.job_type not in CHECKS:
        raise unverified(identity)
    if own and elsewhere(tx, identity):
        raise _not_own(identity)
    kept, secret = identity.credentials, credentials.opened(tx, identity)
    return Cloud(
        provider=identity.provider,
        role_arn=str(kept.get("role_arn", "")),
        external_id=secret.get("external_id", ""),
        account_id=str(kept.get("account_id", "")),
        project_id=str(kept.get("project_id", "")),
        service_account_email=str(kept.get("service_account_email", "")),
        wif_config=secret.get("wif_config", ""),
        tenant_id=str(kept.get("tenant_id", "")),
        client_id=str(kept.get("client_id", "")),
        subscription_id=str(kept.get("subscription_id", "")),
        subject_token=issuing.token(tx, identity, life(job)).reveal() if identity.provider in FEDERATED else "",
        session=f"runner-worker-{job.uid[:8]}",
        own=own,
    )


def life(job: InfraJob) -> timedelta:
    """How long the token of a job has to be good: a look is over at once, anything else may take all of its time."""
    if job.job_type in CLOUD_JOBS:
        return issuing.LIFE
    return timedelta(seconds=SECONDS + GRACE_SECONDS) + issuing.SPARE


def elsewhere(tx: Tx, identity: CloudIdentity) -> bool:
    """Whether only an enrolled or a foreign runner can take it up. The server itself federates to nobody, and takes
    roles of AWS on for the organization alone that the installation began with, whose administrators run it, and where
    they have given it credentials to do so: another organization could name a role that trusts this server.
    """
    if identity.provider in FEDERATED:
        return True
    return not (tx.part(OwnCredentials).aws and Machine.belongs_to(tx, identity.organization_id))


def require_verified(identity: CloudIdentity) -> None:
    """Raises `Conflict` (`cloud_identity_unverified`)."""
    if identity.verified_at is None:
        raise unverified(identity)


def unverified(identity: CloudIdentity) -> Problem:
    return Conflict(
        f"The cloud identity {identity.name} has not been verified.",
        code="cloud_identity_unverified",
        hint="Connect it again and wait for its CONNECTION_TEST job, which needs a runner.",
    )


def gone(job: InfraJob) -> Problem:
    return Conflict(
        f"The cloud identity of job {job.uid} is gone.",
        code="cloud_identity_gone",
        hint="Give the configuration another one, and ask for the job anew.",
    )


def _not_own(identity: CloudIdentity) -> Problem:
    return Conflict(
        f"The server's own worker takes up no identity at {NAMES[identity.provider]}.",
        code="infra_needs_runner",
        hint="Enrol a runner (`qd worker --capability infra`) and let it take the job.",
    )
