"""`qd role` and `qd grant`: what is said of what was changed, and of people who have not come yet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli.conftest import Result
from cli.contract_server import ContractServer

Command = Callable[..., Result]
ROLES, GRANTS = "/api/access/roles", "/api/access/grants"
KEY = "custom:01a22868-9bfe-71cf-8752-08d70b00bb40"
RELEASE = {
    "id": "r1", "key": KEY, "name": "release", "description": None, "builtIn": False, "holders": 0,
    "permissions": ["deploy:deployments.create", "deploy:deployments.cancel"],
}  # fmt: skip
GIVEN = {"userId": "u1", "username": "bob", "role": KEY, "roleName": "release", "changed": True, "invited": False}


@pytest.mark.parametrize(
    ("deed", "answer", "said"),
    [
        ("give", {}, "bob has release now."),
        ("give", {"changed": False}, "bob has release already."),
        ("give", {"invited": True}, "bob gets release with coming; the invitation waits."),
        ("take", {}, "bob has lost release now."),
        ("take", {"changed": False}, "bob does not have release."),
        ("take", {"invited": True}, "bob no longer gets release with coming."),
    ],
)
def test_a_role_is_called_by_its_name_and_who_was_asked_in_gets_it_with_coming(
    qd: Command, server: ContractServer, deed: str, answer: dict[str, bool], said: str
) -> None:
    server.outside["POST", GRANTS] = {**GIVEN, **answer}
    assert qd("grant", deed, "bob", "release", "--yes").out == f"{said}\n"


def test_who_was_asked_in_is_listed_as_that(qd: Command, server: ContractServer) -> None:
    row = {"userId": "u1", "username": "bob", "email": None, "active": False, "roles": ["tasks:developer"]}
    server.outside["GET", GRANTS] = {"items": [{**row, "invited": True}, {**row, "username": "eve", "invited": False}]}
    lines = qd("grant", "ls").out.splitlines()
    assert "tasks:developer   (invited, has not come yet)" in lines[1]
    assert lines[2].endswith("tasks:developer")


def test_a_changed_role_says_what_came_and_what_went(qd: Command, server: ContractServer) -> None:
    server.outside["GET", ROLES] = {"items": [RELEASE]}
    kept = ["deploy:deployments.create", "deploy:deployments.rollback"]
    server.outside["PATCH", f"{ROLES}/r1"] = {**RELEASE, "permissions": kept}
    words = [word for key in kept for word in ("--permission", key)]
    assert qd("role", "change", "release", *words).out.splitlines() == [
        "Changed the role release.",
        "  + deploy:deployments.rollback",
        "  - deploy:deployments.cancel",
    ]


def test_nothing_is_lost_before_it_is_confirmed(qd: Command, server: ContractServer) -> None:
    server.outside["GET", ROLES] = {"items": [RELEASE]}
    asked = qd("role", "rm", "release")
    assert asked.code == 2
    assert "This deletes the role release with its 2 permissions." in asked.err
