"""What somebody declares, read and made canonical: every section checked, defaults filled in, all errors at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, UnsetType

from quarterdeck.infra.specs.components import LISTS, REGION
from quarterdeck.infra.specs.fields import (
    MISSING,
    Field,
    Report,
    Rule,
    Shape,
    Wrong,
    choice,
    integer,
    read,
    text,
    words,
)
from quarterdeck.infra.specs.free import free
from quarterdeck.infra.specs.legacy import nested
from quarterdeck.infra.specs.modules import PROVIDERS, SECTION
from quarterdeck.infra.specs.sections import SECTIONS
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret

STAGES = ("development", "staging", "production")
TERRAFORM = "1.11.4"
DRIFT_MINUTES = (5, 10_080)
LARGEST = 1 << 20
"""Bytes of a document."""
FEW = 20
"""So many errors are told in one sentence."""
UID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
RESERVED = frozenset({"validate", "by-project-name"})
"""Names that an address has another meaning for."""
REGIONS = {
    "aws": re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}"),
    "gcp": re.compile(r"[a-z]+-[a-z]+\d{1,2}"),
    "azure": re.compile(r"[a-z]+\d?"),
    "local": re.compile(r"[a-z0-9-]+"),
}
EXAMPLES = {"aws": "eu-west-1", "gcp": "europe-west1", "azure": "westeurope", "local": "local"}
TOLD = frozenset({
    "id", "spec_id", "configuration_id", "user_id", "org_id", "status", "before_status", "created_at", "updated_at",
    "estimated_monthly_cost", "cloud_account_id", "aws_account_id", "network_status", "vpc_status", "cluster_status",
    "eks_status", "dns_status", "cluster_name", "cluster_endpoint", "argocd_url", "argocd_admin_password",
    "container_platform", "git_access_token", "configuration_hash", "applied_hash", "outputs", "components", "drift",
    "drift_due_at", "drift_checked_at", "orphan_risk", "zone_name", "document", "module_token_set", "resources",
})  # fmt: skip
"""What is told of a spec and is no part of what is declared."""


def _name(value: Any, path: str, report: Report) -> Any:
    if isinstance(value, str) and (value in RESERVED or UID.fullmatch(value)):
        report.add(path, f"{value} has another meaning in addresses: choose another name.")
        return MISSING
    return _NAME.check(value, path, report)


_NAME = text(
    r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?", "a name of letters, digits and . _ -, without one at its ends", 63
)
_UID = text(UID.pattern, "an id", 36)
_VARIABLES = free(r"[A-Za-z_][A-Za-z0-9_-]*", "that of a variable: letters, digits, _ and -")
DECLARED = Shape(
    {
        "project_name": Field(Rule(_name, _NAME.schema)),
        "environment_stage": Field(choice(*STAGES), "development"),
        "region": Field(REGION, None),
        "provider": Field(choice(*PROVIDERS), None),
        "terraform_version": Field(
            text(r"[0-9]+\.[0-9]+\.[0-9]+(?:-[a-z]+[0-9]*)?", "a version such as 1.11.4", 40), TERRAFORM
        ),
        "cloud_identity_id": Field(_UID, None),
        **SECTIONS,
        **LISTS,
        "module": SECTION,
        "variables": Field(_VARIABLES, dict),
    },
)
"""The canonical document: what versions keep, what the hash is of, and what snapshots are made from."""
BESIDE = {
    "zone_id": Field(_UID, None),
    "drift_minutes": Field(integer(*DRIFT_MINUTES), None),
    "drift_cloud_identity_id": Field(_UID, None),
    "module_token": Field(words(4000), None),
    "comment": Field(words(500), None),
    "version": Field(integer(1, 2**31), None),
}
"""What is said of a spec beside its configuration: it is in no version and in no hash."""
SENT = Shape({**DECLARED.fields, **BESIDE}, told=TOLD)
SCHEMA = SENT.schema
"""The document that programs send, as a JSON schema."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A canonical document, and what was said beside it; UNSET is what was left out, None what was taken away."""

    document: dict[str, Any]
    zone: str | UnsetType | None = UNSET
    drift_minutes: int | UnsetType | None = UNSET
    drift_identity: str | UnsetType | None = UNSET
    module_token: Secret[str] | UnsetType | None = UNSET
    comment: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known already: the provider of the cloud identity that is named, and the document of before."""

    identity_provider: str | None = None
    before: Mapping[str, Any] | None = None


class SpecInvalid(Invalid):
    """A document with wrong fields: `details["fields"]` has each, the message the first of them."""

    default_code = "spec_invalid"


def refused(wrong: Sequence[Wrong]) -> SpecInvalid:
    told = "; ".join(f"{one.field}: {one.message}" for one in wrong[:FEW])
    more = f" {len(wrong) - FEW} more fields are wrong." if len(wrong) > FEW else ""
    return SpecInvalid(
        f"{told}{more}",
        hint="Change what is named, then send it again.",
        fields=[one._asdict() for one in wrong],
        field=wrong[0].field,
    )


def declared(raw: Mapping[str, Any], known: Known | None = None, wrong: Sequence[Wrong] = ()) -> Declared:
    """Raises `SpecInvalid` (`spec_invalid`), which names every wrong field, and `wrong`, which was found before."""
    report = Report(wrong)
    found = examined(raw, known or Known(), report)
    if found is None:
        raise refused(report.wrong)
    return found


def examined(raw: Mapping[str, Any], known: Known, report: Report) -> Declared | None:
    """The document in its canonical form; None after the report was told what is wrong."""
    sent = nested(raw, report)
    if sent is None:
        return None
    _kept(sent, known)
    beside = {name: sent.get(name, UNSET) for name in BESIDE}
    found = read(SENT, sent, "", report)
    if found is MISSING:
        _look_on(sent, known, report)
        return None
    document = {name: found[name] for name in DECLARED.fields}
    _provide(document, known, report)
    if report.wrong:
        return None
    token = found["module_token"]
    return Declared(
        document,
        zone=UNSET if beside["zone_id"] is UNSET else found["zone_id"],
        drift_minutes=UNSET if beside["drift_minutes"] is UNSET else found["drift_minutes"],
        drift_identity=UNSET if beside["drift_cloud_identity_id"] is UNSET else found["drift_cloud_identity_id"],
        module_token=UNSET if beside["module_token"] is UNSET else Secret(token) if token else None,
        comment=found["comment"],
        version=found["version"],
    )


def _kept(sent: dict[str, Any], known: Known) -> None:
    """An identity that nobody speaks of stays."""
    if known.before is not None and "cloud_identity_id" not in sent:
        sent["cloud_identity_id"] = known.before.get("cloud_identity_id")


def _provide(document: dict[str, Any], known: Known, report: Report) -> None:
    """Who provides: what is said, else the identity, the bundled module, what it was before, else aws."""
    module = document["module"]
    said, by_identity = document["provider"], known.identity_provider
    if said and by_identity and said != by_identity:
        report.add("provider", f"the cloud identity is one of {by_identity}.")
    before = known.before.get("provider") if known.before else None
    provider = said or by_identity or module["name"] or before or "aws"
    document["provider"] = provider
    if document["cloud_identity_id"]:
        document["cloud_identity_id"] = document["cloud_identity_id"].lower()
    if module["kind"] == "bundled":
        if module["name"] not in ("", provider):
            report.add("module.name", f"the provider is {provider}.")
        module["name"] = provider
        if document["variables"]:
            report.add("variables", "only a module of the kind git has variables.")
    if document["region"] is None and provider == "local":
        document["region"] = EXAMPLES["local"]
    if document["region"] is None:
        report.add("region", f"it is required, such as {EXAMPLES[provider]}.")
    else:
        _check_region(document["region"], provider, report)


def _check_region(region: str, provider: str, report: Report) -> None:
    if not REGIONS[provider].fullmatch(region):
        others = [one for one in ("aws", "gcp", "azure") if one != provider and REGIONS[one].fullmatch(region)]
        like = f"; it looks like one of {' or '.join(others)}" if others else ""
        report.add("region", f"{region} is no region of {provider}, such as {EXAMPLES[provider]}{like}.")


def _look_on(sent: Mapping[str, Any], known: Known, report: Report) -> None:
    """What can be said of region and provider although other fields are wrong."""
    region, module = sent.get("region"), sent.get("module")
    named = module.get("name") if isinstance(module, Mapping) else None
    before = known.before.get("provider") if known.before else None
    provider = sent.get("provider") or known.identity_provider or named or before or "aws"
    wrong = any(one.field in {"region", "provider", "module.name"} for one in report.wrong)
    if wrong or not isinstance(provider, str) or provider not in REGIONS:
        return
    if isinstance(region, str):
        _check_region(region, provider, report)
    elif region is None and provider != "local":
        report.add("region", f"it is required, such as {EXAMPLES[provider]}.")
