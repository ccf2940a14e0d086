"""Who may do what: every route of the surface by every role, as reviewed in matrix.json."""

from __future__ import annotations

import json
import re
from pathlib import Path

from quarterdeck.app import handlers
from support.deck import ROLES

MATRIX = json.loads((Path(__file__).parent / "matrix.json").read_text())
ELSEWHERE = ("/api/auth/cli",)
"""Prefixes of routes that stand in the matrix of the tasks surface, with which they share the session."""
SHARED = {"GET /api/jobs": "?surface=infra"}
"""Routes that another surface answers, too, and how this one is meant."""
NOBODY = "00000000-0000-7000-8000-000000000000"


def routed() -> set[str]:
    found = [one for one in handlers() if one.fn.__module__.startswith("quarterdeck.surfaces.infra.")]
    declared = [one.opt["endpoint"] for one in found if "endpoint" in one.opt]
    return {f"{one.method} {one.path}" for one in declared if not one.path.startswith(ELSEWHERE)}


def test_every_route_of_the_surface_is_in_the_matrix():
    assert routed() | {*SHARED} == set(MATRIX["operations"])
    assert MATRIX["roles"] == list(ROLES)


async def test_every_role_is_let_in_or_kept_out_as_the_matrix_says(crew):
    """A caller that is let in gets any answer but 401 and 403; nothing exists that its request could hit."""
    people = {role: (await crew.person(role, f"organization:{role}"))[1] for role in ROLES}
    people |= {"lead": (await crew.person("lead", "tasks:admin", "runbooks:super-admin"))[1], "anonymous": None}
    wrong = []
    for name, expected in MATRIX["operations"].items():
        method, path = name.split(" ")
        body = None if method in {"GET", "DELETE"} else {}
        for role, token in people.items():
            allowed = (
                expected == "public"
                or (expected == "authenticated" and role != "anonymous")
                or (isinstance(expected, list) and role in expected)
            )
            address = re.sub(r"{\w+}", NOBODY, path) + SHARED.get(name, "")
            answer = await crew.send(method, address, body, token=token)
            if (answer.status_code not in {401, 403}) != allowed or answer.status_code >= 500:
                wrong.append((name, role, answer.status_code))
            if not allowed:
                unknown = role == "anonymous" or expected == "programs"
                assert answer.status_code == (401 if unknown else 403), (name, role)
            if not answer.is_success and name not in SHARED:
                assert answer.json().keys() - {"hint"} == {"code", "error"}, name
    assert wrong == []
