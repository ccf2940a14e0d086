"""`qd work`: the ledger on the command line."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer, Refusal
from cli.installation import Installation, succeeding
from quarterdeck.cli import following

Command = Callable[..., Result]
ID = "wrk_hcsgi8d7te2b"


def item(status: str, actions: list[str], **told: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "kind": "deployment",
        "status": status,
        "operationKey": "deployments.create",
        "deploymentId": "dep_000000000001",
        "updatedAt": NOW,
        "nextActions": actions,
        "safeDetails": {"title": "Deploy", "attempts": 1, "maxAttempts": 1, "createdAt": NOW, **told},
    }


WAITS = item(
    "pending",
    ["diagnostic"],
    waitingReason="worker-missing",
    waitingMessage="No worker that offers deploy is connected.",
    waitingHint="Start the server without --no-worker.",
)
FAILED = {
    **item("failed", ["diagnostic", "retry", "manual-review"], message="The disk is full.\nMake room."),
    "phase": "package",
    "step": "3/5",
    "errorCode": "disk_full",
}


@pytest.fixture
def ledger(server: ContractServer) -> ContractServer:
    server.answers["operator-work.list"] = {
        "schemaVersion": "operator-work.list/v1",
        "items": [WAITS, FAILED],
        "generatedAt": NOW,
    }
    server.answers["operator-work.show"] = {
        "schemaVersion": "operator-work.show/v1",
        "item": FAILED,
        "generatedAt": NOW,
    }
    return server


def test_the_list_says_why_work_waits_and_why_it_failed(qd: Command, ledger: ContractServer) -> None:
    result = qd("work", "ls")
    lines = result.out.splitlines()
    assert lines[0].split() == ["WORK", "STATE", "WHAT", "ABOUT", "CHANGED", "WHY"]
    assert lines[1].startswith(f"{ID}  ◌ pending  Deploy  dep_000000000001")
    assert lines[1].endswith("No worker that offers deploy is connected.")
    assert lines[2].endswith("The disk is full.")
    assert qd("work", "ls", "-o", "name").out == f"{ID}\n{ID}\n"
    assert json.loads(qd("work", "ls", "-o", "json").out)["items"] == [WAITS, FAILED]


def test_the_list_is_narrowed_by_names(qd: Command, ledger: ContractServer, installation: Installation) -> None:
    resource = installation.exists("storefront/production/shop")
    asked: list[dict[str, str]] = []

    def listed(_parameters: Any, query: dict[str, str], _body: Any) -> dict[str, Any]:
        asked.append(query)
        return {"schemaVersion": "operator-work.list/v1", "items": [], "generatedAt": NOW}

    ledger.answers["operator-work.list"] = listed
    assert qd("work", "ls", "--resource", "shop", "--status", "failed", "--kind", "deployment").code == 0
    assert asked == [{"resourceId": resource, "status": "failed", "kind": "deployment", "limit": "20"}]
    assert qd("work", "ls", "--status", "asleep").code == 2


def test_one_piece_of_work_is_shown_with_what_can_be_done(qd: Command, ledger: ContractServer) -> None:
    out = qd("work", "show", ID).out
    for words in ("✗ failed", "package 3/5", "disk_full", "Make room.", f"qd work retry {ID}", f"qd work recover {ID}"):
        assert words in out
    ledger.answers["operator-work.show"] = {
        "schemaVersion": "operator-work.show/v1",
        "item": WAITS,
        "generatedAt": NOW,
    }
    out = qd("work", "show", ID).out
    assert "No worker that offers deploy is connected." in out
    assert "Try: Start the server without --no-worker." in out
    assert "retry" not in out


def test_work_is_found_by_the_words_of_console_and_api(qd: Command) -> None:
    for word in ("job", "operator-work"):
        result = qd(word)
        assert (result.code, "Try:   qd work" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "key", "answer", "says"),
    [
        (
            ["retry"],
            "operator-work.retry",
            {"workId": "wrk_g7recsqtfnqz", "status": "pending", "retryOfWorkId": ID, "retriedAt": NOW},
            f"{ID} is done once more, as wrk_g7recsqtfnqz. See how it goes: qd work show wrk_g7recsqtfnqz",
        ),
        (
            ["recover", "--reason", "by hand"],
            "operator-work.mark-recovered",
            {"workId": ID, "status": "succeeded", "recoveredAt": NOW},
            f"Marked as recovered: {ID}.",
        ),
        (
            ["dead-letter", "--reason", "by hand"],
            "operator-work.dead-letter",
            {"workId": ID, "status": "dead-lettered", "deadLetteredAt": NOW},
            f"Given up: {ID}.",
        ),
        (
            ["cancel", "--reason", "by hand"],
            "operator-work.cancel",
            {"workId": ID, "status": "canceled", "canceledAt": NOW},
            f"Canceled: {ID}.",
        ),
    ],
)
def test_an_act_is_sent_with_its_reason_and_told(
    qd: Command, ledger: ContractServer, words: list[str], key: str, answer: dict[str, str], says: str
) -> None:
    ledger.answers[key] = answer
    planned = qd("work", words[0], ID, *words[1:], "--plan")
    assert key in planned.out
    assert ledger.changes == []
    assert qd("work", words[0], ID, *words[1:]).out == f"{says}\n"
    assert ledger.called(key) == [{"reason": "by hand"} if len(words) > 1 else {}]


def test_what_cannot_be_done_ends_with_six_and_its_reason(qd: Command, ledger: ContractServer) -> None:
    ledger.answers["operator-work.retry"] = Refusal(409, "operator_work_retry_not_allowed", "It runs.")
    result = qd("work", "retry", ID)
    assert (result.code, "It runs." in result.err) == (6, True)
    assert qd("work", "cancel", ID).code == 2


def test_prune_looks_unless_it_is_told_yes(qd: Command, ledger: ContractServer) -> None:
    def pruned(_parameters: Any, _query: Any, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "prunedCount": 0 if body["dryRun"] else 3,
            "matchedCount": 3,
            "dryRun": body["dryRun"],
            "before": body["before"],
            "statuses": ["succeeded", "failed"],
            "countsByStatus": {"succeeded": 2, "failed": 1},
            "prunedAt": NOW,
        }

    ledger.answers["operator-work.prune"] = pruned
    assert qd("work", "prune", "--before", "30d").out.startswith("Would delete 3 (2 succeeded, 1 failed).")
    assert qd("work", "prune", "--before", "2026-01-01", "--yes").out == "Deleted 3 (2 succeeded, 1 failed).\n"
    first, second = ledger.called("operator-work.prune")
    assert (first["dryRun"], second["dryRun"], second["before"]) == (True, False, "2026-01-01T00:00:00.000Z")
    assert qd("work", "prune", "--before", "soon").code == 2


@pytest.mark.parametrize("words", [("redeploy", "shop"), ("attach", "shop")])
def test_a_deployment_that_nobody_takes_says_why_it_waits(
    qd: Command, ledger: ContractServer, installation: Installation, monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:  # fmt: skip
    installation.deployed(installation.exists("storefront/production/shop"))
    monkeypatch.setattr(following, "WAITING_PAUSE", 0.02)
    asked = threading.Event()
    answer = ledger.answers["operator-work.list"]

    def answered(*_: Any) -> Any:
        asked.set()
        return answer

    ledger.answers["operator-work.list"] = answered

    def idle() -> Iterator[str]:
        yield ": open\n\n"
        assert asked.wait(10)
        yield from succeeding()[1:]

    ledger.streams = [idle()]
    result = qd(*words)
    assert result.code == 0, result.err
    why = "It waits. No worker that offers deploy is connected. Start the server without --no-worker."
    assert result.err.count(why) == 1
