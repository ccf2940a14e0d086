"""Operations below /api/source-events. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "source-events.list",
        "GET",
        "/api/source-events",
        "List received source events",
        auth="session:member",
        status=200,
        errors=(
            (400, "validation_error"),
            (400, "source_event_scope_required"),
            (503, "source_event_read_unavailable"),
        ),
        query="source_events:SourceEventsListQuery",
        response="source_events:SourceEventsListResponse",
    ),
    Operation(
        "source-events.show",
        "GET",
        "/api/source-events/{sourceEventId}",
        "Read a source event",
        auth="session:member",
        status=200,
        errors=(
            (400, "validation_error"),
            (400, "source_event_scope_required"),
            (404, "source_event_not_found"),
            (503, "source_event_read_unavailable"),
        ),
        query="source_events:SourceEventsShowQuery",
        response="source_events:SourceEventsShowResponse",
    ),
    Operation(
        "source-events.replay",
        "POST",
        "/api/source-events/{sourceEventId}/replay",
        "Re-evaluate a source event against current policies",
        auth="session:admin",
        status=200,
        errors=(
            (400, "validation_error"),
            (400, "source_event_scope_required"),
            (404, "source_event_not_found"),
            (503, "source_event_read_unavailable"),
        ),
        body="source_events:SourceEventsReplayBody",
        response="source_events:SourceEventsReplayResponse",
    ),
    Operation(
        "source-events.prune",
        "POST",
        "/api/source-events/prune",
        "Preview or delete old source events",
        auth="session:admin",
        status=200,
        errors=(),
        body="source_events:SourceEventsPruneBody",
        response="source_events:SourceEventsPruneResponse",
        body_required=True,
    ),
)
