"""The caller and the organizations it acts in."""

from __future__ import annotations

from typing import Any

from quarterdeck.identity import organizations
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present
from quarterdeck.surfaces.shared.first_administrator import login_methods

MANAGERS = {"owner", "admin"}


@operation("organizations.current-context")
async def current_context(call: Call) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        user = tx.get(User, tx.principal.id)
        assert user is not None  # noqa: S101 - authenticated a moment ago
        mine = [
            {
                "organizationId": organization.ref,
                "name": organization.name,
                "slug": organization.slug,
                "role": organizations.role_of(tx, user.id, organization.id) or "viewer",
                "id": organization.id,
            }
            for organization in organizations.of_user(tx, user.id)
        ]
        now = next((one for one in mine if one["id"] == tx.principal.organization_id), mine[0])
        manages = now["role"] in MANAGERS
        shown = [{key: value for key, value in one.items() if key != "id"} for one in mine]
        return {
            "user": present(
                userId=user.uid.replace("-", ""),
                email=user.email or "",
                displayName=user.display_name,
                avatarUrl=user.avatar_url,
            ),
            "currentOrganization": {key: value for key, value in now.items() if key != "id"},
            "organizations": shown,
            "loginMethods": login_methods(tx),
            "permissions": {
                "canInviteMembers": manages,
                "canListMembers": True,
                "canManageDeployTokens": manages,
                "canRemoveMembers": manages,
                "canTransferOwnership": now["role"] == "owner",
                "canUpdateMemberRoles": manages,
            },
        }

    return await call.read(verb)
