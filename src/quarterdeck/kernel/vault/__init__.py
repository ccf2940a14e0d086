"""Envelope encryption and the Secret type.

`Vault` and its key backends are imported from their modules: they stand on the database, the Secret type on nothing.
"""

from quarterdeck.kernel.vault.secret import MASK, Secret, conceal, refuse_secrets

__all__ = ["MASK", "Secret", "conceal", "refuse_secrets"]
