"""Nothing of a plan that somebody agrees to on the command line is hidden by the shape of its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cli.conftest import Result, failed
from cli.infra.infra_api import InfraApi, Row

Command = Callable[..., Result]
INGRESS = {
    "description": "the shop's own network and nothing else at all", "from_port": 443, "to_port": 443,
    "cidr_blocks": ["10.0.0.0/8"],
}  # fmt: skip


@pytest.fixture
def ledger(infra: InfraApi) -> Row:
    return infra.add_spec("ledger", infra.add_zone("payments"))


def changed(infra: InfraApi, spec: Row, path: str, before: Any, after: Any, action: str = "update", **more: Any) -> str:
    """The job of a plan with one change of one attribute."""
    job = str(infra.add_plan(spec, (action, "aws_security_group.shop"))["id"])
    told = {"path": path, "before": before, "after": after, "sensitive": False, "unknown": False, **more}
    infra.plans[job]["changes"][0]["attributes"] = [told]
    return job


def test_a_change_deep_in_a_value_is_told_at_its_place(qd: Command, infra: InfraApi, ledger: Row) -> None:
    job = changed(infra, ledger, "ingress", [INGRESS], [{**INGRESS, "cidr_blocks": ["0.0.0.0/0"]}])
    result = qd("plan", "show", job)
    assert '        ingress[0].cidr_blocks  ["10.0.0.0/8"] → ["0.0.0.0/0"]\n' in result.out
    assert "ingress[0].description" not in result.out


def test_an_entry_that_is_added_or_taken_away_is_told(qd: Command, infra: InfraApi, ledger: Row) -> None:
    opened = {"from_port": 22, "cidr_blocks": ["0.0.0.0/0"]}
    shown = qd("plan", "show", changed(infra, ledger, "ingress", [INGRESS], [INGRESS, opened])).out
    assert 'ingress[1].cidr_blocks  (none) → ["0.0.0.0/0"]' in shown
    assert "ingress[1].from_port  (none) → 22" in shown
    shown = qd("plan", "show", changed(infra, ledger, "tags", {"owner": "ada", "stage": "production"}, None)).out
    assert 'tags.owner  "ada" → (none)' in shown


def test_every_network_of_a_long_list_that_differs_is_told(qd: Command, infra: InfraApi, ledger: Row) -> None:
    before = [f"10.{number}.0.0/16" for number in range(30)]
    after = ["0.0.0.0/0" if number in {3, 27} else one for number, one in enumerate(before)]
    shown = qd("plan", "show", changed(infra, ledger, "cidr_blocks", before, after)).out
    assert 'cidr_blocks[3]  "10.3.0.0/16" → "0.0.0.0/0"' in shown
    assert 'cidr_blocks[27]  "10.27.0.0/16" → "0.0.0.0/0"' in shown


def test_a_long_text_is_cut_around_what_differs_and_not_at_all_with_verbose(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    before, after = ("x" * 400 + word + "y" * 400 for word in ("Deny", "Allow"))
    job = changed(infra, ledger, "policy", before, after)
    shown = qd("plan", "show", job).out
    assert "Deny" in shown
    assert "Allow" in shown
    assert max(len(line) for line in shown.splitlines() if "policy" in line) < 200
    assert "long values are cut: --verbose shows them whole" in shown
    whole = qd("plan", "show", job, "--verbose").out
    assert f'policy  "{before}" → "{after}"' in whole
    assert "are cut" not in whole


def test_what_is_sensitive_deep_in_a_value_stays_so(qd: Command, infra: InfraApi, ledger: Row) -> None:
    job = changed(infra, ledger, "master", [{"user": "a", "password": "****"}], [{"user": "b", "password": "****"}])
    shown = qd("plan", "show", job).out
    assert 'master[0].user  "a" → "b"' in shown
    assert "****" not in shown


def test_many_places_are_counted_and_all_of_them_shown_with_verbose(qd: Command, infra: InfraApi, ledger: Row) -> None:
    tags = {f"tag{number}": number for number in range(60)}
    job = changed(infra, ledger, "tags", tags, {name: value + 1 for name, value in tags.items()})
    shown = qd("plan", "show", job).out
    assert ("tags.tag39  39 → 40" in shown, "tags.tag40" in shown) == (True, False)
    assert "… 20 more places: --verbose shows them all" in shown
    assert "tags.tag59  59 → 60" in qd("plan", "show", job, "--verbose").out


@pytest.mark.parametrize(("action", "said"), [("delete", 'tags.owner  "ada"\n'), ("forget", 'tags.owner  "ada"\n')])
def test_what_is_lost_is_told_by_what_it_was(qd: Command, infra: InfraApi, ledger: Row, action: str, said: str) -> None:
    assert said in qd("plan", "show", changed(infra, ledger, "tags", {"owner": "ada"}, None, action)).out


def test_a_plan_that_was_canceled_is_refused_without_a_word_about_what_changes(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    refused = {"ok": False, "code": "plan_unfinished", "reason": "The plan was canceled.", "hint": None}
    job = infra.add_plan(ledger, summary=None, applicable=refused)["id"]
    result = qd("apply", "ledger", "--plan-job-id", job)
    failed(result, 6, "The plan was canceled.", "qd plan ledger --wait")
    assert "nothing changes" not in result.err


def test_approvals_that_do_not_come_in_time_end_with_how_to_apply_afterwards(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    plan = infra.add_plan(ledger, ("create", "a.b"), required=1)["id"]
    result = qd("apply", "ledger", "--wait", "--timeout", "0.01")
    assert result.code == 7
    assert f"then: qd apply ledger --plan-job-id {plan} --wait" in result.err


def test_a_plan_that_is_asked_for_is_no_table(qd: Command, infra: InfraApi, ledger: Row) -> None:
    failed(qd("plan", "ledger", "--wait", "-o", "csv"), 2, "qd plan show JOB -o csv")
    assert infra.changes() == []


@pytest.mark.parametrize("words", [("plan",), ("apply",), ("spec", "show"), ("state", "show"), ("spec", "export")])
def test_nothing_is_chosen_for_who_wants_no_questions(
    qd: Command, infra: InfraApi, ledger: Row, words: tuple[str, ...]
) -> None:
    infra.add_plan(ledger, ("create", "a.b"))
    failed(qd(*words, "--no-input"), 2, "Say which spec: ledger.")
    assert infra.changes() == []
