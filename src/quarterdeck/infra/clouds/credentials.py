"""What is kept of an identity's credentials, for each cloud: names of roles, accounts and tenants, checked. No key of
any kind is taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.execution.clouds import wif
from quarterdeck.infra.execution.clouds.aws import ROLE
from quarterdeck.infra.execution.clouds.azure import UUID
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound

PROVIDERS = ("aws", "gcp", "azure")
FEDERATED = frozenset({"gcp", "azure"})
"""Clouds that trust a token of ours, instead of whom a runner is already."""
NAMES = {"aws": "AWS", "gcp": "GCP", "azure": "Azure"}
FIELDS = {
    "aws": frozenset({"role_arn"}),
    "gcp": frozenset({"wif_config", "project_id"}),
    "azure": frozenset({"tenant_id", "client_id", "subscription_id"}),
}
PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
TABLE = CloudIdentity.__tablename__


class Kept(NamedTuple):
    """`plain` may be shown, `secret` is sealed."""

    plain: dict[str, Any]
    secret: dict[str, Any]


def check_provider(word: str) -> str:
    """Raises `NotFound` (`cloud_provider_unknown`)."""
    if word not in PROVIDERS:
        raise NotFound(
            f"There is no cloud {word[:40]!r} here: {', '.join(PROVIDERS)}.",
            code="cloud_provider_unknown",
            hint="Choose one of them.",
        )
    return word


def read(provider: str, said: Mapping[str, Any]) -> Kept:
    """What of `credentials` is kept. Raises `Invalid` that names the field; no value is repeated."""
    others = sorted(set(said) - FIELDS[provider])
    if others:
        taken = ", ".join(sorted(FIELDS[provider]))
        raise wrong(
            others[0][:60],
            f"{NAMES[provider]} is connected by {taken} alone",
            "No key of a cloud is kept here: leave it out.",
        )
    return {"aws": _aws, "gcp": _gcp, "azure": _azure}[provider](said)


def _aws(said: Mapping[str, Any]) -> Kept:
    arn = _text(said, "role_arn")
    role = ROLE.fullmatch(arn)
    if role is None:
        raise wrong("role_arn", "it has to be arn:aws:iam::ACCOUNT:role/NAME", "Copy it from the role's page.")
    return Kept({"role_arn": arn, "account_id": role["account"]}, {})


def _gcp(said: Mapping[str, Any]) -> Kept:
    config = said.get("wif_config")
    if not config:
        raise wrong("wif_config", "it is missing", "Send the credential configuration file of the provider.")
    federation = wif.read(config)
    project = said.get("project_id") or federation.project
    if not isinstance(project, str) or not PROJECT.fullmatch(project):
        raise wrong(
            "project_id",
            "it has to be the id of a project, such as payments-1234",
            "Send it, or a configuration that takes on a service account.",
        )
    plain = {
        "project_id": project,
        "project_number": federation.number,
        "service_account_email": federation.email,
        "audience": federation.audience,
    }
    return Kept(plain, {"wif_config": json.dumps(federation.document(), separators=(",", ":"))})


def _azure(said: Mapping[str, Any]) -> Kept:
    found: dict[str, Any] = {}
    for name in ("tenant_id", "client_id", "subscription_id"):
        value = _text(said, name)
        if not UUID.fullmatch(value):
            raise wrong(name, "it has to be a UUID", "Copy it from the page of the application or subscription.")
        found[name] = value.lower()
    return Kept(found, {})


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip():
        raise wrong(name, "it is missing", f"Send credentials.{name}.")
    return value.strip()


def wrong(name: str, why: str, hint: str) -> Invalid:
    field = f"credentials.{name}"
    return Invalid(f"{field}: {why}.", code="cloud_credentials_invalid", hint=hint, field=field)


def seal(tx: Tx, identity: CloudIdentity, secret: Mapping[str, Any]) -> None:
    """Keep the secret parts, all of them, in the place of those before."""
    identity.sealed = tx.vault.seal(TABLE, identity.uid, "sealed", json.dumps(dict(secret))) if secret else None


def opened(tx: Tx, identity: CloudIdentity) -> dict[str, str]:
    """The secret parts: `external_id`, `wif_config`."""
    if identity.sealed is None:
        return {}
    found: dict[str, str] = json.loads(tx.vault.open(TABLE, identity.uid, "sealed", identity.sealed).reveal())
    return found


def label(identity: CloudIdentity) -> str:
    """`AWS (123456789012)`: which cloud, and whose account of it."""
    kept = identity.credentials
    account = kept.get("account_id") or kept.get("project_id") or kept.get("subscription_id")
    return f"{NAMES.get(identity.provider, identity.provider)} ({account})" if account else identity.name
