"""Which workers may dial in, decided on the machine itself."""

from __future__ import annotations

import pytest

from backups.house import House
from maintenance.commands import addressed, typed
from quarterdeck.fleet.workers import enrolment
from quarterdeck.kernel import audit


@pytest.fixture
def at(house: House):
    def run(*arguments: str):
        variables = addressed(house.directory, house.url)
        return typed("enrol", *arguments, "--data-dir", str(house.directory), **variables)

    return run


def actions(instance) -> list[str]:
    return instance.db.read_sync(
        lambda tx: [row[0] for row in tx.execute("SELECT action FROM audit_events ORDER BY id")]
    )


def test_a_revoked_worker_is_known_as_such_and_its_revocation_is_audited_once(house: House, at):
    _, kept = at("keeps", "--capability", "deploy")
    status, gone = at("goes", "--capability", "deploy")
    assert status == 0
    status, told = at("--revoke", gone["workerId"])
    assert (status, told) == (0, {"workerId": gone["workerId"], "name": "goes", "revoked": True})
    assert at("--revoke", gone["workerId"])[0] == 0
    status, listed = at("--list")
    assert status == 0
    shown = {one["name"]: one for one in listed["items"]}
    assert shown["goes"]["revokedAt"]
    assert (shown["keeps"]["workerId"], shown["keeps"]["revokedAt"]) == (kept["workerId"], None)
    with house.opened() as instance:
        worker = instance.db.read_sync(enrolment.authenticate, gone["token"])
        assert worker.revoked_at is not None
        assert actions(instance).count("worker.revoked") == 1
        assert instance.db.read_sync(audit.verify).ok


def test_what_is_not_there_and_what_is_not_asked_for_is_refused(house: House, at):
    status, told = at("--revoke", "nobody")
    assert status != 0
    assert "worker_not_found" in str(told)
    for words in ((), ("one", "--list"), ("--list", "--revoke", "x")):
        assert at(*words)[0] == 2, words
