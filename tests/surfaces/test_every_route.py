"""Every route stands in one of the reviewed matrices; here are those beside the contracts."""

from __future__ import annotations

import json
import re
from pathlib import Path

from quarterdeck.app import handlers
from support.deck import ROLES

HERE = Path(__file__).parent
BESIDE = json.loads((HERE / "beside.json").read_text())
PEOPLE = json.loads((HERE / "people.json").read_text())
TASKS = json.loads((HERE / "tasks/matrix.json").read_text())["operations"]
INFRA = json.loads((HERE / "infra/matrix.json").read_text())["operations"]
NEARBY = {"owner", "admin", "anonymous"}
DEPLOY = json.loads((HERE / "deploy/matrix.json").read_text())["operations"]


def test_no_route_is_in_no_matrix() -> None:
    """Nor a row without a route: what was removed is not promised any more."""
    declared = [handler.opt["endpoint"] for handler in handlers() if "endpoint" in getattr(handler, "opt", {})]
    reviewed = {*PEOPLE["runbooks"], *PEOPLE["broker"], *TASKS, *INFRA}
    others = {f"{one.method} {one.path}" for one in declared if one.key not in DEPLOY} - reviewed
    assert others == set(BESIDE["operations"])
    assert BESIDE["roles"] == list(ROLES)


async def test_every_role_is_let_in_or_kept_out_as_reviewed(deck) -> None:
    """A caller that is let in gets any answer but 401 and 403; nothing exists that its request could hit."""
    wrong = []
    tokens = {role: await deck.member(role) for role in ROLES} | {"anonymous": None}
    for name, expected in BESIDE["operations"].items():
        method, path = name.split(" ")
        body = None if method in {"GET", "DELETE"} else {}
        for role, token in tokens.items():
            listed = role in expected if isinstance(expected, list) else role != "anonymous"
            allowed = role in NEARBY if expected == "nearby" else expected == "public" or listed
            if "sign-out" in path and allowed:
                continue  # ends the caller's session: shown by the tests of sessions
            answer = await deck.send(method, re.sub(r"{\w+}", "nobody", path), body, token=token)
            if (answer.status_code not in {401, 403}) != allowed or answer.status_code >= 500:
                wrong.append((name, role, answer.status_code))
            if not allowed:
                assert answer.status_code == (401 if role == "anonymous" else 403), (name, role)
    assert wrong == []
