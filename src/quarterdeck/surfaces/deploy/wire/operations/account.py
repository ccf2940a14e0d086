"""Operations below /api/account. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "account.profile.show",
        "GET",
        "/api/account/profile",
        "Read own profile",
        auth="session:member",
        status=200,
        errors=(),
        response="account:AccountProfileShowResponse",
    ),
    Operation(
        "account.profile.change",
        "POST",
        "/api/account/profile",
        "Change own display name or avatar",
        auth="session:member",
        status=200,
        errors=(),
        body="account:AccountProfileChangeBody",
        response="account:AccountProfileChangeResponse",
        body_required=True,
    ),
    Operation(
        "account.sessions.list",
        "GET",
        "/api/account/sessions",
        "List own login sessions",
        auth="session:member",
        status=200,
        errors=(),
        response="account:AccountSessionsListResponse",
    ),
    Operation(
        "account.sessions.revoke",
        "POST",
        "/api/account/sessions/{sessionId}/revoke",
        "End one of own sessions",
        auth="session:member",
        status=200,
        errors=(),
        body="account:AccountSessionsRevokeBody",
        response="account:AccountSessionsRevokeResponse",
    ),
    Operation(
        "account.delete",
        "DELETE",
        "/api/account",
        "Delete own account after typed confirmation",
        auth="session:member",
        status=200,
        errors=(),
        body="account:AccountDeleteBody",
        response="account:AccountDeleteResponse",
        body_required=True,
    ),
)
