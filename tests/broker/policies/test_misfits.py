"""Why a rule does not match, in the words of the dry run."""

from __future__ import annotations

import pytest

from quarterdeck.broker.policies import trying
from quarterdeck.broker.policies.facts import Facts
from support import broker_rows as rows


@pytest.mark.parametrize(
    ("selector", "reason"),
    [
        ({"environment": "live"}, "the request names none"),
        ({"provider_type": "aws-sm"}, "It asks for provider_type aws-sm; here it is vault."),
        ({"environment_kind": "non_prod"}, "here it is prod"),
        ({"secret_ref_prefix": "api/"}, "begins otherwise"),
        ({"cluster": "eu"}, "never matches"),
    ],
)
async def test_a_rule_that_does_not_match_says_what_does_not_fit(database, selector, reason):
    def verb(tx):
        rows.policy(tx, "rule", selector, rows.workflow(tx, "other"))
        asked = Facts(rows.organization(tx).id, None, None, None, None, "vault", "db/password", "read")
        return trying.dry_run(tx, asked).looked[0]

    looked = await database.write(verb)
    assert looked.outcome == "not-matched"
    assert reason in looked.reason


async def test_a_rule_of_another_project_says_so(database):
    def verb(tx):
        rows.policy(tx, "rule", {}, rows.workflow(tx, "other"), project_id=rows.project(tx).id)
        asked = Facts(rows.organization(tx).id, None, None, None, None, "vault", "db/password", "read")
        return trying.dry_run(tx, asked).looked[0].reason

    assert await database.write(verb) == "It is a rule of another project."
