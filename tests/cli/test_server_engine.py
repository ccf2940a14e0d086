"""`qd server engine`: what is shown before anything is asked, and what is sent once somebody has agreed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer
from cli.installation import Installation

Command = Callable[..., Result]
SERVER = "srv_000000000001"
PATH = f"/api/servers/{SERVER}/engine"
STEPS = [
    {"title": "Renew the lists of packages", "argv": ["sudo", "-n", "apt-get", "update"]},
    {"title": "Install docker.io", "argv": ["sudo", "-n", "apt-get", "install", "-y", "docker.io"]},
]
UNDECIDED = {"use": "undecided", "decidedAt": None, "reason": None}
ABSENT = {
    "serverId": SERVER, "state": "absent", "version": None, "origin": None, "system": "Debian 12", "account": "ada",
    "trouble": "There is no Docker engine.", "decision": UNDECIDED, "workId": None,
    "plan": {"id": "4711", "steps": STEPS, "refusal": None},
}  # fmt: skip
READY = {
    **ABSENT, "state": "ready", "version": "24.0.7", "origin": "found", "trouble": None,
    "plan": {"id": "0815", "steps": [], "refusal": None},
}  # fmt: skip
SAID = "Setting up docker.io \x1b[31m(24)"
REFUSAL = {"code": "sudo_unavailable", "message": "ada cannot become root there.", "hint": "As root there: …"}


class Engine:
    """What the routes of the engine answer, and what was asked of them."""

    def __init__(self, server: ContractServer) -> None:
        self.seen: dict[str, Any] = ABSENT
        self.asked: list[Any] = []
        self.state = "succeeded"
        server.outside["GET", PATH] = lambda *_: self.seen
        server.outside["POST", PATH] = self.decide
        server.outside["GET", f"{PATH}/work"] = self.work

    def decide(self, *given: Any) -> dict[str, Any]:
        self.asked.append(given[-1])
        use, work = ("refused", None) if given[-1]["decision"] == "refuse" else ("adopted", None)
        if self.seen["plan"]["steps"]:
            use, work = "undecided", "wrk_000000000001"
        return {"serverId": SERVER, "decision": {**UNDECIDED, "use": use}, "workId": work}

    def work(self, _parameters: Any, query: dict[str, Any], _body: Any) -> dict[str, Any]:
        done, line = self.state == "succeeded", {"number": 1, "time": NOW, "level": "info", "message": SAID}
        if done:
            self.seen = {**READY, "origin": "installed", "decision": {**UNDECIDED, "use": "installed"}}
        return {
            "serverId": SERVER, "workId": "wrk_000000000001", "state": self.state, "ended": True,
            "errorCode": None if done else "engine_install_failed", "errorMessage": None if done else "No room.",
            "decision": UNDECIDED, "lines": [line] if int(query["after"]) == 0 else [], "next": 1,
        }  # fmt: skip


@pytest.fixture
def engine(fleet: Installation, server: ContractServer) -> Engine:
    return Engine(server)


@pytest.fixture
def fleet(installation: Installation) -> Installation:
    installation.servers.append(ROW)
    return installation


ROW = {
    "id": SERVER, "name": "berlin", "host": "203.0.113.10", "port": 22, "providerKey": "generic-ssh",
    "targetKind": "single-server", "lifecycleStatus": "active", "createdAt": NOW,
    "edgeProxy": {"kind": "caddy", "status": "pending"},
}  # fmt: skip


def test_the_plan_shows_every_command_and_sends_nothing(qd: Command, engine: Engine) -> None:
    planned = qd("server", "engine", "berlin", "--plan")
    assert (planned.code, engine.asked) == (0, [])
    assert "sudo -n apt-get install -y docker.io" in planned.out + planned.err
    told = json.loads(qd("server", "engine", "berlin", "--plan", "-o", "json").out)
    (sent,) = told["plan"]
    assert (sent["body"], sent["steps"]) == ({"decision": "use", "consent": True, "planId": "4711"}, STEPS)
    assert engine.asked == []


def test_nothing_is_done_without_an_answer_and_with_yes_the_work_is_followed(qd: Command, engine: Engine) -> None:
    silent = qd("server", "engine", "berlin")
    assert (silent.code, engine.asked) == (2, [])
    assert "Run these 2 commands on berlin?" in silent.err
    done = qd("server", "engine", "berlin", "--yes")
    assert done.code == 0, done.err
    assert engine.asked == [{"decision": "use", "consent": True, "planId": "4711"}]
    assert "Setting up docker.io (24)" in done.err
    assert "\x1b" not in done.err
    assert "berlin uses Docker 24.0.7 (installed by Quarterdeck)" in done.out


def test_work_that_fails_and_a_plan_that_cannot_be_made_end_with_1_and_the_reason(qd: Command, engine: Engine) -> None:
    engine.state = "failed"
    failed = qd("server", "engine", "berlin", "--yes")
    assert (failed.code, "No room." in failed.err) == (1, True)
    engine.asked.clear()
    engine.seen = {**ABSENT, "plan": {"id": "0", "steps": [], "refusal": REFUSAL}}
    refused = qd("server", "engine", "berlin", "--yes", "-o", "json")
    assert (refused.code, json.loads(refused.out)["error"]["code"]) == (1, "sudo_unavailable")
    assert engine.asked == []


def test_one_that_is_there_is_used_after_a_question_and_refused_with_a_reason(qd: Command, engine: Engine) -> None:
    engine.seen = READY
    assert qd("server", "engine", "berlin").code == 2
    assert qd("server", "engine", "berlin", "--yes").code == 0
    assert engine.asked == [{"decision": "use", "consent": True, "planId": "0815"}]
    # What is decided is not asked again.
    engine.seen = {**READY, "decision": {**UNDECIDED, "use": "adopted"}}
    again = qd("server", "engine", "berlin")
    assert (again.code, len(engine.asked)) == (0, 1)
    assert "berlin uses Docker 24.0.7 (found there)" in again.out
    assert qd("server", "engine", "berlin", "--refuse").code == 2
    assert qd("server", "engine", "berlin", "--reason", "x").code == 2
    assert qd("server", "engine", "berlin", "--refuse", "--reason", "not ours", "--yes").code == 0
    assert engine.asked[1:] == [{"decision": "refuse", "reason": "not ours"}]
