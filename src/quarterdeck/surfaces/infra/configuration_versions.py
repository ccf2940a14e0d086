"""What specifications were before, and what changed."""

from __future__ import annotations

from quarterdeck.infra import people
from quarterdeck.infra.specs import diffing, specs, versions
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.infra.configurations import ONE, UNKNOWN, VIEW
from quarterdeck.surfaces.infra.shapes import at
from quarterdeck.surfaces.infra.wire import configuration_versions as wire
from quarterdeck.surfaces.shared.values import given


@route("GET", f"{ONE}/versions", permission=VIEW, errors=UNKNOWN)
async def listed(call: Call, name: str, query: wire.SpecVersionsQuery) -> wire.SpecVersions:
    """Versions of a specification, newest first."""

    def verb(tx: Tx) -> wire.SpecVersions:
        spec = specs.meant(tx, name)
        found, more = versions.page(tx, spec, query.limit, given(query.before))
        authors = people.uids(tx, [one.author_id for one in found])
        return wire.SpecVersions(
            versions=[
                wire.SpecVersion(
                    id=one.uid,
                    number=one.number,
                    configuration_hash=one.configuration_hash,
                    user_id=authors.get(one.author_id, ""),
                    comment=one.comment,
                    created_at=at(one.created_at),
                    current=one.number == spec.version,
                    applied=one.configuration_hash == spec.applied_hash,
                )
                for one in found
            ],
            next=found[-1].number if more else None,
        )

    return await call.read(verb)


@route("GET", f"{ONE}/diff", permission=VIEW, errors=(*UNKNOWN, (404, "spec_version_not_found")))
async def diff(call: Call, name: str, query: wire.SpecDiffQuery) -> wire.SpecDiff:
    """What two versions say differently, place by place."""

    def verb(tx: Tx) -> wire.SpecDiff:
        spec = specs.meant(tx, name)
        to = given(query.to) or spec.version
        since = given(query.from_) or max(to - 1, 1)
        changes = diffing.changes(versions.show(tx, spec, since).document, versions.show(tx, spec, to).document)
        return wire.SpecDiff(
            from_=since,
            to=to,
            same=not changes,
            changes=[
                wire.SpecChange(path=one.path, kind=one.kind, before=one.before, after=one.after) for one in changes
            ],
        )

    return await call.read(verb)
