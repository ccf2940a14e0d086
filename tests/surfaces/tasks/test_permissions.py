"""Who may do what: every route of the two surfaces by every role, as reviewed in matrix.json."""

from __future__ import annotations

import json
from pathlib import Path

from quarterdeck.app import handlers

MATRIX = json.loads((Path(__file__).parent / "matrix.json").read_text())
PREFIXES = ("/api/web", "/api/admin", "/api/auth/cli", "/api/workers")
SHARED = {"POST /api/auth/login", "POST /api/auth/refresh", "POST /api/auth/logout"}
BY_BODY = {
    "POST /api/auth/login",
    "POST /api/auth/refresh",
    "POST /api/auth/cli/exchange",
    "POST /api/auth/cli/refresh",
    "POST /api/workers/recover",
}
"""Routes for whoever has no session yet: a body that proves nothing is refused there, the caller is not."""

OF_WORKERS = {"POST /api/workers/refresh-token"}
"""Routes that take the credential of a worker, and know nobody else."""


def routed() -> set[str]:
    """Without those of runners, which stand in the matrix beside the contracts."""
    declared = [one for one in handlers() if "endpoint" in getattr(one, "opt", {}) and not _of_runners(one)]
    endpoints = [one.opt["endpoint"] for one in declared]
    return {f"{one.method} {one.path}" for one in endpoints if one.path.startswith(PREFIXES)}


def _of_runners(handler) -> bool:
    return (
        handler.fn.__module__.startswith("quarterdeck.surfaces.infra.") and "/auth/" not in handler.opt["endpoint"].path
    )


def test_every_route_of_the_surfaces_is_in_the_matrix():
    assert routed() | SHARED == set(MATRIX["operations"])


async def test_every_role_is_let_in_or_kept_out_as_the_matrix_says(crew):
    """A caller that is let in gets any answer but 401 and 403; nothing exists that its request could hit."""
    people = {role: (await crew.person(role, f"tasks:{role}"))[1] for role in ("admin", "lead", "developer")}
    people["none"] = (await crew.person("none", "organization:viewer"))[1]
    people["anonymous"] = None
    wrong = []
    for name, row in MATRIX["operations"].items():
        method, path = name.split(" ")
        body = None if method == "GET" else {}
        for role, expected in row.items():
            if name == "POST /api/auth/logout" and expected == "allow":
                continue  # would end the caller's session: shown by the tests of sessions
            place = path.replace("{id}", "999999").replace("{taskId}", "999999").replace("{key}", "nobody")
            answer = await crew.send(method, place, body, token=people[role])
            got = "deny" if answer.status_code in {401, 403} else "allow"
            if got != expected or answer.status_code >= 500:
                wrong.append((name, role, answer.status_code))
            if expected == "deny":
                unknown = role == "anonymous" or name in OF_WORKERS
                assert answer.status_code == (401 if unknown else 403), (name, role)
            if name in BY_BODY:
                assert answer.status_code == 400, (name, role)
    assert wrong == []
