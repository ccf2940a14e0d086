"""`qd spec` and `qd zone`: what is declared."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Result, failed
from cli.infra.infra_api import InfraApi, Row

Command = Callable[..., Result]
Written = Callable[[str, str], str]


def test_zones_are_made_listed_shown_and_deleted(qd: Command, infra: InfraApi) -> None:
    assert "qd zone create" in qd("zone", "list").err
    made = qd("zone", "create", "--name", "payments", "-d", "money")
    assert (made.code, made.out) == (0, "Made zone payments.\n")
    assert qd("zone", "create", "legacy").code == 0
    assert infra.bodies("new_zone") == [{"name": "payments", "description": "money"}, {"name": "legacy"}]
    failed(qd("zone", "create", "legacy"), 6, "A zone legacy is there already.", "qd zone list")
    failed(qd("zone", "create"), 2, "Say what the zone is called.")
    infra.add_spec("ledger", infra.zones_known[0])
    listed = qd("zones", "list").out
    assert "payments  ledger" in listed
    assert "ledger (development, local)" in qd("zone", "get", "--id", "payments").out
    assert "approvals: none" in qd("zone", "show", "payments").out
    assert qd("zone", "change", "payments", "--approvals", "1", "--destroy-approvals", "2").code == 0
    assert infra.bodies("change_zone") == [{"approvals": 1, "destroy_approvals": 2}]
    assert "approvals: 1 to apply, 2 to destroy" in qd("zone", "show", "payments").out
    failed(qd("zone", "change", "payments"), 2, "Say what to change.")
    assert qd("zone", "change", "payments", "--approvals", "99").code == 2
    failed(qd("zone", "delete", "payments"), 2, "Delete zone payments? Its spec stays, in no zone.", "--yes")
    assert qd("zone", "delete", infra.zones_known[0]["id"], "--yes").out == "Deleted zone payments.\n"
    assert qd("destroy", "zone", "legacy", "--yes").out == "Deleted zone legacy.\n"
    failed(qd("zone", "delete", "nope", "--yes"), 5, "There is no zone nope.")


def test_the_first_spec_needs_a_name_and_a_template(qd: Command, infra: InfraApi) -> None:
    result = qd("spec", "create", "first", "--template", "local")
    assert (result.code, result.out) == (0, "Made spec first.\n")
    assert "qd plan first --wait" in result.err
    assert infra.bodies("new_spec") == [
        {"project_name": "first", "environment_stage": "development", "provider": "local"}
    ]
    failed(qd("spec", "create"), 2, "Say what the spec is called.")


def test_a_spec_is_made_from_a_file_and_what_stands_beside_it_counts(
    qd: Command, infra: InfraApi, written: Written
) -> None:
    zone, cloud = infra.add_zone("payments"), infra.add_identity("aws", "AWS (123456789012)")
    file = written(
        "ledger.yaml",
        "project_name: ledger\nenvironment_stage: staging\nregion: eu-west-1\ncluster: {node_max_size: 6}\n"
        "databases:\n  - {name: main, max_capacity: 4, created: 2026-01-01}\n",
    )
    result = qd(
        *("spec", "create", "-f", file, "--stage", "production", "--zone-id", "payments"),
        *("--cloud-identity-id", "aws", "--set", "cluster.node_max_size=8", "--set", "databases.main.max_capacity=9"),
        *("--set", "dns.enabled=true"),
    )
    assert result.code == 0, result
    assert infra.bodies("new_spec") == [
        {
            "project_name": "ledger", "environment_stage": "production", "region": "eu-west-1",
            "cluster": {"node_max_size": 8}, "dns": {"enabled": True}, "zone_id": zone["id"],
            "databases": [{"name": "main", "max_capacity": 9, "created": "2026-01-01"}],
            "cloud_identity_id": cloud["id"],
        }
    ]  # fmt: skip
    assert qd("spec", "validate", "-", stdin="region: local\n").code == 0
    assert qd("spec", "create", "-f", "-", stdin="{project_name: third, environment_stage: staging}").code == 0
    stdin = json.dumps({"project_name": "second", "environment_stage": "staging"})
    assert qd("spec", "create", "--file", "-", stdin=stdin).code == 0
    failed(qd("spec", "create", "-f", file, "--set", "databases.nope.x=1"), 2, "there is no entry nope")
    failed(qd("spec", "create", "-f", file, "--set", "region.x=1"), 2, "nothing below")
    failed(qd("spec", "create", "-f", file, "--set", "region"), 2, "region is given no value.")


@pytest.mark.parametrize("text", ["- a\n- b", "just words", "x: [1", "", "a: .nan"])
def test_a_file_that_is_no_document_changes_nothing(qd: Command, infra: InfraApi, written: Written, text: str) -> None:
    failed(qd("spec", "create", "x", "-f", written("bad.yaml", text)), 2, "bad.yaml")
    failed(qd("spec", "create", "x", "-f", "/nowhere.yaml"), 2, "cannot be read")
    assert infra.calls == []


def test_secrets_are_never_words_of_a_command(qd: Command, infra: InfraApi, written: Written) -> None:
    module = ("--module-url", "https://git.example.com/infra.git", "--module-commit", "a" * 40)
    refused = qd("spec", "create", "x", *module, "--module-token", "s3cret-token")
    failed(refused, 2, "--module-token takes a file or stdin", "@FILE")
    assert "s3cret" not in refused.err + refused.out
    failed(qd("spec", "create", "x", *module, "--module-token", "@/nofile"), 2, "/nofile cannot be read")
    failed(qd("spec", "create", "x", *module, "--module-token", "@" + written("empty", "\n")), 2, "nothing in")
    failed(qd("spec", "create", "x", *module, "--module-token", "@"), 2, "takes a file or stdin")
    failed(qd("spec", "create", "x", "--module-path", "live"), 2, "Say where the module is.")
    assert infra.calls == []
    file = "@" + written("token", "s3cret-token\n")
    planned = qd("spec", "create", "x", *module, "--module-token", file, "--plan")
    assert (planned.code, "s3cret" in planned.out) == (0, False)
    assert qd("spec", "create", "x", *module, "--module-token", file).code == 0
    assert qd("spec", "create", "y", *module, "--module-token", "-", stdin="s3cret-token\n").code == 0
    assert [body["module_token"] for body in infra.bodies("new_spec")] == ["s3cret-token"] * 2


def test_specs_are_listed_and_shown(qd: Command, infra: InfraApi) -> None:
    assert "qd spec create" in qd("spec", "list").err
    infra.add_spec("ledger", infra.add_zone("payments"), status="ACTIVE", estimated_monthly_cost=412.6)
    infra.add_spec("other")
    lines = qd("spec", "list").out.splitlines()
    assert lines[0].split()[:4] == ["SPEC", "STATE", "STAGE", "ZONE"]
    assert "✓ active" in lines[1]
    assert "412.60 USD a month" in lines[1]
    assert qd("specs", "ls", "--zone-id", "payments", "-o", "csv").out.count("\n") == 2
    out = qd("spec", "get", "--id", "ledger").out
    assert "network     10.0.0.0/16" in out
    assert json.loads(qd("spec", "show", "ledger", "--json").out)["configuration"]["project_name"] == "ledger"


@pytest.fixture
def ledger(infra: InfraApi) -> Row:
    row = infra.add_spec("ledger", version=1)
    infra.documents[row["id"]] |= {"region": "local", "cluster": {"node_max_size": 6}}
    return row


def test_single_values_are_changed_on_the_version_that_was_read(qd: Command, infra: InfraApi, ledger: Row) -> None:
    result = qd("spec", "edit", "ledger", "--set", "cluster.node_max_size=8", "--no-input", "--comment", "more")
    assert (result.code, result.out) == (0, "Changed spec ledger.\n")
    assert infra.documents[ledger["id"]]["cluster"] == {"node_max_size": 8}
    ledger["version"] = 3
    infra.before["put_spec"] = lambda _: ledger.update(version=4)
    failed(qd("spec", "edit", "ledger", "--set", "region=x"), 6, "Somebody else has changed it", "qd spec diff ledger")


def test_looks_are_given_an_identity_of_their_own(qd: Command, infra: InfraApi, ledger: Row) -> None:
    looks = infra.add_identity("aws", "AWS (1)")["id"]
    for given, kept in (("aws", looks), ("none", None)):
        assert qd("spec", "edit", "ledger", "--drift-identity-id", given, "--no-input").code == 0
        assert infra.documents[ledger["id"]]["drift_cloud_identity_id"] == kept
    failed(qd("spec", "edit", "ledger", "--drift-identity-id", "gcp"), 5, "gcp")


def editor(tmp_path: Path, script: str) -> str:
    program = tmp_path / "editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def test_a_document_is_edited_in_the_editor_and_what_is_refused_is_kept(
    qd: Command,
    infra: InfraApi,
    ledger: Row,
    attended: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed(qd("spec", "edit", "ledger"), 2, "nobody at a terminal", "--set KEY=VALUE")
    attended()
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("EDITOR", editor(tmp_path, 'sed -i s/local/eu-west-1/ "$1"'))
    assert qd("spec", "edit", "ledger").code == 0
    assert infra.documents[ledger["id"]]["region"] == "eu-west-1"
    same = qd("spec", "edit", "ledger")
    assert (same.code, "Nothing was changed." in same.err) == (1, True)
    monkeypatch.setenv("EDITOR", editor(tmp_path, 'echo "x: [" >> "$1"'))
    wrong = qd("spec", "edit", "ledger")
    assert (wrong.code, "is kept in" in wrong.err) == (2, True)
    monkeypatch.setenv("EDITOR", editor(tmp_path, 'sed -i s/eu-west-1/eu-west-2/ "$1"'))
    infra.before["put_spec"] = lambda _: ledger.update(version=9)
    refused = qd("spec", "edit", "ledger")
    assert refused.code == 6
    kept = next(word for word in refused.err.split() if word.startswith(str(tmp_path))).rstrip(";")
    assert "eu-west-2" in Path(kept).read_text()
    assert Path(kept).stat().st_mode & 0o077 == 0
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    failed(qd("spec", "edit", "ledger"), 2, "cannot be started")
    monkeypatch.setenv("EDITOR", "false")
    assert qd("spec", "edit", "ledger").code == 1


def test_versions_are_listed_and_compared(qd: Command, infra: InfraApi, ledger: Row) -> None:
    assert "There is one version, 1." in qd("spec", "diff", "ledger").err
    known = infra.versions_known[ledger["id"]]
    known.append({**known[0], "number": 2, "comment": "bigger"})
    lines = qd("spec", "versions", "ledger").out.splitlines()
    assert [line.split()[0] for line in lines] == ["VERSION", "2", "1"]
    assert "bigger" in lines[1]
    told = qd("spec", "diff", "ledger").out.splitlines()
    assert told == ["~ cluster.node_max_size  6 → 8", '+ dns  {"enabled": true}', '- caches[main]  "redis"']
    assert qd("spec", "diff", "ledger", "3", "5", "-o", "csv").out.startswith("CHANGE,PATH,BEFORE,AFTER\n")
    assert qd("spec", "diff", "--id", "ledger", "--from", "3", "--to", "5", "--json").code == 0
    assert infra.queries("diff") == [{}, {}, *[{"from": "3", "to": "5"}] * 2]


def test_a_document_is_exported_in_each_form_and_can_be_sent_back(
    qd: Command, infra: InfraApi, ledger: Row, written: Written
) -> None:
    text = qd("spec", "export", "ledger").out
    assert 'region: "local"' in text
    assert json.loads(qd("spec", "export", "ledger", "--format", "json").out)["region"] == "local"
    assert qd("spec", "export", "ledger", "--format", "legacy-yaml", "-o", "name").out == "ledger.legacy-yaml\n"
    assert qd("spec", "edit", "ledger", "--file", written("back.yaml", text)).code == 0


def test_a_document_is_checked_without_being_kept(qd: Command, infra: InfraApi, written: Written) -> None:
    good = written("good.yaml", "project_name: x\nregion: local\n")
    assert qd("spec", "validate", good).code == 0
    result = qd("spec", "validate", "-f", written("bad.yaml", "project_name: x\n"), "--json")
    assert result.code == 1
    assert "region: A region is needed." in result.err
    assert json.loads(result.out)["errors"][0]["field"] == "region"
    failed(qd("spec", "validate", "-", stdin="project_name: x"), 1, "What stdin says has 1 mistake.")
    failed(qd("spec", "validate"), 2, "Say which file.")
    assert infra.specs_known == []


def test_a_spec_is_copied(qd: Command, infra: InfraApi, ledger: Row) -> None:
    zone = infra.add_zone("payments")
    assert qd("spec", "clone", "ledger", "ledger-eu", "--stage", "staging", "--zone-id", "payments").code == 0
    assert qd("spec", "clone", "--id", ledger["id"], "--name", "third").code == 0
    assert infra.bodies("clone") == [
        {"project_name": "ledger-eu", "environment_stage": "staging", "zone_id": zone["id"]},
        {"project_name": "third"},
    ]
    failed(qd("spec", "clone", "ledger"), 2, "Say what the new spec is called.")


def test_a_spec_that_has_made_something_is_not_deleted_by_a_slip(qd: Command, infra: InfraApi, ledger: Row) -> None:
    infra.add_state(ledger, 1)
    failed(qd("spec", "delete", "ledger", "--no-input"), 2, "is lost", "--confirm ledger")
    failed(
        qd("spec", "delete", "ledger", "--confirm", "ledger"), 6, "still has 2 resources", "qd destroy ledger --wait"
    )
    failed(qd("spec", "delete", "ledger", "--force"), 2, "--force needs a reason.")
    failed(qd("spec", "delete", "ledger", "--reason", "x"), 2, "--reason goes with --force.")
    assert infra.specs_known
    assert qd("spec", "delete", "ledger", "--force", "--reason", "closed & gone", "--yes").code == 0
    assert infra.queries("delete_spec")[-1] == {"force": "true", "reason": "closed & gone"}
    assert infra.specs_known == []


def test_drift_is_looked_for_and_shown(qd: Command, infra: InfraApi, ledger: Row) -> None:
    assert qd("spec", "drift", "ledger").out == "Nobody has looked yet: qd spec drift ledger --look --wait\n"
    failed(qd("spec", "drift", "ledger", "--wait"), 2, "nothing to wait for")
    out = qd("spec", "drift", "ledger", "--look", "--wait").out
    assert out.startswith("ledger has drifted (")
    assert "~ a.b\n        size  1 → 2\n" in out
    assert json.loads(qd("spec", "drift", "--id", "ledger", "--json").out)["drift"]["drifted"] is True
    infra.failing[ledger["id"]] = {"job_id": "4e0d", "at": None, "code": "x", "message": "no network\nat all"}
    out = qd("spec", "drift", "ledger").out
    assert out.startswith("Looks at ledger fail: no network\n  qd jobs logs 4e0d\nledger has drifted (")
