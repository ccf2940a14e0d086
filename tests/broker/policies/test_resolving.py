"""Which workflow a request takes: the first rule that fits, by priority, and what stands in for none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.broker.policies import resolving, trying
from quarterdeck.broker.policies.compiling import Compiled
from quarterdeck.broker.policies.facts import Facts
from quarterdeck.broker.workflows import versions, workflows
from quarterdeck.broker.workflows.seeding import MATCH_ALL, STANDARD
from quarterdeck.kernel.db import open_database
from support import broker_rows as rows

ASKED = {
    "project_id": None, "project_uid": "0190-p", "environment": "live", "environment_kind": "production",
    "provider_type": "vault", "secret_ref": "db/orders/password", "operation": "read",
}  # fmt: skip


def about(tx, **given):
    return Facts(rows.organization(tx).id, **{**ASKED, **given})


def taken(tx, **given):
    """The name of the rule, or None for the default; the dry run says the same."""
    facts = about(tx, **given)
    found = resolving.resolve(tx, facts)
    tried = trying.dry_run(tx, facts)
    assert (tried.workflow_uid, tried.explanation) == (found.workflow.uid, found.explanation)
    assert (tried.taken.uid if tried.taken else None) == (found.policy.uid if found.policy else None)
    assert (tried.direct_reveal, tried.direct_reveal_refused) == (found.direct_reveal, found.direct_reveal_refused)
    return found.policy.name if found.policy else None


async def test_an_organization_begins_with_one_workflow_and_one_rule(database):
    def verb(tx):
        found = resolving.resolve(tx, about(tx))
        resolving.resolve(tx, about(tx))  # laid down once
        return found.workflow, found.policy, found.explanation

    workflow, policy, explanation = await database.write(verb)
    assert (workflow.name, workflow.is_default, workflow.is_system, workflow.enabled) == (STANDARD, True, True, True)
    times = [getattr(workflow, one) for one in workflows.TIMES]
    assert times == [7 * 86400, 3600, 300, 14 * 86400]
    assert (workflow.min_approvers, workflow.require_justification, workflow.allow_self_approval) == (1, True, False)
    assert (policy.name, policy.selector, policy.priority, policy.is_system) == (MATCH_ALL, {}, 0, True)
    assert explanation["policy_name"] == MATCH_ALL
    assert MATCH_ALL in explanation["sentence"]


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({}, True),
        ({"environment": "live"}, True),
        ({"environment": "Live"}, False),
        ({"environment": "liv"}, False),
        ({"environment_kind": "prod"}, True),
        ({"environment_kind": "non_prod"}, False),
        ({"provider_type": "vault", "secret_ref_prefix": "db/"}, True),
        ({"provider_type": "vault", "secret_ref_prefix": "DB/"}, False),
        ({"secret_ref_prefix": "db/orders/password"}, True),
        ({"secret_ref_prefix": "db/orders/password2"}, False),
        ({"secret_ref_prefix": "%"}, False),
        ({"operation": "read"}, True),
        ({"operation": "patch"}, False),
        ({"project_id": "0190-p"}, True),
        ({"project_id": "0190-q"}, False),
        # What nobody can write, and a restored or older row may have.
        ({"secret_ref_prefix": ""}, False),
        ({"provider_type": ""}, False),
        ({"cluster": "eu"}, False),
        ({"cluster": None}, False),
        ({"environment": None}, False),
        ({"provider_type": ["vault"]}, False),
        ({"provider_type": "vault", "unknown": "x"}, False),
    ],
)
async def test_every_key_of_a_selector_has_to_fit_exactly_and_an_unknown_one_never_does(database, selector, matches):
    def verb(tx):
        rows.policy(tx, "rule", selector, rows.workflow(tx, "other"))
        return taken(tx)

    assert await database.write(verb) == ("rule" if matches else MATCH_ALL)


async def test_what_a_request_says_nothing_about_is_matched_by_no_key(database):
    """But for the kind of its environment: one that nobody knows counts as production."""

    def verb(tx):
        other = rows.workflow(tx, "other")
        rows.policy(tx, "project", {"project_id": "0190-p"}, other, priority=300)
        rows.policy(tx, "environment", {"environment": "live"}, other, priority=200)
        rows.policy(tx, "harmless", {"environment_kind": "non_prod"}, other, priority=150)
        rows.policy(tx, "production", {"environment_kind": "prod"}, other)
        nothing = {"project_uid": None, "environment": None, "environment_kind": None}
        return taken(tx, **nothing), taken(tx, **{**nothing, "environment_kind": "custom"})

    assert await database.write(verb) == ("production", "harmless")


async def test_the_highest_priority_wins_then_the_projects_own_then_the_oldest(database):
    def verb(tx):
        other, project = rows.workflow(tx, "other"), rows.project(tx)
        mine = {"project_id": project.id}
        earlier = tx.now - timedelta(hours=1)
        told = [taken(tx, **mine)]
        for name, values in (
            ("young", {}),
            ("old", {"created_at": earlier}),
            ("of the project", {"project_id": project.id}),
            ("of another", {"project_id": rows.project(tx, "orders").id, "priority": 9}),
            ("higher", {"priority": 101}),
        ):
            rows.policy(tx, name, {}, other, **values)
            told.append(taken(tx, **mine))
        return told, taken(tx, project_id=None)

    told, without = await database.write(verb)
    assert told == [MATCH_ALL, "young", "old", "of the project", "of the project", "higher"]
    assert without == "higher"


async def test_a_rule_of_a_project_is_nobody_elses(database):
    def verb(tx):
        project, other = rows.project(tx), rows.project(tx, "orders")
        rows.policy(tx, "own", {}, rows.workflow(tx, "other"), project_id=project.id)
        return [taken(tx, project_id=one) for one in (project.id, other.id, None)]

    assert await database.write(verb) == ["own", MATCH_ALL, MATCH_ALL]


async def test_a_disabled_workflow_means_the_next_rule_and_a_disabled_rule_is_none(database):
    def verb(tx):
        asleep, other = rows.workflow(tx, "asleep", enabled=False), rows.workflow(tx, "other")
        rows.policy(tx, "first", {}, asleep, priority=300)
        rows.policy(tx, "off", {}, other, priority=250, enabled=False)
        rows.policy(tx, "second", {}, other, priority=200)
        trial = trying.dry_run(tx, about(tx))
        return (
            taken(tx),
            resolving.resolve(tx, about(tx)).explanation,
            [(one.rule.name, one.outcome) for one in trial.looked],
        )

    name, explanation, looked = await database.write(verb)
    assert name == "second"
    assert [one["policy_name"] for one in explanation["passed_over"]] == ["first"]
    assert "asleep" in explanation["passed_over"][0]["reason"]
    assert looked == [("first", "workflow-disabled"), ("second", "taken")]


async def test_without_a_rule_the_default_workflow_is_taken(database):
    def verb(tx):
        found = resolving.resolve(tx, about(tx))
        found.policy.enabled = False
        versions.renew(tx, found.workflow.organization_id)
        again = resolving.resolve(tx, about(tx))
        return taken(tx), again.workflow.name, again.explanation

    name, workflow, explanation = await database.write(verb)
    assert (name, workflow) == (None, STANDARD)
    assert "No rule matches" in explanation["sentence"]
    assert "policy_id" not in explanation


async def test_nothing_in_production_is_read_without_approval_whatever_a_rule_says(database):
    def verb(tx):
        rows.policy(tx, "direct", {}, rows.workflow(tx, "other"), direct_reveal=True)
        found = []
        for kind in ("production", None, "staging", "custom"):
            assert taken(tx, environment_kind=kind) == "direct"
            one = resolving.resolve(tx, about(tx, environment_kind=kind))
            found.append((one.direct_reveal, one.direct_reveal_refused))
        return found

    assert await database.write(verb) == [(False, True), (False, True), (True, False), (True, False)]


async def test_rules_of_one_organization_are_not_anothers(database):
    def verb(tx):
        rows.policy(tx, "theirs", {}, rows.workflow(tx, "other", ref="org_other"))
        return taken(tx), resolving.resolve(tx, Facts(rows.organization(tx, "org_other").id, **ASKED)).policy.name

    assert await database.write(verb) == (MATCH_ALL, "theirs")


async def test_what_was_compiled_is_used_until_something_changes_and_an_undone_change_is_none(database_address):
    compiled = Compiled()
    database, elsewhere = open_database(database_address, parts=[compiled]), open_database(database_address)
    kept = []

    def resolved(tx):
        found = resolving.resolve(tx, about(tx))
        kept.append(tx.part(Compiled).book(tx, rows.organization(tx).id))
        return found.policy.name

    def undone(tx):
        rows.policy(tx, "never", {}, rows.workflow(tx, "passing"))
        assert resolved(tx) == "never"
        raise ZeroDivisionError

    try:
        assert [await database.write(resolved) for _ in range(2)] == [MATCH_ALL] * 2
        assert kept[0] is kept[1]
        with pytest.raises(ZeroDivisionError):
            await database.write(undone)
        assert await database.write(resolved) == MATCH_ALL
        # Another server's change counts at once.
        await elsewhere.write(lambda tx: rows.policy(tx, "new", {}, rows.workflow(tx, "other")))
        assert await database.write(resolved) == "new"
    finally:
        database.close_sync()
        elsewhere.close_sync()


async def test_rules_that_were_laid_down_in_an_undone_unit_are_laid_down_again(database_address):
    compiled = Compiled()
    database = open_database(database_address, parts=[compiled])

    def resolved(tx, ends=False):
        name = resolving.resolve(tx, about(tx)).policy.name
        if ends:
            raise ZeroDivisionError
        return name

    try:
        place = (await database.write(rows.organization)).id
        with pytest.raises(ZeroDivisionError):
            await database.write(resolved, True)
        assert compiled.laid == set()
        assert await database.write(resolved) == MATCH_ALL
        assert compiled.laid == {place}
    finally:
        database.close_sync()


async def test_an_explanation_names_a_bounded_number_of_rules(database):
    def verb(tx):
        asleep = rows.workflow(tx, "asleep", enabled=False)
        for number in range(resolving.SAID + 5):
            rows.policy(tx, f"rule {number}", {}, asleep)
        return resolving.resolve(tx, about(tx)).explanation

    explanation = await database.write(verb)
    assert len(explanation["passed_over"]) == resolving.SAID
    assert f"{resolving.SAID + 5} that matched before it have a disabled workflow" in explanation["sentence"]
