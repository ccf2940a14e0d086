"""Operations below /api/credentials. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "credentials.list-ssh",
        "GET",
        "/api/credentials/ssh",
        "List stored SSH credentials, masked",
        auth="session:member",
        status=200,
        errors=(),
        query="credentials:CredentialsListSshQuery",
        response="credentials:CredentialsListSshResponse",
    ),
    Operation(
        "credentials.create-ssh",
        "POST",
        "/api/credentials/ssh",
        "Store an SSH credential",
        auth="session:admin",
        status=201,
        errors=(),
        body="credentials:CredentialsCreateSshBody",
        response="credentials:CredentialsCreateSshResponse",
        body_required=True,
    ),
    Operation(
        "credentials.show",
        "GET",
        "/api/credentials/ssh/{credentialId}",
        "Read an SSH credential with usage",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        query="credentials:CredentialsShowQuery",
        response="credentials:CredentialsShowResponse",
    ),
    Operation(
        "credentials.delete-ssh",
        "DELETE",
        "/api/credentials/ssh/{credentialId}",
        "Delete an unused SSH credential",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (404, "not_found"), (409, "conflict"), (409, "credential_in_use")),
        body="credentials:CredentialsDeleteSshBody",
        response="credentials:CredentialsDeleteSshResponse",
        body_required=True,
    ),
    Operation(
        "credentials.rotate-ssh",
        "POST",
        "/api/credentials/ssh/{credentialId}/rotate",
        "Replace the key of an SSH credential",
        auth="session:admin",
        status=200,
        errors=(
            (400, "validation_error"),
            (404, "not_found"),
            (409, "conflict"),
            (409, "credential_rotation_requires_usage_acknowledgement"),
        ),
        body="credentials:CredentialsRotateSshBody",
        response="credentials:CredentialsRotateSshResponse",
        body_required=True,
    ),
)
