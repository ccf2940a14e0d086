"""In whose account a cloud identity works, and whether it is still what people have read of."""

from __future__ import annotations

import hashlib
import json

from quarterdeck.infra.clouds import credentials
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states.states import holds_resources
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict

ACCOUNTS = ("account_id", "project_id", "subscription_id")


def fingerprint(tx: Tx, identity: CloudIdentity | None) -> str:
    """A digest of who the identity is and of all that it was connected with; "" for none."""
    if identity is None:
        return ""
    whole = [identity.uid, identity.provider, dict(identity.credentials), credentials.opened(tx, identity)]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def account(identity: CloudIdentity | None) -> str:
    """Such as `aws 123456789012`; "" without an identity, which is whatever account the runner has by itself."""
    if identity is None:
        return ""
    named = next((str(identity.credentials[name]) for name in ACCOUNTS if identity.credentials.get(name)), identity.uid)
    return f"{identity.provider} {named}"[:200]


def standing(tx: Tx, spec: Spec) -> str:
    """In which account is what a specification has made. Where no apply has told, that is of its own identity."""
    if spec.applied_account is not None:
        return spec.applied_account
    applied = tx.get(CloudIdentity, spec.applied_identity_id) if spec.applied_identity_id is not None else None
    own = tx.get(CloudIdentity, spec.cloud_identity_id) if spec.cloud_identity_id is not None else None
    return account(applied or own)


def require_same(tx: Tx, spec: Spec, identity: CloudIdentity | None) -> None:
    """Raise `Conflict` (`spec_account_held`) where something stands in another account than that of an identity: its
    state would be read as if it were of this one.
    """
    held, there, here = holds_resources(tx, spec), standing(tx, spec), account(identity)
    if (held or spec.orphan_risk) and there != here:
        raise Conflict(
            f"{spec.project_name} has {held} resources in {there or 'the account of its runners'}: "
            f"it cannot be worked on in {here or 'the account of a runner'}.",
            code="spec_account_held",
            hint="Destroy what it made first, or use an identity of the same account.",
            field="cloud_identity_id",
        )
