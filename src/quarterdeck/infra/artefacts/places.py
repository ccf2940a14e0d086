"""Which place an installation keeps its saved plans in."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.infra.artefacts.artefacts import Artefacts
from quarterdeck.infra.artefacts.local import DIRECTORY, INCOMING, LocalStore
from quarterdeck.infra.artefacts.s3 import Bucket, S3Store
from quarterdeck.kernel.settings import Settings
from quarterdeck.kernel.vault.vault import Vault


def chosen(settings: Settings, data: Path, vault: Vault) -> Artefacts:
    """The bucket that is set, else files in the data directory. Raises `Invalid` (`settings_invalid`)."""
    if settings.artefacts is None:
        return Artefacts(LocalStore(data / DIRECTORY), vault)
    bucket = Bucket.at(
        settings.artefacts,
        endpoint=settings.artefacts_endpoint,
        region=settings.artefacts_region,
        access_key=settings.artefacts_access_key,
        secret_key=settings.artefacts_secret_key,
    )
    return Artefacts(S3Store(bucket, data / DIRECTORY / INCOMING), vault)
