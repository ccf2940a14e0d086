"""With which cloud identity a job works: the one that was asked for, where that is not another one than was agreed to,
and not of another account than what stands.
"""

from __future__ import annotations

from quarterdeck.infra.clouds import accounts, binding, federating, identities, looking
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.plans import law
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.asking import Asked
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import DESTROY
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid


def chosen(tx: Tx, asked: Asked, spec: Spec | None, plan: InfraJob | None) -> CloudIdentity | None:
    """The identity of a job. Only a test of its connection takes one that is not verified.

    Raises `NotFound` and `Forbidden` for one that the caller may not use, `Invalid` (`infra_provider_mismatch`), and
    `Conflict`: `cloud_identity_unverified`, `drift_identity_foreign`,
    `plan_identity_changed`, `spec_account_held`, `cloud_identity_not_here`.
    """
    found = _found(tx, asked, spec, plan)
    if found is not None and asked.job_type not in federating.CHECKS:
        federating.require_verified(found)
    if spec is not None:
        binding.require(found, spec.zone_id)
    return found


def _found(tx: Tx, asked: Asked, spec: Spec | None, plan: InfraJob | None) -> CloudIdentity | None:
    named = _named(tx, asked.cloud_identity_uid, spec) if asked.cloud_identity_uid else None
    if spec is None:
        return named
    if plan is not None:  # what was read is what is applied, there
        if named is not None and named.id != plan.cloud_identity_id:
            law.refused(law.other_identity(plan))
        return identities.kept(tx, plan.cloud_identity_id)
    if asked.job_type == DESTROY:
        return _where_it_stands(tx, spec, named)
    looks = looking.of(tx, spec) if asked.read_only and named is None else None
    looking.require(tx, spec, looks)
    found = named or looks or identities.kept(tx, spec.cloud_identity_id)
    if not asked.read_only:
        accounts.require_same(tx, spec, found)
    return found


def _where_it_stands(tx: Tx, spec: Spec, named: CloudIdentity | None) -> CloudIdentity | None:
    """What was made with an identity is destroyed with it, or with that of the specification in the same account."""
    own, applied = identities.kept(tx, spec.cloud_identity_id), identities.kept(tx, spec.applied_identity_id)
    there = accounts.standing(tx, spec)
    usual = applied or (own if accounts.account(own) == there else None)
    found = named or usual
    if found is not None and found not in (own, applied):
        raise Invalid(
            f"{spec.project_name} is destroyed with the cloud identity that it was made with, or with its own.",
            code="spec_identity_foreign",
            hint="Leave the identity out.",
            field="cloud_identity_id",
        )
    accounts.require_same(tx, spec, found)
    return found


def _named(tx: Tx, uid: str, spec: Spec | None) -> CloudIdentity:
    found = identities.usable(tx, uid)
    if spec is not None and found.provider != spec.provider:
        raise Invalid(
            f"The cloud identity is of {found.provider}, and the configuration is for {spec.provider}.",
            code="infra_provider_mismatch",
            hint="Choose an identity of the same cloud.",
            field="cloud_identity_id",
        )
    return found
