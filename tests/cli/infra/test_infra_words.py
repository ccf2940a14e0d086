"""Other words for the commands, their help, their completion, and the calls that they make."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Result
from cli.infra.infra_api import InfraApi
from quarterdeck.cli import infra_operations, infra_states, task_operations
from quarterdeck.cli.commands.completion import found
from quarterdeck.cli.infra_words import canonical
from quarterdeck.cli.main import application
from quarterdeck.cli.operations import OPERATIONS
from quarterdeck.console.state import TABLE

Command = Callable[..., Result]
ROOT = Path(__file__).parents[3]
DOCUMENTED = """
zone create --name x
zone list
zone delete --id x
zone create x -d text
spec list --zone-id x
spec get --id x
spec get x
plan --spec-id x --worker-id y --wait
spec plan --runner-id y -w
apply --spec-id x --plan-job-id y --wait
spec apply --spec-id x -w
destroy spec x
destroy zone x
destroy worker x
jobs list --status queued --zone-id x -n 5
jobs get --id x
jobs get x
jobs logs --id x --follow
jobs logs x -f
jobs cancel --id x
jobs wait --id x
infra jobs wait x
worker start
worker register x
worker list
worker remove x
clusters list
cluster list
runner deploy x --cloud-identity-id y --region z --assigned-runner-id q -w
runner remove x
runner destroy --runner-id x --assigned-runner-id y -w
connector aws
connector remove aws -y
connector aws --region eu-west-1 --role-name x --manual
connector gcp --project x --manual
connector azure --subscription x --manual
repositories list github
"""


@pytest.mark.parametrize("line", DOCUMENTED.strip().splitlines())
def test_every_documented_line_is_one_of_a_command(line: str) -> None:
    tokens = canonical(line.split())
    command, _, _ = application(tokens[0]).parse_args(tokens, exit_on_error=False, print_error=False)
    assert command is not None


@pytest.mark.parametrize(
    "line", ["ls", "work ls", "machine list", "worker --server x", "task list", "infra", "infra nope", "destroy", ""]
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert canonical(line.split()) == line.split()


def test_a_noun_that_is_not_known_points_at_what_is(qd: Command) -> None:
    assert "Try:   qd spec\n" in qd("infra").err
    assert "Try:   qd jobs list\n" in qd("jobs", "lst").err
    assert "qd plan --help" in qd("plan", "x", "y").err


@pytest.mark.parametrize("verb", ["plan", "apply", "destroy"])
def test_the_help_says_how_a_command_may_end(qd: Command, verb: str) -> None:
    text = " ".join(qd(verb, "--help").out.split())
    assert "Ends with 0 when" in text
    assert "with 1 when" in text
    assert ("with 7 when it waits for approvals" in text) == (verb != "plan")


def test_states_have_the_tone_that_the_console_gives_them() -> None:
    tables = {"specification": infra_states.SPEC, "infra-job": infra_states.JOB}
    for kind, table in tables.items():
        assert table == {word: tone for tone, words in TABLE[kind].items() for word in words.split()}


BESIDE = """
PUT /api/cli/zones/{}
DELETE /api/cli/zones/{}
DELETE /api/cli/workers/{}
POST /api/cli/runners/deploy
GET /api/cli/clusters
GET /api/cli/releases
GET /api/cli/cloud-identities
POST /api/cli/providers/{}/init
POST /api/cli/providers/{}/connect
POST /api/cli/providers/{}/verify
POST /api/cli/providers/{}/disconnect
PUT /api/cli/configurations/{}
DELETE /api/cli/configurations/{}
POST /api/cli/configurations/{}/clone
GET /api/cli/configurations/{}/versions
GET /api/cli/configurations/{}/diff
GET /api/cli/configurations/{}/drift
POST /api/cli/configurations/{}/drift
GET /api/cli/configurations/{}/export
POST /api/cli/configurations/validate
GET /api/cli/configurations/{}/state
GET /api/cli/configurations/{}/state/versions
GET /api/cli/configurations/{}/state/versions/{}
GET /api/cli/configurations/{}/state/diff
POST /api/cli/configurations/{}/state/rollback
POST /api/cli/configurations/{}/state/unlock
POST /api/cli/configurations/{}/state/push
GET /api/stream/jobs/{}
GET /api/cli/jobs/{}/plan
POST /api/cli/jobs/{}/approve
POST /api/cli/jobs/{}/reject
POST /api/cli/jobs/{}/rerun
POST /api/cli/jobs/{}/pin
POST /api/cli/runners/{}/drain
POST /api/cli/runners/{}/default
POST /api/cli/runners/{}/update
POST /api/cli/workers/enrolment-tokens
GET /api/cli/cloud-identities/{}/zones
PUT /api/cli/cloud-identities/{}/zones
"""
"""Routes that are no line of the contract's list: those that its text adds, and ours."""


def test_every_call_is_one_of_the_contract_or_one_of_ours() -> None:
    routes = json.loads((ROOT / "contract" / "routes.json").read_text())
    documented = {(row["method"], re.sub(r"{\w+}", "{}", row["path"])) for row in routes if row["surface"] == "infra"}
    documented |= {("GET", "/api/jobs")}
    called = {
        (operation.method, re.sub(r"{\w+}", "{}", operation.path.partition("?")[0]))
        for operation in infra_operations.OPERATIONS.values()
    }
    assert called - documented == {tuple(line.split()) for line in BESIDE.strip().splitlines()}
    others = set(OPERATIONS) | set(task_operations.OPERATIONS)
    assert set(infra_operations.OPERATIONS) & others == set()


def test_names_are_completed(infra: InfraApi) -> None:
    infra.add_spec("ledger", infra.add_zone("payments"))
    infra.add_runner("fra-1")
    for words, expected in (
        (["plan", ""], ["show", "approve", "reject", "ledger"]),
        (["apply", "l"], ["ledger"]),
        (["spec", "show", ""], ["ledger"]),
        (["spec", "create", ""], []),
        (["state", "pull", ""], ["ledger"]),
        (["zone", "delete", ""], ["payments"]),
        (["runner", "drain", ""], ["fra-1"]),
        (["plan", "ledger", "--runner-id", ""], ["fra-1"]),
        (["jobs", "list", "--status", "q"], ["queued"]),
        (["plan", "show", ""], []),
    ):
        assert found(words) == expected, words
