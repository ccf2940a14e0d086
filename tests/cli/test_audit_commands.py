"""`qd audit`: lists, exports that turn their own pages, holds, pruning."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer
from quarterdeck.cli.commands import auditing

Command = Callable[..., Result]
HOLD = {
    "holdId": "ahl_a", "status": "active", "scope": {"kind": "aggregate", "aggregateId": "prj_a"}, "reason": "why",
    "createdAt": NOW, "requestedBy": "ada",
}  # fmt: skip


def event(number: int, second: int) -> dict[str, Any]:
    return {
        "auditEventId": f"aud_{number}",
        "aggregateId": "prj_a",
        "eventType": "project.created",
        "createdAt": f"2026-05-01T00:00:{second:02}.000Z",
        "payload": {"actor": "=ada", "outcome": "success", "detail.name": "Shop"},
        "redactedFields": [],
    }


@pytest.fixture
def trail(server: ContractServer) -> list[dict[str, Any]]:
    """Seven events, three of them in one second; the server gives those before `to`, newest first."""
    events = [event(number, second) for number, second in enumerate((9, 8, 7, 7, 7, 6, 5))]

    def answer(_parameters: Any, query: dict[str, Any], _body: Any) -> dict[str, Any]:
        limit = int(query["limit"])
        meant = [one for one in events if query["from"] <= one["createdAt"] < query["to"]]
        return {
            "schemaVersion": "audit-events.export-global/v1", "filters": {"from": NOW, "to": NOW, "limit": limit},
            "items": meant[:limit], "itemCount": min(limit, len(meant)), "truncated": len(meant) > limit,
            "generatedAt": NOW,
        }  # fmt: skip

    server.answers["audit-events.export-global"] = answer
    return events


def test_a_list_is_newest_first_and_says_that_there_is_more(qd: Command, trail: Any, server: ContractServer) -> None:
    result = qd("audit", "list", "--since", "2026-01-01T00:00:00Z", "--limit", "2")
    assert result.code == 0, result.err
    assert [line.split()[-1] for line in result.out.splitlines()] == ["EVENT", "aud_0", "aud_1"]
    assert "older ones" in result.err
    assert qd("audit", "list", "--since", "2026-01-01T00:00:00Z", "-o", "name").out.splitlines()[0] == "aud_0"


def test_a_list_of_nothing_says_so(qd: Command, server: ContractServer) -> None:
    server.answers["audit-events.export-global"] = {
        "schemaVersion": "audit-events.export-global/v1", "filters": {"from": NOW, "to": NOW, "limit": 20},
        "items": [], "itemCount": 0, "truncated": False, "generatedAt": NOW,
    }  # fmt: skip
    assert "There are no events of the action nonsense since 30d." in qd("audit", "list", "--action", "nonsense").err


@pytest.mark.parametrize("page", [4, 5, 500])
def test_an_export_gives_every_event_once_over_its_pages(
    page: int, qd: Command, trail: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "PAGE", page)
    result = qd("audit", "export", "--since", "2026-01-01T00:00:00Z")
    assert result.code == 0, result.err
    assert [json.loads(line)["auditEventId"] for line in result.out.splitlines()] == [f"aud_{n}" for n in range(7)]
    assert "Exported 7 events." in result.err


def test_an_export_that_cannot_go_on_says_so(qd: Command, trail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "PAGE", 2)
    result = qd("audit", "export", "--since", "2026-01-01T00:00:00Z")
    assert result.code == 1
    assert "in one millisecond" in result.err


def test_a_table_is_written_to_a_file_of_ones_own_that_is_not_there_yet(
    qd: Command, trail: Any, tmp_path: Path
) -> None:
    file = tmp_path / "audit.csv"
    words = ("audit", "export", "--since", "2026-01-01T00:00:00Z", "--form", "csv", "--to", str(file))
    assert qd(*words).code == 0
    rows = list(csv.reader(file.read_text().splitlines()))
    assert (rows[0][0], len(rows)) == ("auditEventId", 8)
    assert rows[1][2] == "'=ada"
    assert file.stat().st_mode & 0o777 == 0o600
    again = qd(*words)
    assert again.code == 1
    assert "is there already" in again.err


def test_an_event_is_shown_with_what_was_written_down(qd: Command, server: ContractServer) -> None:
    server.answers["audit-events.show"] = lambda *_: {"schemaVersion": "audit-events.show/v1", "event": event(1, 2)}
    result = qd("audit", "show", "aud_1", "--of", "prj_a")
    assert "detail.name              Shop" in result.out, result.err
    assert qd("audit", "show", "aud_1").code == 2


def test_holds_are_placed_listed_and_released(qd: Command, server: ContractServer) -> None:
    made = {"schemaVersion": "audit-events.legal-holds.hold/v1", "hold": HOLD}
    server.answers["audit-events.legal-holds.configure"] = lambda *_: made
    server.answers["audit-events.legal-holds.release"] = lambda *_: made
    server.answers["audit-events.legal-holds.list"] = lambda *_: {
        "schemaVersion": "audit-events.legal-holds.list/v1", "items": [HOLD], "generatedAt": NOW,
    }  # fmt: skip
    server.answers["audit-events.export-global"] = lambda *_: {
        "schemaVersion": "audit-events.export-global/v1", "filters": {"from": NOW, "to": NOW, "limit": 1},
        "items": [event(1, 2)], "itemCount": 1, "truncated": False, "generatedAt": NOW,
    }  # fmt: skip
    result = qd("audit", "hold", "--of", "prj_a", "--reason", "why")
    assert result.out == "Held: ahl_a. To end it: qd audit release ahl_a --reason …\n", result.err
    assert "prj_a" in qd("audit", "holds", "--status", "active").out
    assert qd("audit", "release", "ahl_a", "--reason", "over").out == "Released ahl_a.\n"
    assert server.called("audit-events.legal-holds.release") == [{"releaseReason": "over"}]


def test_a_pruning_looks_unless_it_is_meant(qd: Command, server: ContractServer) -> None:
    def answer(_parameters: Any, _query: Any, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "schemaVersion": "audit-events.prune/v1", "before": body["before"], "dryRun": body["dryRun"],
            "matchedCount": 3, "prunedCount": 0 if body["dryRun"] else 2, "heldCount": 1, "archiveRetainedCount": 0,
            "countsByEventType": {"project.created": 2}, "heldCountsByEventType": {"project.created": 1},
            "archiveRetainedCountsByEventType": {}, "activeHoldIds": ["ahl_a"], "activeArchiveIds": [],
            "prunedAt": NOW,
        }  # fmt: skip

    server.answers["audit-events.prune"] = answer
    looked = qd("audit", "prune", "--before", "730d")
    assert looked.out == "Would delete 2 (1 held, 0 kept by archives). Add --yes to delete.\n", looked.err
    assert qd("audit", "prune", "--before", "730d", "--yes").out == "Deleted 2 (1 held, 0 kept by archives).\n"
    assert [body["dryRun"] for body in server.called("audit-events.prune")] == [True, False]
