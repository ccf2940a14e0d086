"""Who answers for the machine that the control plane runs on: its folders, and the agent of its account."""

from __future__ import annotations

from dataclasses import dataclass, field

from quarterdeck.access import Access
from quarterdeck.identity import setup
from quarterdeck.kernel.db import Tx


@dataclass(frozen=True)
class Machine:
    """What is this machine's belongs to whoever runs it, which is the organization that the installation began with."""

    access: Access = field(default_factory=Access, compare=False)

    def answers(self, tx: Tx, permission: str) -> bool:
        """Whether the caller holds `permission` in the first organization; rights in another one count nothing."""
        first = setup.default_organization(tx).id
        if tx.principal.kind != "system" and tx.principal.organization_id != first:
            return False
        while not self.access.loaded:
            self.access.load(tx)
        return self.access.decide(tx.principal, permission, first).allowed

    @staticmethod
    def belongs_to(tx: Tx, organization_id: int) -> bool:
        return setup.default_organization(tx).id == organization_id
