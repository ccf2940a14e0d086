"""Operations below /api/runtime-monitoring. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "runtime-monitoring.samples.list",
        "GET",
        "/api/runtime-monitoring/samples",
        "List retained usage samples in a window",
        auth="session:member",
        status=200,
        errors=(),
        query="runtime_monitoring:RuntimeMonitoringSamplesListQuery",
        response="runtime_monitoring:RuntimeMonitoringSamplesListResponse",
    ),
    Operation(
        "runtime-monitoring.rollup",
        "GET",
        "/api/runtime-monitoring/rollup",
        "Aggregate usage samples into buckets",
        auth="session:member",
        status=200,
        errors=(),
        query="runtime_monitoring:RuntimeMonitoringRollupQuery",
        response="runtime_monitoring:RuntimeMonitoringRollupResponse",
    ),
    Operation(
        "runtime-monitoring.thresholds.show",
        "GET",
        "/api/runtime-monitoring/thresholds",
        "Read threshold policy and current evaluation",
        auth="session:member",
        status=200,
        errors=(),
        query="runtime_monitoring:RuntimeMonitoringThresholdsShowQuery",
        response="runtime_monitoring:RuntimeMonitoringThresholdsShowResponse",
    ),
    Operation(
        "runtime-monitoring.thresholds.configure",
        "POST",
        "/api/runtime-monitoring/thresholds",
        "Store a non-enforcing threshold policy",
        auth="session:admin",
        status=200,
        errors=(),
        body="runtime_monitoring:RuntimeMonitoringThresholdsConfigureBody",
        response="runtime_monitoring:RuntimeMonitoringThresholdsConfigureResponse",
        body_required=True,
    ),
)
