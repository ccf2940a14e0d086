"""Who answers for the machine that the control plane runs on: its folders, and the agent of its account."""

from __future__ import annotations

from dataclasses import dataclass, field

from quarterdeck.access import Access, Place
from quarterdeck.identity import setup
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden


@dataclass(frozen=True)
class Machine:
    """What is this machine's belongs to whoever runs it, which is the organization that the installation began with."""

    access: Access = field(default_factory=Access, compare=False)

    def answers(self, tx: Tx, permission: str) -> bool:
        """Whether the caller holds `permission` in the first organization; rights in another one count nothing."""
        first = setup.default_organization(tx).id
        if tx.principal.kind != "system" and tx.principal.organization_id != first:
            return False
        self.access.load(tx)
        return self.access.decide(tx.principal, permission, Place(first)).allowed

    def require(self, tx: Tx, permission: str) -> None:
        """Raise `Forbidden` (`installation_only`) unless the caller `answers`."""
        if not self.answers(tx, permission):
            raise Forbidden(
                "This is about the whole installation, and you act in another organization than the one it began with.",
                code="installation_only",
                hint="Act in that organization, or ask somebody who administers it.",
                permission=permission,
            )

    @staticmethod
    def belongs_to(tx: Tx, organization_id: int) -> bool:
        return setup.default_organization(tx).id == organization_id
