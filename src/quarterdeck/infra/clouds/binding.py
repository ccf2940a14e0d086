"""Zones that a cloud identity is bound to: specifications of those alone may use it. One that is bound to none may be
used in every zone, and outside of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select

from quarterdeck.infra.clouds import identities
from quarterdeck.infra.clouds.actions import CloudAction, noted
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.kernel.text import several

MOST = 200
"""Zones of one identity."""


def zones(tx: Tx, identity: CloudIdentity) -> list[Zone]:
    """Those that there are still, the oldest first."""
    if not identity.zones:
        return []
    return list(tx.scalars(select(Zone).where(Zone.id.in_(identity.zones)).order_by(Zone.id)))


def bind(tx: Tx, uid: str, zone_uids: Sequence[str]) -> CloudIdentity:
    """Let specifications of these zones alone use it; without any, every one. Raises `NotFound`
    (`cloud_identity_not_found`, `zone_not_found`), and `Conflict` (`cloud_identity_in_use`) while others use it.
    """
    identity = identities.locked(tx, uid)
    wanted = {one.lower() for one in zone_uids}
    here = (Zone.organization_id == tx.principal.acts_in, Zone.uid.in_(wanted))
    found = list(tx.scalars(select(Zone).where(*here).order_by(Zone.id))) if wanted else []
    if len(found) != len(wanted):
        raise NotFound("Zone not found", code="zone_not_found", hint="List the zones that you may see.")
    rows = [one.id for one in found]
    others = _elsewhere(tx, identity, rows) if rows else []
    if others:
        raise Conflict(
            f"{several([one.project_name for one in others])} of other zones, or of none, use the cloud identity "
            f"{identity.name}.",
            code="cloud_identity_in_use",
            hint="Give them another identity, or bind this one to their zones too.",
        )
    identity.zones = rows or None
    tx.flush()
    noted(tx, identity, CloudAction.BOUND, zones=[one.uid for one in found])
    return identity


def _elsewhere(tx: Tx, identity: CloudIdentity, rows: Sequence[int]) -> list[Spec]:
    columns = (Spec.cloud_identity_id, Spec.applied_identity_id, Spec.drift_cloud_identity_id)
    uses = or_(*(column == identity.id for column in columns))
    outside = or_(Spec.zone_id.is_(None), Spec.zone_id.not_in(rows))
    return list(tx.scalars(select(Spec).where(uses, outside).order_by(Spec.id).limit(6)))


def require(identity: CloudIdentity | None, zone_id: int | None) -> None:
    """Raise `Conflict` (`cloud_identity_not_here`) where an identity is bound, and to other zones."""
    if identity is not None and identity.zones and zone_id not in identity.zones:
        raise Conflict(
            f"The cloud identity {identity.name} is bound to other zones.",
            code="cloud_identity_not_here",
            hint="Use one that this zone may use, or have it bound to this zone too.",
            field="cloud_identity_id",
        )
