"""Who may call what of runbooks and broker: every route by every built-in role, as reviewed in people.json."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from quarterdeck.access.catalogue import ROLES
from quarterdeck.app import handlers
from support.lodge import Person

REVIEWED = json.loads((Path(__file__).parent / "people.json").read_text())
SURFACES = ("runbooks", "broker")
PLAIN = "member:plain"
ANYBODY = {"public", "authenticated"}
AGENT = "agent"
"""Routes of programs with a secret of their own: whatever a person shows there is nothing."""


def routed(surface: str) -> dict[str, str]:
    """Method and path of the routes that a surface's package declares, or shares, to the permission that they ask."""
    found = {}
    for handler in handlers():
        endpoint = getattr(handler, "opt", {}).get("endpoint")
        if endpoint is None:
            continue
        name = f"{endpoint.method} {endpoint.path}"
        if handler.fn.__module__.startswith(f"quarterdeck.surfaces.{surface}.") or name in REVIEWED[surface]:
            found[name] = endpoint.permission
    return found


@pytest.mark.parametrize("surface", SURFACES)
def test_every_route_asks_what_the_contract_says(surface):
    plain = {name: "authenticated" if one == AGENT else one for name, one in REVIEWED[surface].items()}
    expected = {name: one if one in ANYBODY else f"{surface}:{one}" for name, one in plain.items()}
    assert routed(surface) == expected


@pytest.mark.parametrize("surface", SURFACES)
async def test_every_role_is_let_in_or_kept_out_as_reviewed(lodge, surface):
    """Bodies are empty and ids nobody's: a caller that is let in gets any answer but 401 and 403."""
    people = {role: await lodge.person(role.replace(":", "-"), role) for role in (*sorted(ROLES), PLAIN)}
    wrong, admins = [], REVIEWED["holders"][surface]
    for name, asked in REVIEWED[surface].items():
        method, path = name.split(" ")
        if "logout" in path:
            continue  # ends the session that asks; test_session has it
        address = re.sub(r"{\w+}", "00000000-0000-7000-8000-000000000000", path)
        body = {} if method in {"POST", "PUT"} else None
        for role, person in {**people, "anonymous": Person(0, "", "", "")}.items():
            allowed = asked == "public" or (role != "anonymous" and asked == "authenticated")
            allowed = allowed or role in REVIEWED["holders"].get(asked, [] if asked == AGENT else admins)
            if asked == "public" and role != "anonymous":
                continue  # the same for all, and counted for each address
            answer = await lodge.send(method, address, body, token=person.token or None)
            # What is missing from a body is an answer of the route, a wrong password too.
            got = answer.status_code not in {401, 403} or (asked == "public" and "credentials" in answer.text)
            if got != allowed or answer.status_code >= 500:
                wrong.append((name, role, answer.status_code))
            if not allowed:
                assert answer.status_code == (401 if role == "anonymous" or asked == AGENT else 403), (name, role)
    assert wrong == []
