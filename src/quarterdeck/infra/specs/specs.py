"""Specifications: found, made and changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy import select

from quarterdeck.access import Access
from quarterdeck.fleet.git import locators
from quarterdeck.infra.clouds import accounts, binding, identities, looking
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs import diffing, versions
from quarterdeck.infra.specs.canonical import hashed
from quarterdeck.infra.specs.document import UID, Declared, Known, declared
from quarterdeck.infra.specs.fields import Wrong
from quarterdeck.infra.specs.happenings import SpecAction, audited, happened
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.specs.statuses import DRAFT
from quarterdeck.infra.states.states import holds_resources
from quarterdeck.infra.zones import zones
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace import projects as workspace

TABLE = "infra_specs"
LISTED = 50
"""Ids of specs of one name that a refusal lists."""


def find(tx: Tx, uid: str) -> Spec:
    """A spec of the caller's current organization by its uid. Raises `NotFound` (`spec_not_found`)."""
    here = (Spec.organization_id == tx.principal.acts_in, Spec.uid == uid.lower())
    spec = tx.first(select(Spec).where(*here))
    if spec is None:
        raise _unknown()
    return spec


def named(tx: Tx, project_name: str) -> list[Spec]:
    """Specs of that project name in the current organization, newest first; at most 50."""
    here = (Spec.organization_id == tx.principal.acts_in, Spec.project_name == project_name)
    return list(tx.scalars(select(Spec).where(*here).order_by(Spec.id.desc()).limit(LISTED)))


def only(tx: Tx, project_name: str) -> Spec:
    """The one spec of that name. Raises `NotFound`, and `Conflict` (`spec_name_ambiguous`), which lists the ids."""
    found = named(tx, project_name)
    if not found:
        raise _unknown()
    if len(found) > 1:
        ids = [one.uid for one in found]
        raise Conflict(
            f"{len(found)} specifications are called {project_name}: {', '.join(ids)}.",
            code="spec_name_ambiguous",
            hint="Give the id of the one that is meant.",
            ids=ids,
        )
    return found[0]


def meant(tx: Tx, text: str) -> Spec:
    """By uid or by project name, which never has the form of a uid. Raises as `find` and `only`."""
    return find(tx, text) if UID.fullmatch(text) else only(tx, text)


def locked(tx: Tx, spec_id: int) -> Spec:
    """A spec by its row id, for a command that changes it: nobody else does until the unit ends, and it is read as it
    is now. Taken after the turn of its state, the ledger's job and the row of an infrastructure job.
    """
    tx.lock(f"infra-spec:{spec_id}")
    seen = tx.get(Spec, spec_id)
    if seen is not None:
        tx.session.expire(seen)
    spec = tx.first(select(Spec).where(Spec.id == spec_id))
    if spec is None:
        raise _unknown()
    return spec


def known_of(tx: Tx, raw: Mapping[str, Any], before: Spec | None = None) -> tuple[Known, list[Wrong]]:
    """What is known before a document is read, and what it names that there is not."""
    said = raw.get("cloud_identity_id")
    if "cloud_identity_id" not in raw and before is not None:
        said = before.document.get("cloud_identity_id")
    wrong = []
    identity = _identity(tx, said) if isinstance(said, str) and said else None
    if said and identity is None and "cloud_identity_id" in raw:
        wrong.append(Wrong("cloud_identity_id", "there is no such cloud identity."))
    looks = raw.get("drift_cloud_identity_id")
    if isinstance(looks, str) and looks and UID.fullmatch(looks) and _identity(tx, looks) is None:
        wrong.append(Wrong("drift_cloud_identity_id", "there is no such cloud identity."))
    wanted = raw.get("zone_id") or raw.get("vineyard_id")
    if wanted and isinstance(wanted, str) and UID.fullmatch(wanted) and _zone(tx, wanted) is None:
        wrong.append(Wrong("zone_id", "there is no such zone."))
    known = Known(identity.provider if identity else None, before.document if before else None)
    return known, wrong


def read(tx: Tx, raw: Mapping[str, Any], before: Spec | None = None) -> Declared:
    """The document of a body. Raises `SpecInvalid`, which names every wrong field."""
    return declared(raw, *known_of(tx, raw, before))


def create(tx: Tx, raw: Mapping[str, Any]) -> Spec:
    """Make a spec of a document, a `DRAFT`. Raises `SpecInvalid`, and `Conflict` (`project_archived`)."""
    said = read(tx, raw)
    return make(tx, said, place(tx, said.zone))


def make(tx: Tx, said: Declared, where: Zone | None, **trail: object) -> Spec:
    """A spec of a document that was read, in a zone or in none; `trail` is what its events say besides. Raises
    `Conflict` (`cloud_identity_not_here`), and what `looking.require` raises.
    """
    document = said.document
    identity = _identity(tx, document["cloud_identity_id"]) if document["cloud_identity_id"] else None
    binding.require(identity, where.id if where else None)
    minutes = said.drift_minutes if isinstance(said.drift_minutes, int) else None
    spec = Spec(
        uid=tx.ids.uid(),
        organization_id=tx.principal.acts_in,
        zone_id=where.id if where else None,
        owner_id=tx.principal.id,
        cloud_identity_id=identity.id if identity else None,
        version=1,
        status=DRAFT,
        outputs={},
        components={},
        drift_minutes=minutes,
        drift_due_at=_due(tx, minutes),
        created_at=tx.now,
        updated_at=tx.now,
        **_columns(document),
    )
    _look_with(tx, spec, said)
    looking.require(tx, spec, looking.of(tx, spec))
    spec.module_token = _sealed(tx, spec, said.module_token) if isinstance(said.module_token, Secret) else None
    tx.add(spec)
    versions.keep(tx, spec, said.comment)
    zone = where.uid if where else None
    audited(tx, spec, SpecAction.CREATED, zoneId=zone, hash=spec.configuration_hash, **trail)
    happened(tx, spec, "infra-spec-created", zoneId=zone, version=1, **trail)
    return spec


def change(tx: Tx, access: Access, text: str, raw: Mapping[str, Any]) -> Spec:
    """Put a whole document in the place of the one there is. What it does not speak of among zone, cloud identity,
    drift and the module's token stays as it is; null takes it away.

    A token goes to the host alone that it was given for. Leaving a zone that asks for approvals for one that asks for
    fewer is for those who may say how many. Raises `SpecInvalid`, `NotFound`, `Forbidden`, and `Conflict`
    (`spec_changed` where somebody was faster than the `version` that was seen; `spec_provider_held`,
    `spec_account_held`, `cloud_identity_not_here`, and what `looking.require` raises).
    """
    spec = locked(tx, meant(tx, text).id)
    said = read(tx, raw, spec)
    if said.version is not None and said.version != spec.version:
        raise Conflict(
            f"{spec.project_name} was changed meanwhile: it is at version {spec.version}, not {said.version}.",
            code="spec_changed",
            hint="Compare both versions, then send it again with the version that you have seen.",
            version=spec.version,
        )
    changes = diffing.changes(spec.document, said.document)
    _require_provider(tx, spec, said.document)
    seen_with = _looked_at(spec)
    beside = [
        *_moved(tx, access, spec, said),
        *_retimed(tx, spec, said),
        *_look_with(tx, spec, said),
        *_token(tx, spec, said),
    ]
    if not changes and not beside:
        return spec
    if changes:
        identity = _identity(tx, said.document["cloud_identity_id"]) if said.document["cloud_identity_id"] else None
        if (identity.id if identity else None) != spec.cloud_identity_id:
            accounts.require_same(tx, spec, identity)
        spec.cloud_identity_id = identity.id if identity else None
        for column, value in _columns(said.document).items():
            setattr(spec, column, value)
        spec.version += 1
        versions.keep(tx, spec, said.comment)
    for used in {spec.cloud_identity_id, spec.applied_identity_id}:
        binding.require(tx.get(CloudIdentity, used) if used is not None else None, spec.zone_id)
    if _looked_at(spec) != seen_with:
        looking.require(tx, spec, looking.of(tx, spec))
    spec.updated_at = tx.now
    tx.flush()
    told = [one.path for one in changes[: diffing.TOLD]] + beside
    detail = {"changed": told, "version": spec.version, "hash": spec.configuration_hash}
    audited(tx, spec, SpecAction.CHANGED, **detail)
    happened(tx, spec, "infra-spec-changed", **detail)
    return spec


def token(tx: Tx, spec: Spec) -> Secret[str] | None:
    """The token of the module's repository, for a work order."""
    return tx.vault.open(TABLE, spec.uid, "module_token", spec.module_token) if spec.module_token else None


def _columns(document: Mapping[str, Any]) -> dict[str, Any]:
    same = ("project_name", "environment_stage", "region", "provider", "terraform_version", "module")
    return {
        "document": dict(document),
        "configuration_hash": hashed(document),
        **{name: document[name] for name in same},
    }


def _moved(tx: Tx, access: Access, spec: Spec, said: Declared) -> list[str]:
    if said.zone is UNSET:
        return []
    before, after = zones.of(tx, spec.zone_id), place(tx, said.zone)
    if (after.id if after else None) == spec.zone_id:
        return []
    if before is not None and any(
        getattr(before, word) > (getattr(after, word) if after else 0) for word in ("approvals", "destroy_approvals")
    ):
        access.require(tx.principal, zones.POLICY)
    spec.zone_id = after.id if after else None
    return ["zone_id"]


def _retimed(tx: Tx, spec: Spec, said: Declared) -> list[str]:
    if said.drift_minutes is UNSET or said.drift_minutes == spec.drift_minutes:
        return []
    minutes = said.drift_minutes if isinstance(said.drift_minutes, int) else None
    spec.drift_minutes, spec.drift_due_at = minutes, _due(tx, minutes)
    return ["drift_minutes"]


def _looked_at(spec: Spec) -> tuple[object, ...]:
    """All that the identity for looks has to fit."""
    return spec.provider, spec.cloud_identity_id, spec.zone_id, spec.drift_cloud_identity_id


def _look_with(tx: Tx, spec: Spec, said: Declared) -> list[str]:
    if said.drift_identity is UNSET:
        return []
    found = identities.usable(tx, said.drift_identity) if said.drift_identity else None
    if (found.id if found else None) == spec.drift_cloud_identity_id:
        return []
    spec.drift_cloud_identity_id = found.id if found else None
    return ["drift_cloud_identity_id"]


def _token(tx: Tx, spec: Spec, said: Declared) -> list[str]:
    """A new token is kept sealed; one of before stays while the same host is asked."""
    here = said.document["module"]
    given = said.module_token
    if isinstance(given, Secret):
        known = token(tx, spec)
        if known is not None and known.matches(given.reveal()):
            return []
        spec.module_token = _sealed(tx, spec, given)
        return ["module_token"]
    if spec.module_token is None or (given is UNSET and _origin(here) == _origin(spec.module)):
        return []
    spec.module_token = None
    return ["module_token"]


def _origin(module: Mapping[str, Any]) -> object:
    return locators.parse(module["url"]).origin if module["url"] else None


def _sealed(tx: Tx, spec: Spec, value: Secret[str]) -> str:
    return tx.vault.seal(TABLE, spec.uid, "module_token", value.reveal())


def _require_provider(tx: Tx, spec: Spec, document: Mapping[str, Any]) -> None:
    if document["provider"] == spec.provider:
        return
    held = holds_resources(tx, spec)
    if held or spec.orphan_risk:
        raise Conflict(
            f"{spec.project_name} has {held} resources at {spec.provider}: it cannot go to {document['provider']}.",
            code="spec_provider_held",
            hint="Destroy what it made first, or clone it for the other provider.",
            field="provider",
        )


def _due(tx: Tx, minutes: int | None) -> Any:
    return tx.now + timedelta(minutes=minutes) if minutes else None


def _zone(tx: Tx, uid: str) -> Zone | None:
    here = (Zone.organization_id == tx.principal.acts_in, Zone.uid == uid.lower())
    return tx.first(select(Zone).where(*here))


def place(tx: Tx, uid: str | UnsetType | None) -> Zone | None:
    """The zone that a spec goes into, whose project takes changes; None where none is meant."""
    if not isinstance(uid, str) or not uid:
        return None
    zone, project = zones.locked(tx, uid, shared=True)
    workspace.check_active(project)
    return zone


def _identity(tx: Tx, uid: str) -> CloudIdentity | None:
    here = (CloudIdentity.organization_id == tx.principal.acts_in, CloudIdentity.uid == uid.lower())
    return tx.first(select(CloudIdentity).where(*here))


def _unknown() -> NotFound:
    return NotFound("Configuration not found", code="spec_not_found", hint="List the specifications that you may see.")
