"""Connecting a cloud identity: begun, given its credentials, tested by a runner, and taken away again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import select

from quarterdeck.infra.clouds import accounts, credentials, identities, issuing
from quarterdeck.infra.clouds.actions import CloudAction, noted
from quarterdeck.infra.clouds.credentials import FEDERATED, NAMES
from quarterdeck.infra.clouds.federating import require_verified
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.clouds.verifying import FETCH, TEST, proves
from quarterdeck.infra.work import cancelling, creating
from quarterdeck.infra.work.asking import Asked
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.text import one_line, several

MOST = 200
"""Identities of one organization."""


class Begun(NamedTuple):
    """`external_id` is what a role of AWS asks for. `issuer`, `subject` and `audience` are what Google Cloud and Azure
    are told to trust; None where they mean nothing, and the audience of Google is the provider that was made there.
    """

    identity: CloudIdentity
    external_id: str | None
    issuer: str | None
    subject: str | None
    audience: str | None


class Queued(NamedTuple):
    identity: CloudIdentity
    job: InfraJob


def begin(tx: Tx, provider: str, name: str | None = None) -> Begun:
    """An identity to be connected: one that was begun and never connected is begun again, nothing piles up.

    Raises `NotFound` (`cloud_provider_unknown`), and `Conflict` (`cloud_issuer_absent`, `cloud_identities_too_many`).
    """
    credentials.check_provider(provider)
    if provider in FEDERATED:
        issuing.require(tx)
        issuing.ensure_key(tx)
    called = one_line(name, "name", 200) if name else NAMES[provider]
    tx.lock(f"cloud-identities:{tx.principal.acts_in}")
    identity = _begun(tx, provider)
    if identity is None:
        identity = _made(tx, provider, called)
    elif name:
        identity.name = called
        tx.flush()
    federated = provider in FEDERATED
    return Begun(
        identity,
        credentials.opened(tx, identity).get("external_id"),
        issuing.issuer(tx) if federated else None,
        issuing.subject(identity) if federated else None,
        issuing.AZURE_AUDIENCE if provider == "azure" else None,
    )


def connect(tx: Tx, provider: str, uid: str, said: Mapping[str, Any]) -> Queued:
    """Keep the credentials and have a runner try them; until it has, nothing else is done with them.

    Raises `NotFound`, `Invalid` (`cloud_credentials_invalid`, `infra_wif_config_invalid`), and `Conflict`
    (`cloud_issuer_absent`, `cloud_identity_in_use`, `spec_account_held`).
    """
    seen = _of(tx, provider, uid)
    kept = credentials.read(provider, said)
    if provider in FEDERATED:
        issuing.require(tx)
        issuing.ensure_key(tx)
    _withdraw_check(tx, seen)
    identity = identities.locked(tx, uid)
    _require_unused(tx, identity, "connected again")
    secret = credentials.opened(tx, identity) if provider == "aws" else {}
    before = accounts.account(identity)
    identity.credentials = kept.plain
    if before != accounts.account(identity):
        _require_nothing_there(tx, identity, before)
    credentials.seal(tx, identity, {**secret, **kept.secret})
    identity.verified_at = identity.cached_at = None
    identity.cached_resources = {}
    tx.flush()
    job = _queue(tx, identity, TEST)
    identity.check_job_id = job.id
    tx.flush()
    noted(tx, identity, CloudAction.CONNECTED, jobId=job.uid, **_shown(identity))
    return Queued(identity, job)


def verify(tx: Tx, provider: str, uid: str, job_uid: str) -> CloudIdentity:
    """The identity, where that test of its connection has succeeded. Changes nothing: the runner's word does.

    Raises `NotFound` (`cloud_check_not_found`) for any other job, also for a test of what was connected before, and
    `Conflict` (`cloud_check_running`, `cloud_check_failed`).
    """
    identity = _of(tx, provider, uid)
    where = (InfraJob.uid == job_uid.lower()[: identities.LONGEST_ID], InfraJob.cloud_identity_id == identity.id)
    job = tx.first(select(InfraJob).where(*where, InfraJob.job_type == TEST))
    if job is None or not proves(identity, job):
        raise NotFound(
            "This job is no test of the connection as it is now.",
            code="cloud_check_not_found",
            hint="Connect again, and verify with the job that this answers.",
        )
    if identity.verified_at is not None:
        return identity
    if job.completed_at is None:
        raise Conflict(
            f"The test of the connection has not ended: {job.status}.",
            code="cloud_check_running",
            hint="Wait for the job. One that stays QUEUED waits for a runner.",
        )
    raise Conflict(
        f"The test of the connection has not succeeded: {job.error_message or job.status}",
        code="cloud_check_failed",
        hint="Mend what it names, then connect again.",
    )


def refresh(tx: Tx, uid: str) -> Queued:
    """Have a runner look again at what the cloud has; who asks while that waits or runs gets the same job."""
    identity = identities.locked(tx, uid)
    require_verified(identity)
    waiting = identities.live_jobs(tx, identity, FETCH)
    return Queued(identity, waiting[0] if waiting else _queue(tx, identity, FETCH))


def disconnect(tx: Tx, provider: str, uid: str) -> None:
    """Forget an identity. Raises `NotFound`, and `Conflict` (`cloud_identity_in_use`) while jobs work with it, specs
    stand that need it to be changed or destroyed, or runners are bound to it.
    """
    _withdraw_check(tx, _of(tx, provider, uid))
    identity = identities.locked(tx, uid)
    _require_unused(tx, identity, "disconnected")
    standing = identities.standing_specs(tx, identity)
    if standing:
        raise Conflict(
            f"The cloud identity {identity.name} cannot be disconnected: "
            f"what {several([one.project_name for one in standing])} made stands by it.",
            code="cloud_identity_in_use",
            hint="Destroy what was made, or give those configurations another identity of the same account, and apply "
            "them with it.",
        )
    bound = identities.standing_runners(tx, identity)
    if bound:
        raise Conflict(
            f"The cloud identity {identity.name} cannot be disconnected: "
            f"the runners {several([one.name for one in bound])} do its jobs alone, and would do any without it.",
            code="cloud_identity_in_use",
            hint="Destroy or remove those runners first.",
        )
    noted(tx, identity, CloudAction.DISCONNECTED, **_shown(identity))
    tx.session.delete(identity)
    tx.flush()


def _begun(tx: Tx, provider: str) -> CloudIdentity | None:
    mine = (CloudIdentity.organization_id == tx.principal.acts_in, CloudIdentity.owner_id == tx.principal.id)
    query = select(CloudIdentity).where(*mine, CloudIdentity.provider == provider)
    rows = tx.scalars(query.order_by(CloudIdentity.id.desc()).limit(MOST))
    return next((one for one in rows if not one.credentials), None)


def _made(tx: Tx, provider: str, name: str) -> CloudIdentity:
    if identities.count(tx) >= MOST:
        raise Conflict(
            f"There are {MOST} cloud identities already.",
            code="cloud_identities_too_many",
            hint="Disconnect those that are not needed.",
        )
    identity = tx.add(
        CloudIdentity(
            uid=tx.ids.uid(),
            organization_id=tx.principal.acts_in,
            owner_id=tx.principal.id,
            provider=provider,
            name=name,
            credentials={},
            cached_resources={},
            created_at=tx.now,
        )
    )
    credentials.seal(tx, identity, {"external_id": tx.ids.token(16)} if provider == "aws" else {})
    tx.flush()
    noted(tx, identity, CloudAction.BEGUN)
    return identity


def _of(tx: Tx, provider: str, uid: str) -> CloudIdentity:
    credentials.check_provider(provider)
    if not uid:
        raise Invalid("identity_id is required", hint="Send what init answered.", field="identity_id")
    found = identities.find(tx, uid)
    if found.provider != provider:
        raise identities.missing()
    return found


def _withdraw_check(tx: Tx, identity: CloudIdentity) -> None:
    """A test that has not ended is of no use any more. It goes before the identity is locked: its jobs come first in
    the order of locks.
    """
    for job in identities.live_jobs(tx, identity, TEST):
        cancelling.cancel(tx, job, "The cloud identity has changed.")


def _require_unused(tx: Tx, identity: CloudIdentity, what: str) -> None:
    live = identities.live_jobs(tx, identity)
    if live:
        raise Conflict(
            f"The cloud identity {identity.name} cannot be {what}: "
            f"jobs work with it ({several([f'{one.job_type} {one.uid}' for one in live])}).",
            code="cloud_identity_in_use",
            hint="Wait until they have ended, or cancel them.",
        )


def _require_nothing_there(tx: Tx, identity: CloudIdentity, before: str) -> None:
    """Raise `Conflict` (`spec_account_held`) where something stands in the account that it was connected to."""
    standing = identities.standing_specs(tx, identity)
    if standing:
        raise Conflict(
            f"What {several([one.project_name for one in standing])} made stands in {before}: "
            f"the cloud identity {identity.name} cannot be connected to another account.",
            code="spec_account_held",
            hint="Destroy what was made, or connect another identity.",
        )


def _queue(tx: Tx, identity: CloudIdentity, job_type: str) -> InfraJob:
    asked = Asked(job_type=job_type, cloud_identity_uid=identity.uid, options={"provider": identity.provider})
    return creating.create(tx, asked)


def _shown(identity: CloudIdentity) -> dict[str, Any]:
    """What of the credentials stands in the audit trail: names, and nothing else is kept in the open."""
    names = ("role_arn", "project_id", "service_account_email", "tenant_id", "client_id", "subscription_id")
    return {name: identity.credentials[name] for name in names if identity.credentials.get(name)}
