"""`qd audit archive`, `qd audit hold` of nothing, `qd retention`, and where `quarterdeck backup` puts its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer
from cli.test_audit_commands import HOLD, event
from quarterdeck.cli.commands.backup import _place
from quarterdeck.cli.failure import Failure

Command = Callable[..., Result]
ARCHIVE = {
    "archiveId": "aar_a", "archiveSchemaVersion": "audit-events.archive/v1",
    "source": {"kind": "aggregate", "aggregateId": "prj_a"}, "reason": "why", "itemCount": 1, "truncated": False,
    "contentDigest": "sha256:ab", "retainSourceRows": False, "createdAt": NOW,
}  # fmt: skip
POLICY = {
    "schemaVersion": "retention-defaults.policy/v1", "id": "rtd_a", "scope": "organization", "category": "audit-rows",
    "retentionDays": 3650, "dryRunSchedulingEnabled": True, "destructiveSchedulingEnabled": False, "enabled": True,
    "updatedAt": NOW,
}  # fmt: skip


def window(*items: dict[str, Any]) -> dict[str, Any]:
    return {
        "schemaVersion": "audit-events.export-global/v1", "filters": {"from": NOW, "to": NOW, "limit": 1},
        "items": list(items), "itemCount": len(items), "truncated": False, "generatedAt": NOW,
    }  # fmt: skip


def test_a_hold_that_matches_nothing_says_so(qd: Command, server: ContractServer) -> None:
    made = {"schemaVersion": "audit-events.legal-holds.hold/v1", "hold": HOLD}
    server.answers["audit-events.legal-holds.configure"] = lambda *_: made
    server.answers["audit-events.export-global"] = lambda *_: window()
    result = qd("audit", "hold", "--of", "prj_typo", "--reason", "why")
    assert (result.code, "No event matches it so far" in result.err) == (0, True)
    server.answers["audit-events.export-global"] = lambda *_: window(event(1, 2))
    assert "No event" not in qd("audit", "hold", "--of", "prj_a", "--reason", "why").err
    unsaid = qd("audit", "hold", "--reason", "why")
    assert (unsaid.code, "Say what is to be held: --of, or --since" in unsaid.err) == (2, True)


def test_archives_are_made_listed_shown_and_pruned(qd: Command, server: ContractServer) -> None:
    made = {"schemaVersion": "audit-events.archives.archive/v1", "archive": ARCHIVE}
    server.answers["audit-events.archives.create"] = lambda *_: made
    server.answers["audit-events.archives.list"] = lambda *_: {
        "schemaVersion": "audit-events.archives.list/v1", "items": [ARCHIVE], "generatedAt": NOW,
    }  # fmt: skip
    server.answers["audit-events.archives.show"] = lambda *_: {
        "schemaVersion": "audit-events.archives.show/v1", "archive": {**ARCHIVE, "items": [event(1, 2)]},
        "generatedAt": NOW,
    }  # fmt: skip
    result = qd("audit", "archive", "make", "--of", "prj_a", "--reason", "why", "--keep-events")
    assert result.out == "aar_a: 1 event, sha256:ab\n", result.err
    asked = {"reason": "why", "aggregateId": "prj_a", "limit": 500, "retainSourceRows": True}
    assert server.called("audit-events.archives.create") == [asked]
    assert qd("audit", "archive", "make", "--reason", "why", "--since", "30d").code == 2
    assert qd("audit", "archive", "ls").out.splitlines()[1].split()[:4] == ["aar_a", "1", "event", "prj_a"]
    assert '"auditEventId": "aud_1"' in qd("audit", "archive", "show", "aar_a").out

    def pruned(_parameters: Any, _query: Any, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "schemaVersion": "audit-events.archives.prune/v1", "before": body["before"], "dryRun": body["dryRun"],
            "matchedCount": 1, "prunedCount": 0 if body["dryRun"] else 1, "countsBySourceKind": {},
            "countsByEventType": {}, "prunedAt": NOW,
        }  # fmt: skip

    server.answers["audit-events.archives.prune"] = pruned
    assert qd("audit", "archive", "prune", "--before", "9d").out == "Would delete 1. Add --yes to delete.\n"
    assert qd("audit", "archive", "prune", "--before", "9d", "--yes").out == "Deleted 1.\n"


def test_retention_is_listed_shown_and_set(qd: Command, server: ContractServer) -> None:
    items: list[dict[str, Any]] = []
    server.answers["retention-defaults.list"] = lambda *_: {
        "schemaVersion": "retention-defaults.list/v1",
        "items": items,
        "ownChoice": [
            {"category": "audit-rows", "retentionDays": 730},
            {"category": "deployment-logs", "retentionDays": None},
        ],
    }
    server.answers["retention-defaults.show"] = lambda *_: {
        "schemaVersion": "retention-defaults.show/v1", "policy": items[0] if items else None,
    }  # fmt: skip
    server.answers["retention-defaults.configure"] = lambda *_: {"id": "rtd_a"}
    by_itself = qd("retention", "ls")
    assert "Nobody has set one" in by_itself.err
    assert [" ".join(line.split()) for line in by_itself.out.splitlines()[1:]] == [
        "audit-rows what nobody set 730 days removes what is older never",
        "deployment-logs what nobody set for ever keeps never",
    ]
    assert qd("retention", "show", "audit-rows").out == "audit-rows: nothing is set for your organization.\n"
    result = qd("retention", "set", "audit-rows", "--days", "3650")
    assert result.out == "audit-rows: 3650 days, counts what is older.\n", result.err
    removing = qd("retention", "set", "deployment-logs", "--days", "90", "--remove", "--everywhere")
    assert removing.out == "deployment-logs: 90 days, removes what is older.\n"
    assert server.called("retention-defaults.configure") == [
        {
            "scope": "organization", "category": "audit-rows", "retentionDays": 3650,
            "destructiveSchedulingEnabled": False, "enabled": True,
        },
        {
            "scope": "system", "category": "deployment-logs", "retentionDays": 90,
            "destructiveSchedulingEnabled": True, "enabled": True,
        },
    ]  # fmt: skip
    items.append(POLICY)
    lines = qd("retention", "ls").out.splitlines()
    assert lines[1].split()[:4] == ["audit-rows", "organization", "3650", "days"]
    assert [line.split()[0] for line in lines[1:]] == ["audit-rows", "deployment-logs"], "what is set goes before"
    assert qd("retention", "show", "audit-rows").out == "audit-rows: 3650 days, counts what is older.\n"
    assert qd("retention", "set", "audit-rows", "--days", "0").code == 2
    assert qd("retention", "set", "everything", "--days", "1").code == 2


def test_retention_is_carried_out_now_only_when_told(qd: Command, server: ContractServer) -> None:
    asked: list[Any] = []

    def run(*given: Any) -> dict[str, Any]:
        body = given[-1]
        asked.append(body)
        dry = body["dryRun"]
        done = {"removes": 3 if dry else None, "onlyCounts": 40 if dry else None, "workId": None if dry else "wrk_a"}
        items = [{"category": "audit-rows", **done}]
        return {"schemaVersion": "retention-runs/v1", "scope": body["scope"], "dryRun": dry, "items": items}

    server.outside["POST", "/api/retention-runs"] = run
    assert qd("retention", "run", "--plan", "--yes").code == 0
    assert asked == []
    looked = qd("retention", "run")
    assert (looked.code, asked) == (0, [{"scope": "organization", "dryRun": True}])
    assert looked.out.splitlines()[1].split() == ["audit-rows", "3", "40"]
    assert "Nothing was removed. Add --yes" in looked.err
    done = qd("retention", "run", "audit-rows", "--everywhere", "--yes")
    assert asked[-1] == {"scope": "system", "dryRun": False, "categories": ["audit-rows"]}
    assert done.out.splitlines()[1].split() == ["audit-rows", "wrk_a"]
    assert "qd work show wrk_a" in done.err
    assert qd("retention", "run", "everything").code == 2


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("new", False),
        ("new/", False),
        ("deep/er/", False),
        ("new.tar.gz", True),
        ("new.tgz", True),
        ("x.tar.gz/", False),
    ],
)
def test_a_backup_goes_into_a_directory_unless_a_file_is_named(
    target: str, file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = _place(target)
    assert place == tmp_path / target
    assert place.is_dir() is not file
    if not file:
        assert place.stat().st_mode & 0o777 == 0o700
        assert _place(target) == place


def test_a_backup_says_where_no_directory_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match=r"file/below cannot be made \(Not a directory\)"):
        _place(str(tmp_path / "file" / "below"))


def test_a_restore_of_a_directory_names_the_newest_file_in_it(tmp_path: Path, qd: Command) -> None:
    empty = qd("restore", str(tmp_path))
    assert (empty.code, "is a directory; name a file in it" in empty.err) == (2, True)
    (tmp_path / "a.tar.gz").touch()
    assert f"quarterdeck restore {tmp_path / 'a.tar.gz'}" in qd("restore", str(tmp_path)).err


def test_a_word_that_is_missing_is_named_with_its_command(qd: Command, server: ContractServer) -> None:
    for words, said in (
        (("work", "show"), "qd work show needs WORK_ID."),
        (("audit", "show", "aud_1"), "qd audit show needs --of."),
        (("backup",), "qd backup needs TARGET."),
        (("audit", "list", "--limit"), "--limit needs a value."),
    ):
        result = qd(*words)
        assert (result.code, result.err.splitlines()[0]) == (2, f"Error: {said}")
    assert "Try:   qd work show --help" in qd("work", "show").err
    assert "An age such as 90d" in qd("audit", "list", "--since", "yesterday").err
