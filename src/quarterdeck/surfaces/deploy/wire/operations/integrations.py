"""Operations below /api/integrations. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "system.integrations.list",
        "GET",
        "/api/integrations",
        "List integrations",
        auth="session:member",
        status=200,
        errors=(),
        response="integrations:SystemIntegrationsListResponse",
    ),
    Operation(
        "system.github-app-connection.show",
        "GET",
        "/api/integrations/github/app-connection",
        "Read GitHub connection mode and install link",
        auth="session:member",
        status=200,
        errors=(),
        response="integrations:SystemGithubAppConnectionShowResponse",
    ),
    Operation(
        "system.github-repositories.list",
        "GET",
        "/api/integrations/github/repositories",
        "List reachable GitHub repositories",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (502, "provider_error")),
        query="integrations:SystemGithubRepositoriesListQuery",
        response="integrations:SystemGithubRepositoriesListResponse",
    ),
    Operation(
        "source-events.ingest",
        "POST",
        "/api/integrations/github/source-events",
        "GitHub webhook receiver (push, pull_request, ping)",
        auth="webhook",
        status=200,
        errors=(
            (400, "validation_error"),
            (400, "resource_auto_deploy_secret_unavailable"),
            (400, "source_event_signature_invalid"),
            (400, "source_event_unsupported_kind"),
            (503, "source_event_provider_webhook_not_configured"),
            (504, "coordination_timeout"),
        ),
        body="integrations:SourceEventsIngestBody",
        response="integrations:SourceEventsIngestResponse",
    ),
)
