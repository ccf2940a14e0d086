"""Which machines may become workers, decided on the server's machine itself."""

from __future__ import annotations

import pytest

from backups.house import House
from maintenance.commands import addressed, typed
from quarterdeck.fleet.workers import registration
from quarterdeck.fleet.workers.registration import Registration
from quarterdeck.kernel import audit
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.vault import Secret


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


def registered(instance, token: str, name: str):
    said = Registration(Secret(token), name=name)
    return instance.db.write_sync(registration.register, instance.worker_tokens, said)


def test_a_token_is_printed_once_and_enrols_one_machine_that_can_be_sent_away(house: House, at):
    _, kept = at("keeps", "--capability", "deploy,tasks")
    status, gone = at("goes", "--expires", "24")
    assert status == 0
    assert (kept["label"], kept["capabilities"]) == ("keeps", ["deploy", "tasks"])
    status, listed = at("--list")
    assert [(one["label"], bool(one["expiresAt"])) for one in listed["items"]] == [("keeps", False), ("goes", True)]
    assert gone["token"] not in str(listed)
    with house.opened() as instance:
        worker = registered(instance, gone["token"], "rack-1").worker
    status, told = at("--revoke", worker.uid)
    assert (status, told) == (0, {"workerId": worker.uid, "name": "rack-1", "revoked": True})
    assert at("--revoke", worker.uid)[0] == 0
    status, told = at("--revoke", str(kept["tokenId"]))
    assert (status, told) == (0, {"tokenId": kept["tokenId"], "label": "keeps", "revoked": True})
    status, listed = at("--list")
    assert [(one["name"], bool(one["revokedAt"])) for one in listed["items"]] == [("rack-1", True)]
    with house.opened() as instance:
        with pytest.raises(Unauthenticated):
            registered(instance, kept["token"], "rack-2")
        said = actions(instance)
        assert [said.count(word) for word in ("worker.revoked", "worker.enrolled", "worker-token.revoked")] == [1, 1, 1]
        assert instance.db.read_sync(audit.verify).ok


def test_what_is_not_there_and_what_is_not_asked_for_is_refused(house: House, at):
    status, told = at("--revoke", "nobody")
    assert status != 0
    assert "worker_not_found" in str(told)
    for words in ((), ("one", "--list"), ("--list", "--revoke", "x")):
        assert at(*words)[0] == 2, words
