"""Taking up an identity at a cloud, and looking at what it has there. Nothing here is kept: credentials live in the
environment of one attempt.
"""

from __future__ import annotations

from quarterdeck.infra.execution.cloud_registry import Providers
from quarterdeck.infra.execution.clouds import aws, azure, gcp


def register(known: Providers) -> None:
    """Let a worker take up identities at the clouds that this program knows."""
    known.register("aws", aws.credentials, aws.discover)
    known.register("gcp", gcp.credentials, gcp.discover)
    known.register("azure", azure.credentials, azure.discover)
