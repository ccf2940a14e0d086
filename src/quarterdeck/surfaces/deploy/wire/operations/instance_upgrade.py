"""Operations below /api/instance-upgrade. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "system.instance-upgrade.check",
        "GET",
        "/api/instance-upgrade/check",
        "Check for a newer instance version",
        auth="public",
        status=200,
        errors=((401, "product_auth_missing"), (403, "product_auth_forbidden")),
        query="instance_upgrade:SystemInstanceUpgradeCheckQuery",
        response="instance_upgrade:SystemInstanceUpgradeCheckResponse",
    ),
    Operation(
        "system.instance-upgrade.apply",
        "POST",
        "/api/instance-upgrade/apply",
        "Plan or run an instance upgrade",
        auth="session:admin",
        status=202,
        errors=(),
        body="instance_upgrade:SystemInstanceUpgradeApplyBody",
        response="instance_upgrade:SystemInstanceUpgradeApplyResponse",
        body_required=True,
    ),
)
