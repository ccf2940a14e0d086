"""Operations below /api/default-access-domain-policies. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "default-access-domain-policies.list",
        "GET",
        "/api/default-access-domain-policies",
        "List generated-domain policies",
        auth="session:member",
        status=200,
        errors=(),
        response="default_access_domain_policies:DefaultAccessDomainPoliciesListResponse",
    ),
    Operation(
        "default-access-domain-policies.configure",
        "POST",
        "/api/default-access-domain-policies",
        "Create or replace a generated-domain policy",
        auth="session:admin",
        status=200,
        errors=(
            (400, "validation_error"),
            (404, "not_found"),
            (409, "default_access_policy_conflict"),
            (502, "default_access_provider_unavailable"),
        ),
        body="default_access_domain_policies:DefaultAccessDomainPoliciesConfigureBody",
        response="default_access_domain_policies:DefaultAccessDomainPoliciesConfigureResponse",
        body_required=True,
    ),
    Operation(
        "default-access-domain-policies.show",
        "GET",
        "/api/default-access-domain-policies/show",
        "Read generated-domain policy of a scope",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        query="default_access_domain_policies:DefaultAccessDomainPoliciesShowQuery",
        response="default_access_domain_policies:DefaultAccessDomainPoliciesShowResponse",
    ),
)
