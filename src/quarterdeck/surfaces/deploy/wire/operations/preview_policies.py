"""Operations below /api/preview-policies. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "preview-policies.configure",
        "POST",
        "/api/preview-policies",
        "Set preview policy of a project or resource",
        auth="session:admin",
        status=200,
        errors=(),
        body="preview_policies:PreviewPoliciesConfigureBody",
        response="preview_policies:PreviewPoliciesConfigureResponse",
        body_required=True,
    ),
    Operation(
        "preview-policies.show",
        "POST",
        "/api/preview-policies/show",
        "Read the effective preview policy",
        auth="session:member",
        status=200,
        errors=(),
        body="preview_policies:PreviewPoliciesShowBody",
        response="preview_policies:PreviewPoliciesShowResponse",
        body_required=True,
    ),
)
