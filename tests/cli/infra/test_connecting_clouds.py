"""`qd connector aws|gcp|azure`: the role made by the program aws, and the steps for who does it by hand."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Result, failed
from cli.infra.infra_api import InfraApi, identity
from quarterdeck.cli import infra_trusting

Command = Callable[..., Result]
CONNECTION = identity("9", 1)
ROLE = "arn:aws:iam::123456789012:role/deck"
RUNNER = "arn:aws:iam::999999999999:role/runner"
CALLER = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ada"}
PROGRAM = """#!/bin/sh
printf '%s\\n' "$*" >>"{place}/calls"
case "$2" in
  get-caller-identity) cat "{place}/caller";;
  create-role)
    for word in "$@"; do case "$word" in file://*) cp -p "${{word#file://}}" "{place}/trust";; esac; done
    if [ -f "{place}/refusal" ]; then cat "{place}/refusal" >&2; exit 254; fi
    printf '{{"Role": {{"Arn": "arn:aws:iam::123456789012:role/%s"}}}}' "$4";;
  wait) exit 255;;
esac
"""


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `aws` that remembers how it was called, and the trust policy that it was given."""
    place = tmp_path / "aws"
    place.mkdir()
    (place / "calls").touch()
    (place / "caller").write_text(json.dumps(CALLER))
    program = place / "aws"
    program.write_text(PROGRAM.format(place=place))
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    return place


def test_commands_and_the_trust_policy_are_these() -> None:
    assert infra_trusting.create_role("deck", "/t/trust.json", "eu-west-1") == (
        "aws", "iam", "create-role", "--role-name", "deck", "--assume-role-policy-document", "file:///t/trust.json",
        "--output", "json", "--region", "eu-west-1",
    )  # fmt: skip
    assert infra_trusting.whoami(None) == ("aws", "sts", "get-caller-identity", "--output", "json")
    assert infra_trusting.account_of({"Account": "1", "Arn": "arn:aws-cn:iam::1:user/x"}) == "arn:aws-cn:iam::1:root"
    assert infra_trusting.trust(RUNNER, "xt-1") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow", "Principal": {"AWS": RUNNER}, "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "xt-1"}},
            }
        ],
    }  # fmt: skip


def test_a_role_is_made_under_the_external_id_and_proved_at_once(qd: Command, infra: InfraApi, aws: Path) -> None:
    result = qd("connector", "aws", "--role-name", "deck", "--region", "eu-west-1", "--yes")
    assert (result.code, result.out) == (0, f"Connected aws as {CONNECTION}.\n")
    assert f"Made {ROLE}." in result.err
    assert infra.bodies("connect") == [{"identity_id": CONNECTION, "credentials": {"role_arn": ROLE}}]
    calls = (aws / "calls").read_text().splitlines()
    assert [call.split()[1] for call in calls] == ["get-caller-identity", "create-role", "wait"]
    assert all(call.endswith("--region eu-west-1") for call in calls)
    assert "xt-1" not in "".join(calls)
    assert stat.S_IMODE((aws / "trust").stat().st_mode) == 0o600
    trusted = json.loads((aws / "trust").read_text())["Statement"][0]
    assert trusted["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert trusted["Condition"] == {"StringEquals": {"sts:ExternalId": "xt-1"}}
    qd("connector", "aws", "--runner-arn", RUNNER, "--yes")
    assert json.loads((aws / "trust").read_text())["Statement"][0]["Principal"] == {"AWS": RUNNER}
    assert "--role-name quarterdeck-runner" in (aws / "calls").read_text()


def test_no_role_is_made_without_a_word_or_while_planning(
    qd: Command, infra: InfraApi, aws: Path, attended: Callable[..., list[str]]
) -> None:
    failed(qd("connector", "aws", "--role-name", "deck", "--no-input"), 2, "Make the role deck?", "--yes")
    asked = attended("n")
    assert qd("connector", "aws", "--role-name", "deck").code == 1
    assert asked == ["Make the role deck? [y/N]"]
    planned = qd("connector", "aws", "--role-name", "deck", "--plan")
    assert "RUN aws iam create-role --role-name deck" in planned.out
    assert "POST /api/cli/providers/aws/connect" in planned.out
    assert "create-role" not in (aws / "calls").read_text()
    assert infra.bodies("connect") == []


@pytest.mark.parametrize(
    ("said", "exits", "told"),
    [
        ("An error occurred (EntityAlreadyExists) when calling CreateRole: deck exists", 6, "There is a role deck"),
        ("Unable to locate credentials", 1, "aws iam create-role failed: Unable to locate credentials"),
    ],
)
def test_what_aws_refuses_is_told_and_nothing_is_connected(
    qd: Command, infra: InfraApi, aws: Path, said: str, exits: int, told: str
) -> None:
    (aws / "refusal").write_text(f"\n{said}\n")
    failed(qd("connector", "aws", "--role-name", "deck", "--yes"), exits, told)
    assert infra.bodies("connect") == []


def test_an_answer_of_aws_that_is_none_is_told(qd: Command, infra: InfraApi, aws: Path) -> None:
    for text in ("", "[]", '{"Account": "1"}', '{"Account": "1", "Arn": "x"}'):
        (aws / "caller").write_text(text)
        failed(qd("connector", "aws", "--role-name", "deck", "--yes"), 1, "What aws answers cannot be read.")
    assert infra.bodies("connect") == []


def test_without_the_program_aws_the_way_by_hand_is_named(
    qd: Command, infra: InfraApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    failed(qd("connector", "aws", "--role-name", "deck", "--yes"), 2, "aws is not on this machine", "aws --manual")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--role-name", "a b"), "a b is no name of a role"),
        (("--region", "Frankfurt"), "Frankfurt is no region of AWS."),
        (("--runner-arn", "me"), "me is nobody at AWS."),
        (("--role-arn", ROLE, "--role-name", "deck"), "nothing is made then"),
        (("--role-arn", ROLE, "--manual"), "nothing is made then"),
        (("--identity-id", CONNECTION, "--test-job-id", CONNECTION, "--role-name", "x"), "nothing is made then"),
    ],
)
def test_words_that_cannot_be_meant_reach_nobody(
    qd: Command, infra: InfraApi, aws: Path, words: tuple[str, ...], told: str
) -> None:
    failed(qd("connector", "aws", *words), 2, told)
    assert (infra.calls, (aws / "calls").read_text()) == ([], "")


def test_a_connection_that_is_not_the_one_begun_is_not_mixed_up_with_it(
    qd: Command, infra: InfraApi, aws: Path
) -> None:
    other = identity("9", 2)
    failed(qd("connector", "aws", "--identity-id", other, "--role-name", "deck", "--yes"), 6, CONNECTION)
    assert (aws / "calls").read_text() == ""
    assert qd("connector", "aws", "--identity-id", CONNECTION, "--role-name", "deck", "--yes").code == 0


def test_by_hand_every_step_is_said_and_the_role_may_be_given_at_once_or_later(
    qd: Command, infra: InfraApi, aws: Path, attended: Callable[..., list[str]]
) -> None:
    words = ("connector", "aws", "--manual", "--role-name", "deck", "--region", "eu-west-1")
    result = qd(*words)
    assert (result.code, result.out) == (0, f"identity id  {CONNECTION}\nexternal id  xt-1\n")
    assert '"sts:ExternalId": "xt-1"' in result.err
    assert "aws iam create-role --role-name deck" in result.err
    assert "--region eu-west-1" in result.err
    assert f"qd connector aws --identity-id {CONNECTION} --role-arn ARN" in result.err
    assert any("create-role" in step for step in json.loads(qd(*words, "-o", "json").out)["steps"])
    assert qd(*words, "--no-input").code == 0
    asked = attended("", ROLE)
    assert qd(*words).code == 0
    assert infra.bodies("connect") == []
    assert qd(*words).out.endswith(f"Connected aws as {CONNECTION}.\n")
    assert infra.bodies("connect")[0]["credentials"] == {"role_arn": ROLE}
    assert len(asked) == 2
    assert (aws / "calls").read_text() == ""


def test_google_and_azure_are_connected_by_hand_too(
    qd: Command, infra: InfraApi, attended: Callable[..., list[str]], written: Callable[[str, str], str]
) -> None:
    attended(written("wif.json", '{"type": "external_account"}'), "t", "c")
    google = qd("connector", "gcp", "--manual", "--project", "payments-1")
    assert google.code == 0
    assert "--issuer-uri https://deck.example.com/oidc" in google.err
    assert "subject/organization:1" in google.err
    assert "--project payments-1" in google.err
    azure = qd("connector", "azure", "--manual", "--subscription", "s")
    assert azure.code == 0
    assert '"issuer": "https://deck.example.com/oidc"' in azure.err
    assert "/subscriptions/s" in azure.err
    assert [body["credentials"] for body in infra.bodies("connect")] == [
        {"wif_config": '{"type": "external_account"}', "project_id": "payments-1"},
        {"tenant_id": "t", "client_id": "c", "subscription_id": "s"},
    ]
    failed(qd("connector", "gcp", "--project", "payments-1"), 2, "--project says nothing by itself.")
    failed(qd("connector", "gcp", "--manual", "--wif-config", "-"), 2, "give one of them")


def test_what_a_role_has_to_trust_is_shown_as_its_policy(qd: Command, infra: InfraApi) -> None:
    result = qd("connector", "aws", "--no-input")
    policy = result.err[result.err.index("{") : result.err.rindex("}") + 1]
    assert json.loads(policy) == infra_trusting.trust("arn:aws:iam::ACCOUNT:root", "xt-1")
    assert f"qd connector aws --identity-id {CONNECTION} --role-arn ARN" in result.err
    assert infra.changes() == ["init"]


def test_a_connection_that_is_not_the_one_begun_is_refused_with_the_command_for_that(
    qd: Command, infra: InfraApi
) -> None:
    wrong = qd("connector", "aws", "--manual", "--identity-id", identity("9", 7))
    failed(wrong, 6, f"Try:   qd connector aws --identity-id {CONNECTION}")
