"""Outgoing webhooks: other programs are told what happened, signed, and again until they have taken it."""
