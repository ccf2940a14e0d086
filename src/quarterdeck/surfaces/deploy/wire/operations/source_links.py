"""Operations below /api/source-links. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "source-links.list",
        "GET",
        "/api/source-links",
        "List source fingerprint links",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        query="source_links:SourceLinksListQuery",
        response="source_links:SourceLinksListResponse",
    ),
    Operation(
        "source-links.show",
        "GET",
        "/api/source-links/{sourceFingerprint}",
        "Read a source link",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        response="source_links:SourceLinksShowResponse",
    ),
    Operation(
        "source-links.delete",
        "DELETE",
        "/api/source-links/{sourceFingerprint}",
        "Delete a source link",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        body="source_links:SourceLinksDeleteBody",
        response="source_links:SourceLinksDeleteResponse",
    ),
    Operation(
        "source-links.relink",
        "POST",
        "/api/source-links/relink",
        "Point a source fingerprint at another target",
        auth="session:admin",
        status=200,
        errors=(
            (400, "validation_error"),
            (400, "source_link_context_mismatch"),
            (404, "not_found"),
            (404, "source_link_not_found"),
            (409, "source_link_conflict"),
            (504, "coordination_timeout"),
        ),
        body="source_links:SourceLinksRelinkBody",
        response="source_links:SourceLinksRelinkResponse",
        body_required=True,
    ),
)
