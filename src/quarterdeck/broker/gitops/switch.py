"""Whether this installation watches ArgoCD (contract: broker §1.11): it answers 404 for all of it until it does."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Gitops:
    """What the composition says to rules (`tx.part`)."""

    enabled: bool = False


def require(tx: Tx) -> None:
    """Raises `NotFound` (`gitops_off`) where it is switched off."""
    if not tx.part(Gitops).enabled:
        raise NotFound(
            "Watching ArgoCD is switched off here.",
            code="gitops_off",
            hint="An operator switches it on by QUARTERDECK_GITOPS=true.",
        )
