"""Operations below /api/domain-events. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "domain-events.prune",
        "POST",
        "/api/domain-events/prune",
        "Preview or delete old domain event rows",
        auth="session:admin",
        status=200,
        errors=(),
        body="domain_events:DomainEventsPruneBody",
        response="domain_events:DomainEventsPruneResponse",
        body_required=True,
    ),
)
