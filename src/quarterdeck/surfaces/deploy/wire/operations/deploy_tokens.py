"""Operations below /api/deploy-tokens. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "deploy-tokens.list",
        "GET",
        "/api/deploy-tokens",
        "List an organization's automation tokens, masked",
        auth="session:admin",
        status=200,
        errors=(),
        query="deploy_tokens:DeployTokensListQuery",
        response="deploy_tokens:DeployTokensListResponse",
    ),
    Operation(
        "deploy-tokens.create",
        "POST",
        "/api/deploy-tokens",
        "Mint an automation token; raw value shown once",
        auth="session:admin",
        status=201,
        errors=((400, "validation_error"), (404, "not_found")),
        body="deploy_tokens:DeployTokensCreateBody",
        response="deploy_tokens:DeployTokensCreateResponse",
        body_required=True,
    ),
    Operation(
        "deploy-tokens.show",
        "GET",
        "/api/deploy-tokens/{tokenId}",
        "Read one automation token, masked",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        query="deploy_tokens:DeployTokensShowQuery",
        response="deploy_tokens:DeployTokensShowResponse",
    ),
    Operation(
        "deploy-tokens.rotate",
        "POST",
        "/api/deploy-tokens/{tokenId}/rotate",
        "Swap the token secret; new raw value shown once",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (404, "not_found"), (409, "deploy_token_rotation_blocked")),
        body="deploy_tokens:DeployTokensRotateBody",
        response="deploy_tokens:DeployTokensRotateResponse",
        body_required=True,
    ),
    Operation(
        "deploy-tokens.revoke",
        "POST",
        "/api/deploy-tokens/{tokenId}/revoke",
        "Disable an automation token for good",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (404, "not_found"), (409, "deploy_token_revoke_blocked")),
        body="deploy_tokens:DeployTokensRevokeBody",
        response="deploy_tokens:DeployTokensRevokeResponse",
        body_required=True,
    ),
)
