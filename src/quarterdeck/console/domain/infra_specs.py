"""Zones and specifications for their pages: read in one unit each, and changed by the domain's own commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.access import Access
from quarterdeck.console.domain import infra_spec_views as shown
from quarterdeck.console.domain.confirming import require_typed
from quarterdeck.console.views.infra import (
    Difference,
    FieldError,
    File,
    SpecChoices,
    SpecDraft,
    SpecList,
    SpecsAsked,
    SpecView,
    VersionDiff,
    VersionList,
    VersionRow,
    ZoneRow,
)
from quarterdeck.console.views.infra_plans import text_of
from quarterdeck.infra import people
from quarterdeck.infra.clouds import credentials, identities
from quarterdeck.infra.plans import drift
from quarterdeck.infra.specs import (
    cloning,
    diffing,
    examining,
    exporting,
    importing,
    listing,
    removing,
    specs,
    versions,
)
from quarterdeck.infra.specs.document import SCHEMA
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.zones import listing as zone_listing
from quarterdeck.infra.zones import zones
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.principal import Principal

MOST_ZONES, MOST_CHOICES = 200, 200
FORMS = {"yaml": "application/yaml", "json": "application/json", "legacy-yaml": "application/yaml"}


class InfraSpecs:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def infra_zones(self, who: Principal) -> tuple[ZoneRow, ...]:
        def read(tx: Tx) -> tuple[ZoneRow, ...]:
            return tuple(shown.zone_row(one) for one in zone_listing.page(tx, MOST_ZONES)[0])

        found: tuple[ZoneRow, ...] = await self.instance.db.read(read)
        return found

    async def infra_zone(self, who: Principal, uid: str) -> ZoneRow:
        def read(tx: Tx) -> ZoneRow:
            one = zone_listing.described(tx, [zones.find(tx, uid)])[0]
            return shown.zone_row(one, shown.spec_rows(tx, one.specs))

        found: ZoneRow = await self.instance.db.read(read)
        return found

    async def create_infra_zone(self, who: Principal, *, name: str, description: str) -> str:
        made: str = await self.instance.db.write(lambda tx: zones.create(tx, name, description or None).uid)
        return made

    async def change_infra_zone(self, who: Principal, uid: str, values: Mapping[str, str]) -> None:
        wanted: dict[str, Any] = dict(values)
        for word in {"approvals", "destroy_approvals"} & wanted.keys():
            wanted[word] = _count(values[word], word)
        await self.instance.db.write(zones.change, self.instance.access, uid, wanted)

    async def delete_infra_zone(self, who: Principal, uid: str, confirmation: str) -> None:
        def delete(tx: Tx, access: Access) -> None:
            require_typed(confirmation, zones.whole(tx, zones.find(tx, uid)).name)
            zones.delete(tx, access, uid)

        await self.instance.db.write(delete, self.instance.access)

    async def infra_specs(self, who: Principal, asked: SpecsAsked, before: str, limit: int) -> SpecList:
        found: SpecList = await self.instance.db.read(_listed, asked, before, limit)
        return found

    async def infra_spec(self, who: Principal, uid: str) -> SpecView:
        found: SpecView = await self.instance.db.read(
            lambda tx: shown.view(tx, self.instance.access, specs.meant(tx, uid))
        )
        return found

    async def infra_spec_choices(self, who: Principal) -> SpecChoices:
        found: SpecChoices = await self.instance.db.read(_choices, self.instance.access)
        return found

    async def infra_spec_draft(self, who: Principal, uid: str) -> SpecDraft:
        found: SpecDraft = await self.instance.db.read(lambda tx: _draft(tx, specs.meant(tx, uid)))
        return found

    async def infra_spec_text(self, who: Principal, document: Mapping[str, Any]) -> str:
        return importing.written(exporting.ordered(dict(document), SCHEMA))

    async def read_infra_spec(self, who: Principal, text: str) -> tuple[Mapping[str, Any], Mapping[str, int]]:
        return importing.read(text)

    async def examine_infra_spec(self, who: Principal, document: Mapping[str, Any]) -> tuple[FieldError, ...]:
        _, wrong = await self.instance.db.read(examining.examine, document)
        return tuple(FieldError(one.field, one.message) for one in wrong)

    async def save_infra_spec(
        self, who: Principal, uid: str, document: Mapping[str, Any], *, again: bool = False
    ) -> str:
        def save(tx: Tx, access: Access) -> str:
            if uid:
                return specs.change(tx, access, uid, document).uid
            made = specs.create(tx, document)
            if not again:
                _require_first(tx, made)
            return made.uid

        made: str = await self.instance.db.write(save, self.instance.access)
        return made

    async def clone_infra_spec(self, who: Principal, uid: str, *, name: str, stage: str, zone: str) -> str:
        def clone(tx: Tx) -> str:
            return cloning.clone(tx, uid, name, environment_stage=stage or None, zone=zone or None).uid

        made: str = await self.instance.db.write(clone)
        return made

    async def delete_infra_spec(self, who: Principal, uid: str, confirmation: str, *, force: bool, reason: str) -> None:
        def delete(tx: Tx, access: Access) -> None:
            require_typed(confirmation, specs.meant(tx, uid).project_name)
            removing.delete(tx, access, uid, force=force, reason=reason or None)

        await self.instance.db.write(delete, self.instance.access)

    async def infra_spec_versions(self, who: Principal, uid: str, before: int | None, limit: int) -> VersionList:
        found: VersionList = await self.instance.db.read(_versions, uid, before, limit)
        return found

    async def infra_spec_diff(self, who: Principal, uid: str, since: int, to: int) -> VersionDiff:
        def read(tx: Tx) -> VersionDiff:
            spec = specs.meant(tx, uid)
            before, after = versions.show(tx, spec, since).document, versions.show(tx, spec, to).document
            return VersionDiff(since, to, tuple(_difference(one) for one in diffing.changes(before, after)))

        found: VersionDiff = await self.instance.db.read(read)
        return found

    async def export_infra_spec(self, who: Principal, uid: str, form: str, number: int | None) -> File:
        if form not in FORMS:
            raise NotFound(f"There is no form {form[:20]!r} of a specification.", hint="Take yaml or json.")

        def read(tx: Tx) -> exporting.Exported:
            return exporting.export(tx, specs.meant(tx, uid), form, number)  # type: ignore[arg-type]

        made: exporting.Exported = await self.instance.db.read(read)
        return File(made.filename, made.content.encode(), FORMS[form])

    async def look_for_drift(self, who: Principal, uid: str) -> str:
        made: str = await self.instance.db.write(lambda tx: drift.look_now(tx, specs.meant(tx, uid)).uid)
        return made


def _require_first(tx: Tx, made: Spec) -> None:
    """Raises `Conflict` (`spec_exists`) where its zone had one of that name and stage: a name would mean two."""
    tx.flush()
    for one in specs.named(tx, made.project_name):
        if one.id != made.id and (one.zone_id, one.environment_stage) == (made.zone_id, made.environment_stage):
            zone = zones.of(tx, made.zone_id)
            where = f"{zones.whole(tx, zone).name} has" if zone is not None else "There is, in no zone,"
            raise Conflict(
                f"{where} a {made.environment_stage} {made.project_name} already.",
                code="spec_exists",
                hint="Change that one, give this one another name, or say below that another one is meant.",
            )


def _count(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(f"{text[:20]!r} is no number of people.", hint="Write 0 for nobody.", field=field)
    return int(text)


def _listed(tx: Tx, asked: SpecsAsked, before: str, limit: int) -> SpecList:
    wanted = listing.Filter(asked.zone or None, asked.status or None, asked.stage or None, asked.words or None)
    found, more = listing.page(tx, wanted, limit, before or None)
    return SpecList(shown.spec_rows(tx, found), found[-1].uid if more else None, _zones(tx))


def _zones(tx: Tx) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(zone_listing.search(tx, "", MOST_CHOICES), key=lambda pair: pair[1].lower()))


def _choices(tx: Tx, access: Access) -> SpecChoices:
    """Identities stand in it for those alone who may see them."""
    known: Sequence[Any] = ()
    if access.decide(tx.principal, "infra:clouds.view").allowed:
        known, _ = identities.page(tx, MOST_CHOICES, every=True)
    named = tuple((one.uid, credentials.label(one)) for one in known if one.credentials)
    return SpecChoices(_zones(tx), named, SCHEMA)


def _draft(tx: Tx, spec: Spec) -> SpecDraft:
    zone, looks = zones.of(tx, spec.zone_id), identities.by_id(tx, spec.drift_cloud_identity_id)
    document = {
        **spec.document,
        "zone_id": zone.uid if zone else None,
        "drift_minutes": spec.drift_minutes,
        "drift_cloud_identity_id": looks.uid if looks else None,
    }
    return SpecDraft(document, spec.version, shown.spec_rows(tx, [spec])[0], spec.module_token is not None)


def _versions(tx: Tx, uid: str, before: int | None, limit: int) -> VersionList:
    spec = specs.meant(tx, uid)
    found, more = versions.page(tx, spec, limit, before)
    names = people.names(tx, [one.author_id for one in found])
    return VersionList(
        shown.spec_rows(tx, [spec])[0],
        tuple(
            VersionRow(
                one.number,
                one.created_at,
                names.get(one.author_id, "somebody who is gone"),
                one.comment or "",
                one.configuration_hash,
                one.number == spec.version,
                one.configuration_hash == spec.applied_hash,
            )
            for one in found
        ),
        found[-1].number if more else None,
    )


def _difference(one: diffing.Change) -> Difference:
    was = None if one.kind == "added" else text_of(one.before)
    return Difference(one.path, was, None if one.kind == "removed" else text_of(one.after))
