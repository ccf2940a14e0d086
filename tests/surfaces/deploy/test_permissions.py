"""Who may do what: every route of the surface by every role, as reviewed in matrix.json."""

from __future__ import annotations

import json
import re
from pathlib import Path

from quarterdeck.app import handlers
from support.deck import ROLES, operations

MATRIX = json.loads((Path(__file__).parent / "matrix.json").read_text())
NOBODY = {name: f"{prefix}_000000000000" for name, prefix in {
    "projectId": "prj", "environmentId": "env", "serverId": "srv", "resourceId": "res", "deploymentId": "dep",
}.items()}  # fmt: skip
STREAMS = {"deployments.create/stream"}


def test_every_route_of_the_surface_is_in_the_matrix():
    routed = {handler.opt["endpoint"].key for handler in handlers() if "endpoint" in getattr(handler, "opt", {})}
    assert routed - {""} == set(MATRIX["operations"])
    assert MATRIX["roles"] == [*ROLES, "anonymous"]


def test_the_matrix_says_what_the_contract_says():
    ranks = {
        "public": set(MATRIX["roles"]),
        "session:member": set(ROLES),
        "session:admin": {"owner", "admin"},
        "session:owner": {"owner"},
        "none-enforced-in-reference (recommend session:member)": set(ROLES),
    }
    for key, row in MATRIX["operations"].items():
        allowed = {role for role, answer in row.items() if answer == "allow"}
        assert allowed == ranks[operations()[key]["auth"]], key


async def test_every_role_is_let_in_or_kept_out_as_the_matrix_says(deck):
    """A caller that is let in gets any answer but 401 and 403; nothing exists that its request could hit."""
    tokens = {role: await deck.member(role) for role in ROLES} | {"anonymous": None}
    wrong = []
    for key, row in MATRIX["operations"].items():
        named = {name: NOBODY.get(name, "KEY") for name in re.findall(r"{(\w+)}", operations()[key]["path"])}
        for role, expected in row.items():
            body = {} if operations()[key]["body"] is not None else None
            answer = await deck.request(key, body, token=tokens[role], **named)
            got = "deny" if answer.status_code in {401, 403} else "allow"
            if got != expected or answer.status_code >= 500:
                wrong.append((key, role, answer.status_code))
            if expected == "deny":
                assert answer.status_code == (401 if role == "anonymous" else 403), (key, role)
                code = "product_auth_missing" if role == "anonymous" else "product_auth_forbidden"
                assert answer.json()["data"]["domainCode"] == code
    assert wrong == []


async def test_a_role_is_lost_with_the_next_request(deck):
    from sqlalchemy import select

    from quarterdeck.access import grants
    from quarterdeck.identity.model import Organization, User

    token = await deck.member("admin")
    await deck.do("projects.create", {"name": "Mine"}, token=token)

    def demote(tx):
        user = tx.first(select(User).where(User.username.startswith("admin-")))
        place = tx.first(select(Organization).where(Organization.ref == "org_self_hosted"))
        grants.take_all(tx, deck.instance.access, user.id, place.id)
        grants.give(tx, deck.instance.access, user.id, place.id, "organization:viewer")

    await deck.instance.db.write(demote)
    await deck.refused(403, "product_auth_forbidden", "projects.create", {"name": "Other"}, token=token)
    assert await deck.do("projects.count", token=token) == {"count": 1}
