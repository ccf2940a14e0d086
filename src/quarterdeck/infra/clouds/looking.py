"""With which cloud identity a specification is looked at for drift, where it names one: it needs to read, no more."""

from __future__ import annotations

from quarterdeck.infra.clouds import accounts, binding, federating, identities
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid

FIELD = "drift_cloud_identity_id"


def of(tx: Tx, spec: Spec) -> CloudIdentity | None:
    """That which looks alone work with, which nobody disconnects until the unit ends; None where there is none."""
    return identities.kept(tx, spec.drift_cloud_identity_id)


def require(tx: Tx, spec: Spec, identity: CloudIdentity | None) -> None:
    """Raise `Invalid` (`infra_provider_mismatch`) for an identity of another cloud, and `Conflict`
    (`cloud_identity_unverified`, `cloud_identity_not_here`, `drift_identity_foreign`) for one that does not see what
    was applied: it would find everything gone.
    """
    if identity is None:
        return
    if identity.provider != spec.provider:
        raise Invalid(
            f"The cloud identity for looks is of {identity.provider}, and the configuration is for {spec.provider}.",
            code="infra_provider_mismatch",
            hint="Choose an identity of the same cloud.",
            field=FIELD,
        )
    federating.require_verified(identity)
    binding.require(identity, spec.zone_id)
    there, here = accounts.standing(tx, spec), accounts.account(identity)
    if there != here:
        raise Conflict(
            f"{spec.project_name} is in {there or 'the account of its runners'}, and the cloud identity for looks in "
            f"{here}.",
            code="drift_identity_foreign",
            hint="Choose an identity of the same account, or none.",
            field=FIELD,
        )
