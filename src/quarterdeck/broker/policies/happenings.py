"""What happens to policies: one audit event and one domain event for each change."""

from __future__ import annotations

from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.workflows import versions
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx

STREAM = "broker-policy:"


class PolicyAction(audit.Action):
    CREATED = "policy.created"
    CHANGED = "policy.changed"
    DELETED = "policy.deleted"
    INVARIANT_VIOLATED = "policy.invariant-violated"


def happened(tx: Tx, policy: Policy, action: PolicyAction, **detail: object) -> None:
    """Also makes what was compiled of the organization's rules outdated."""
    tx.flush()
    versions.renew(tx, policy.organization_id)
    said = {"name": policy.name, **detail}
    audit.record(
        tx,
        action,
        resource_type="policy",
        resource_id=policy.uid,
        organization_id=policy.organization_id,
        detail=said,
    )
    events.append(
        tx,
        f"{STREAM}{policy.uid}",
        f"broker-{str(action).replace('.', '-')}",
        {"policyId": policy.uid, **said},
        organization_id=policy.organization_id,
    )
