"""`qd state`: seeing, comparing, going back, freeing, pushing and pulling."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.infra.infra_api import STATE, InfraApi, Row

Command = Callable[..., Result]
LOCK = {
    "id": "77", "who": "runner@fra-1", "operation": "OperationTypeApply", "info": None, "version": None,
    "created": None, "job_id": None, "locked_at": None,
}  # fmt: skip


@pytest.fixture
def ledger(infra: InfraApi) -> Row:
    row = infra.add_spec("ledger")
    infra.add_state(row, 7, 8, 9)
    return row


def test_a_state_is_shown_with_its_lock(qd: Command, infra: InfraApi, ledger: Row) -> None:
    out = qd("state", "show", "ledger").out
    assert "version 3" in out
    assert "serial     9" in out
    assert "nobody holds it" in out
    infra.states[ledger["id"]]["lock"] = LOCK
    assert "runner@fra-1 for OperationTypeApply (id 77)" in qd("state", "show", "--spec-id", "ledger").out
    infra.add_spec("fresh")
    assert "has no state yet" in qd("state", "show", "fresh").out
    assert json.loads(qd("state", "show", "fresh", "--json").out) == {"state": None}


def test_versions_are_listed_newest_first_and_compared(qd: Command, infra: InfraApi, ledger: Row) -> None:
    lines = qd("state", "versions", "ledger").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["VERSION", "SERIAL"], ["3", "9"], ["2", "8"], ["1", "7"]]
    told = ["+ terraform_data.project", "~ terraform_data.node[0]"]
    assert qd("state", "diff", "ledger").out.splitlines() == [*told, "    size", "    password  (sensitive)"]
    assert "    size  1 → 2\n" in qd("state", "diff", "ledger", "1", "3", "--values").out
    assert "There is one version, 1." in qd("state", "diff", "ledger", "--to", "1").err
    assert infra.queries("state_diff") == [{}, {"from": "1", "to": "3", "values": "true"}, {"to": "1"}]
    infra.add_spec("fresh")
    failed(qd("state", "diff", "fresh"), 5, "Nothing was written yet.", "qd state versions")
    assert "has no state yet" in qd("state", "versions", "fresh").err


def test_going_back_asks_for_the_name_and_a_reason(qd: Command, infra: InfraApi, ledger: Row) -> None:
    failed(qd("state", "rollback", "ledger", "--reason", "x"), 2, "Say which version.")
    failed(qd("state", "rollback", "ledger", "2"), 2, "Say why")
    failed(qd("state", "rollback", "ledger", "2", "--reason", "x", "--no-input"), 2, "version 2", "--confirm ledger")
    failed(qd("state", "rollback", "--version", "2", "--reason", "x"), 2, "Say which spec: ledger.")
    failed(qd("state", "rollback", "ledger", "2", "--version", "3", "--reason", "x"), 2, "Say which version.")
    assert infra.changes() == []
    for words in (("ledger", "2", "--yes"), ("--spec-id", "ledger", "--version", "2", "--confirm", "ledger")):
        assert qd("state", "rollback", *words, "--reason", "broken").code == 0
    assert infra.bodies("rollback") == [{"version": 2, "reason": "broken"}] * 2


def test_a_lock_is_taken_from_its_holder_only_on_purpose(qd: Command, infra: InfraApi, ledger: Row) -> None:
    failed(qd("state", "unlock", "ledger", "--reason", "x", "--yes"), 6, "Nobody holds the lock of ledger.")
    infra.states[ledger["id"]]["lock"] = LOCK
    failed(qd("state", "unlock", "ledger", "--yes"), 2, "Say why")
    failed(qd("state", "unlock", "ledger", "--reason", "gone"), 2, "runner@fra-1", "--confirm ledger")
    assert infra.changes() == []
    unlock = ("state", "unlock", "ledger", "--reason", "gone", "--confirm", "ledger")
    failed(qd(*unlock, "--lock-id", "76"), 6, "The lock of ledger is 77 now, not 76.")
    assert qd(*unlock, "--lock-id", "77").code == 0
    assert infra.bodies("unlock") == [{"reason": "gone", "lock_id": "77"}]


def test_a_state_is_pushed_as_it_is_written(
    qd: Command, infra: InfraApi, ledger: Row, written: Callable[[str, str], str]
) -> None:
    file = written("x.tfstate", json.dumps(STATE))
    why = ("--reason", "moved")
    failed(qd("state", "push", file, "ledger", "--yes"), 2, "Say why")
    failed(qd("state", "push", file, "ledger", *why), 2, "becomes the state of ledger", "--confirm ledger")
    planned = qd("state", "push", file, "ledger", *why, "--plan")
    assert (planned.code, "/state/push" in planned.out, infra.changes()) == (0, True, [])
    assert qd("state", "push", file, "ledger", *why, "--confirm", "ledger").code == 0
    assert qd("state", "push", "-", "--spec-id", "ledger", *why, "--yes", stdin=json.dumps(STATE)).code == 0
    assert infra.bodies("push") == [{"reason": "moved", "state": STATE}] * 2
    for text in ("{}", "[]", "no json", '{"version": 4}'):
        failed(qd("state", "push", written("bad", text), "ledger", *why, "--yes"), 2, "is no state of Terraform")
    failed(qd("state", "push", "--yes"), 2, "Say which file.")
    failed(qd("state", "push", "/nofile", "ledger", *why, "--yes"), 2, "/nofile cannot be read")


def test_a_state_is_pulled_into_a_file_and_not_onto_a_terminal(
    qd: Command, infra: InfraApi, ledger: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert json.loads(qd("state", "pull", "ledger").out)["serial"] == 9
    assert json.loads(qd("state", "pull", "ledger", "2").out)["serial"] == 8
    assert json.loads(qd("state", "pull", "--spec-id", "ledger", "--version", "1").out)["serial"] == 7
    failed(qd("state", "pull", "ledger", "9"), 5, "State version not found", "qd state versions")
    infra.add_spec("fresh")
    failed(qd("state", "pull", "fresh"), 5, "State version not found")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    calls = len(infra.calls)
    failed(qd("state", "pull", "ledger"), 2, "may hold secrets", "--reveal")
    assert len(infra.calls) == calls
    assert qd("state", "pull", "ledger", "--reveal").code == 0


def test_going_back_names_what_is_forgotten(
    qd: Command, infra: InfraApi, ledger: Row, attended: Callable[..., list[str]]
) -> None:
    def changes(*told: tuple[str, str]) -> list[Row]:
        return [{"address": address, "action": action, "attributes": []} for action, address in told]

    infra.state_changes = changes(("delete", "aws_subnet.c"), ("delete", "aws_subnet.d"), ("update", "aws_vpc.main"))
    attended("no")
    result = qd("state", "rollback", "ledger", "2", "--reason", "x")
    assert result.code == 2
    assert "2 resources forgotten, not removed: aws_subnet.c, aws_subnet.d." in result.err
    assert "1 resource as it was then: aws_vpc.main." in result.err
    assert infra.queries("state_diff") == [{"from": "3", "to": "2"}]
    assert infra.changes() == []
    infra.state_changes = []
    failed(qd("state", "rollback", "ledger", "2", "--reason", "x", "--no-input"), 2, "It says the same as now.")
