"""Envelope encryption and the Secret type."""

from quarterdeck.kernel.vault.secret import MASK, Secret

__all__ = ["MASK", "Secret"]
