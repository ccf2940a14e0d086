"""Specifications, which programs call configurations (contract: infra §1.2).

`{name}` is an id or a project name, wherever it stands.
"""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.infra.specs import canonical, cloning, examining, exporting, listing, removing, specs
from quarterdeck.infra.specs.document import LARGEST
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.infra.configuration_shapes import summaries, whole
from quarterdeck.surfaces.infra.wire import configurations as wire
from quarterdeck.surfaces.infra.wire.device_login import Success
from quarterdeck.surfaces.shared.values import given

HERE, ONE = "/api/cli/configurations", "/api/cli/configurations/{name}"
NAMED = "/api/cli/configurations/by-project-name/{project_name}"
VIEW, MANAGE, DELETE = "infra:specs.view", "infra:specs.manage", "infra:specs.delete"
UNKNOWN = ((404, "spec_not_found"), (409, "spec_name_ambiguous"))
MAKING = ((400, "spec_invalid"), (404, "zone_not_found"), (409, "project_archived"), (409, "cloud_identity_not_here"))


@route("GET", HERE, permission=VIEW, errors=((404, "zone_not_found"), (404, "spec_not_found")))
async def listed(call: Call, query: wire.ConfigurationsQuery) -> wire.Configurations:
    """Specifications, newest first."""
    asked = listing.Filter(given(query.zone_id), given(query.status), given(query.environment_stage), given(query.q))

    def verb(tx: Tx) -> wire.Configurations:
        found, more = listing.page(tx, asked, query.limit, given(query.before))
        return wire.Configurations(configurations=summaries(tx, found), next=found[-1].uid if more else None)

    return await call.read(verb)


@route("POST", HERE, permission=MANAGE, status=201, body_limit=LARGEST, errors=MAKING)
async def create(call: Call, body: wire.Document) -> wire.OneConfiguration:
    """Make a specification of a document; what is left out gets its default."""
    return await call.write(lambda tx: whole(tx, specs.create(tx, body)))


@route("POST", f"{HERE}/validate", permission=VIEW, body_limit=LARGEST)
async def validate(call: Call, body: wire.Document) -> wire.Validated:
    """Say everything that is wrong with a document, or how it would be kept. Nothing is."""

    def verb(tx: Tx) -> wire.Validated:
        document, wrong = examining.examine(tx, body)
        return wire.Validated(
            valid=document is not None,
            errors=[wire.FieldError(field=one.field, message=one.message) for one in wrong],
            document=document,
            configuration_hash=canonical.hashed(document) if document is not None else None,
        )

    return await call.read(verb)


@route("GET", ONE, permission=VIEW, errors=UNKNOWN)
async def show(call: Call, name: str) -> wire.OneConfiguration:
    """One specification, by its id or its project name."""
    return await call.read(lambda tx: whole(tx, specs.meant(tx, name)))


@route("GET", NAMED, permission=VIEW, errors=UNKNOWN)
async def show_named(call: Call, project_name: str) -> wire.OneConfiguration:
    """One specification by its project name; 409 lists the ids where several have it."""
    return await call.read(lambda tx: whole(tx, specs.only(tx, project_name), admins=False))


@route(
    "PUT",
    ONE,
    permission=MANAGE,
    body_limit=LARGEST,
    errors=(
        *MAKING, *UNKNOWN, (403, "product_auth_forbidden"), (409, "spec_changed"), (409, "spec_provider_held"),
        (409, "spec_account_held"),
    ),
)  # fmt: skip
async def change(call: Call, name: str, body: wire.Document, access: Access) -> wire.OneConfiguration:
    """Put a whole document in the place of the one there is, as its next version."""
    return await call.write(lambda tx: whole(tx, specs.change(tx, access, name, body)))


@route(
    "DELETE",
    ONE,
    permission=DELETE,
    errors=(
        (400, "validation_error"), (403, "product_auth_forbidden"), *UNKNOWN, (409, "spec_holds_resources"),
        (409, "spec_orphan_risk"), (409, "spec_job_live"),
    ),
)  # fmt: skip
async def delete(call: Call, name: str, query: wire.DeleteQuery, access: Access) -> Success:
    """Delete a specification of which nothing stands. Nothing is destroyed by it."""
    await call.write(lambda tx: removing.delete(tx, access, name, force=query.force, reason=given(query.reason)))
    return Success()


@route("POST", f"{ONE}/clone", permission=MANAGE, status=201, errors=(*MAKING, *UNKNOWN))
async def clone(call: Call, name: str, body: wire.CloneBody) -> wire.OneConfiguration:
    """Make another specification with the same configuration."""
    wanted = given(body.project_name)
    if not wanted:
        raise Invalid("project_name is required.", hint="Send a name for the new one.", field="project_name")

    def verb(tx: Tx) -> wire.OneConfiguration:
        made = cloning.clone(tx, name, wanted, environment_stage=given(body.environment_stage), zone=body.zone_id)
        return whole(tx, made)

    return await call.write(verb)


@route("GET", f"{ONE}/export", permission=VIEW, errors=(*UNKNOWN, (404, "spec_version_not_found")))
async def export(call: Call, name: str, query: wire.ExportQuery) -> wire.Exported:
    """A specification as a file that can be imported again."""

    def verb(tx: Tx) -> exporting.Exported:
        return exporting.export(tx, specs.meant(tx, name), query.format, given(query.version))

    return _file(await call.read(verb))


@route("GET", f"{NAMED}/export", permission=VIEW, errors=UNKNOWN)
async def export_named(call: Call, project_name: str, query: wire.LegacyExportQuery) -> wire.Exported:
    """As `export`, by project name, for published programs."""
    return _file(await call.read(lambda tx: exporting.export(tx, specs.only(tx, project_name), query.format)))


def _file(found: exporting.Exported) -> wire.Exported:
    return wire.Exported(content=found.content, filename=found.filename, format=found.format)
