"""A spec that is made or changed once more: no silent twin, no change that is none, no hint that does not work."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Result, failed
from cli.infra.infra_api import InfraApi, Refusal, Row
from quarterdeck.infra.specs.document import Known, examined
from quarterdeck.infra.specs.fields import Report

Command = Callable[..., Result]
ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "guides" / "from-empty-spec-to-applied-infrastructure.md"


@pytest.fixture
def ledger(infra: InfraApi) -> Row:
    return infra.add_spec("ledger", infra.add_zone("payments"))


def test_a_spec_of_the_same_name_zone_and_stage_is_made_only_on_purpose(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    again = ("spec", "create", "ledger", "--template", "local", "--zone-id", "payments")
    failed(qd(*again), 6, "payments has a development ledger already.", f"qd spec edit {ledger['id']}", "--again")
    assert infra.changes() == []
    assert qd(*again, "--stage", "staging").code == 0
    assert qd("spec", "create", "ledger", "--template", "local").code == 0
    failed(qd("spec", "create", "ledger", "--template", "local"), 6, "There is, in no zone, a development ledger")
    assert qd(*again, "--again").code == 0
    assert len(infra.bodies("new_spec")) == 3


def test_of_specs_of_one_name_the_one_with_resources_is_meant_but_not_where_something_is_lost(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    stands = infra.add_spec("ledger", infra.zones_known[0], resources=5)
    shown = qd("spec", "show", "ledger", "-o", "json")
    assert json.loads(shown.out)["configuration"]["id"] == stands["id"]
    assert f"2 specs are called ledger; {stands['id']} is the one with resources." in shown.err
    lost = qd("spec", "delete", "ledger", "--yes")
    failed(lost, 2, f"{stands['id']} (development, payments, 5 resources)", f"{ledger['id']} (development, payments, 0")
    ledger["resources"] = 1
    failed(qd("spec", "show", "ledger"), 2, "is the name of 2 specs")


def test_a_person_at_a_terminal_is_asked_for_the_name(
    qd: Command, infra: InfraApi, attended: Callable[..., list[str]]
) -> None:
    asked = attended("first", "")
    assert qd("spec", "create", "--template", "local").out == "Made spec first.\n"
    failed(qd("spec", "create", "--template", "local", "--no-input"), 2, "Say what the spec is called.")
    assert qd("spec", "create").code == 1
    assert asked == ["What the spec is called"] * 2
    assert [body["project_name"] for body in infra.bodies("new_spec")] == ["first"]


def test_who_acts_in_the_cloud_is_told_where_no_identity_was_named(qd: Command, infra: InfraApi) -> None:
    infra.add_identity("aws", "aws 123456789012")
    said = "No cloud identity: what runs it, this server too, is in the cloud what its machine is."
    made = ("spec", "create", "--template", "aws", "--region", "eu-west-1")
    assert said in qd(*made, "ledger").err
    assert said not in qd(*made, "named", "--cloud-identity-id", "aws").err
    assert said not in qd("spec", "create", "first", "--template", "local").err


def test_a_wrong_template_is_told_by_the_option_that_gave_it(qd: Command, infra: InfraApi) -> None:
    def refuse() -> None:
        raise Refusal(400, "provider: nosuch is none of local, aws, gcp, azure.", code="spec_invalid")

    infra.before["new_spec"] = refuse
    failed(qd("spec", "create", "x", "--template", "nosuch"), 2, "--template nosuch: nosuch is none of local")


def test_a_change_that_changes_nothing_says_so(qd: Command, infra: InfraApi, ledger: Row) -> None:
    infra.documents[ledger["id"]]["region"] = "local"
    result = qd("spec", "edit", "ledger", "--set", "region=local")
    assert (result.code, result.out) == (0, "Nothing is different: ledger is as it was.\n")
    assert "qd plan" not in result.err
    assert qd("spec", "edit", "ledger", "--set", "region=eu-west-1").out == "Changed spec ledger.\n"


def test_another_name_is_used_by_what_is_said_next_and_warned_of(qd: Command, infra: InfraApi, ledger: Row) -> None:
    ledger["resources"] = 3
    result = qd("spec", "edit", "ledger", "--set", "project_name=books")
    assert (result.code, result.out) == (0, "Changed spec ledger, which is called books now.\n")
    assert "may replace every one of them" in result.err
    assert "qd plan books --wait" in result.err


def test_hints_can_be_typed_as_they_stand(qd: Command, infra: InfraApi, ledger: Row) -> None:
    infra.zones_known[0]["name"] = "pay ments!"
    failed(qd("spec", "list", "--zone-id", "nosuch"), 5, "qd zone list")
    failed(qd("zone", "show"), 2, "--id 'pay ments!'")
    failed(qd("state", "diff", "ledger"), 5, "qd state versions ledger")
    failed(qd("state", "pull", "ledger"), 5, "qd state versions ledger")
    failed(qd("state", "rollback", "ledger"), 2, 'qd state rollback ledger 4 --reason "why"')
    failed(qd("state", "rollback", "ledger", "2"), 2, 'qd state rollback ledger 2 --reason "why"')
    failed(qd("state", "unlock", "--spec-id", "ledger"), 2, 'qd state unlock ledger --reason "why"')
    failed(qd("spec", "delete", "ledger", "--force"), 2, 'qd spec delete ledger --force --reason "why"')
    failed(qd("spec", "drift", "ledger", "--wait"), 2, "qd spec drift ledger --look --wait")
    infra.zones_known.clear()
    assert "--zone-id 'pay ments'" in qd("zone", "create", "pay ments").err


def test_every_spec_that_the_guide_makes_is_one_that_the_server_takes(
    qd: Command, infra: InfraApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    infra.add_zone("payments")
    infra.add_identity("aws", "aws 123456789012")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "git.token").write_text("s3cret")
    blocks = "".join(re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)).replace("\\\n", " ")
    commands = [line for line in blocks.splitlines() if line.startswith("qd spec create ")]
    assert len(commands) == 3
    for line in commands:
        assert qd(*shlex.split(line, comments=True)[1:]).code == 0, line
        report = Report()
        assert examined(infra.bodies("new_spec")[-1], Known(), report) is not None, (line, report.wrong)
