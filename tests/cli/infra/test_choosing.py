"""Selectors: only where a person is at a terminal and nothing was named."""

from __future__ import annotations

from collections.abc import Callable

from cli.conftest import Result, failed
from cli.infra.infra_api import InfraApi

Command = Callable[..., Result]


def test_zone_spec_and_runner_are_chosen_one_after_the_other(
    qd: Command, infra: InfraApi, attended: Callable[..., list[str]]
) -> None:
    payments, legacy = infra.add_zone("payments"), infra.add_zone("legacy")
    infra.add_spec("ledger", payments)
    old = infra.add_spec("old", legacy)
    infra.add_spec("older", legacy, environment_stage="staging")
    infra.add_runner("away", "OFFLINE")
    infra.add_runner("fra-1", is_default=True)
    asked = attended("2", "old", "")
    result = qd("plan")
    assert (result.code, asked) == (0, ["Which zone", "Which spec", "Which runner [3]"])
    assert "Any available" in result.err
    assert "fra-1 (self)   online   default" in result.err
    assert "older (staging, legacy)" in result.err
    body = infra.bodies("new_job")[0]
    assert (body["configuration_id"], body["assigned_worker_id"]) == (old["id"], infra.runners_known[1]["id"])


def test_any_runner_is_preselected_where_the_default_is_away(
    qd: Command, infra: InfraApi, attended: Callable[..., list[str]]
) -> None:
    infra.add_spec("ledger")
    infra.add_runner("fra-1", "OFFLINE", is_default=True)
    asked = attended("")
    assert qd("plan").code == 0
    assert asked == ["Which runner [1]"]
    assert "assigned_worker_id" not in infra.bodies("new_job")[0]


def test_what_is_named_is_not_asked_again(qd: Command, infra: InfraApi, attended: Callable[..., list[str]]) -> None:
    infra.add_spec("ledger")
    infra.add_runner("fra-1")
    asked = attended()
    assert qd("plan", "ledger").code == 0
    assert qd("plan", "--spec-id", "ledger", "--runner-id", "any").code == 0
    assert asked == []


def test_no_input_asks_nobody_even_at_a_terminal(
    qd: Command, infra: InfraApi, attended: Callable[..., list[str]]
) -> None:
    infra.add_spec("ledger")
    infra.add_spec("other")
    asked = attended()
    failed(qd("plan", "--no-input"), 2, "Say which spec: ledger, other.")
    failed(qd("destroy", "ledger", "--no-input"), 2, "--confirm ledger")
    failed(qd("zone", "show", "--no-input"), 5, "There is no zone yet.")
    failed(qd("runner", "show", "--no-input"), 5, "There is no runner yet.")
    assert (asked, infra.changes()) == ([], [])


def test_enter_chooses_nothing_where_nothing_is_preselected(
    qd: Command, infra: InfraApi, attended: Callable[..., list[str]]
) -> None:
    infra.add_spec("ledger")
    infra.add_spec("other")
    attended("")
    result = qd("destroy")
    assert (result.code, "Nothing was chosen" in result.err, infra.changes()) == (1, True, [])
