"""Which key backends the settings name. What speaks to one elsewhere is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from quarterdeck.kernel.settings import Settings
from quarterdeck.kernel.settings_checks import region_of
from quarterdeck.kernel.vault.backend import KeyBackend
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault


def vault_of(settings: Settings, master_key: Path) -> Vault:
    """Locked still. Raises `Invalid` where the library of the current backend is not installed."""
    known = backends(settings, master_key)
    current = known.pop(settings.key_backend)
    return Vault(current(), others=known)


def backends(settings: Settings, master_key: Path) -> dict[str, Callable[[], KeyBackend]]:
    """Every one that is configured, by its name; the master key's file always, which may not be there."""
    known: dict[str, Callable[[], KeyBackend]] = {"local": lambda: LocalBackend(master_key)}
    if settings.transit_address is not None and settings.transit_token is not None:
        known["transit"] = lambda: _transit(settings)
    if settings.aws_kms_key is not None:
        known["aws-kms"] = lambda: _aws_kms(settings)
    return known


def _transit(settings: Settings) -> KeyBackend:
    from quarterdeck.kernel.vault.transit import Place, TransitBackend, token_of

    assert settings.transit_address is not None  # noqa: S101 - asked by who calls
    assert settings.transit_token is not None  # noqa: S101 - likewise
    place = Place(
        address=settings.transit_address,
        token=token_of(settings.transit_token),
        mount=settings.transit_mount,
        key=settings.transit_key,
        namespace=settings.transit_namespace,
        ca=settings.transit_ca,
    )
    return TransitBackend(place)


def _aws_kms(settings: Settings) -> KeyBackend:
    from quarterdeck.kernel.vault.aws_kms import AwsKmsBackend, Key

    assert settings.aws_kms_key is not None  # noqa: S101 - asked by who calls
    key = Key(
        key=settings.aws_kms_key,
        region=settings.aws_kms_region or region_of(settings.aws_kms_key) or "",
        endpoint=settings.aws_kms_endpoint,
        access_key=settings.aws_kms_access_key,
        secret_key=settings.aws_kms_secret_key,
    )
    return AwsKmsBackend(key)
