"""What of cloud identities is audited, with the events of each."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.clouds.model import CloudIdentity, IssuerKey
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx

STREAM = "cloud-identity:"
KEYS = "cloud-issuer"


class CloudAction(audit.Action):
    BEGUN = "cloud-identity.begun"
    CONNECTED = "cloud-identity.connected"
    BOUND = "cloud-identity.bound"
    VERIFIED = "cloud-identity.verified"
    DISCONNECTED = "cloud-identity.disconnected"
    KEY_PUBLISHED = "cloud-issuer-key.published"
    KEY_RETIRED = "cloud-issuer-key.retired"


def noted(tx: Tx, identity: CloudIdentity, action: CloudAction, **detail: Any) -> None:
    """The audit event of a change and the domain event, with the same facts; nothing of it may be secret."""
    told = {"provider": identity.provider, "name": identity.name, **detail}
    audit.record(
        tx,
        action,
        resource_type="cloud-identity",
        resource_id=identity.uid,
        organization_id=identity.organization_id,
        detail=told,
    )
    word = action.value.replace(".", "-")
    events.append(tx, f"{STREAM}{identity.uid}", word, told, organization_id=identity.organization_id)


def turned(tx: Tx, key: IssuerKey, action: CloudAction, organization_id: int, **detail: Any) -> None:
    """The same of a key that signs tokens for clouds, which belongs to the whole installation."""
    told = {"kid": str(key.public["kid"]), **detail}
    audit.record(
        tx,
        action,
        resource_type="cloud-issuer-key",
        resource_id=key.uid,
        organization_id=organization_id,
        detail=told,
    )
    events.append(tx, KEYS, action.value.replace(".", "-"), told, organization_id=organization_id)
