"""The words that a personal token is narrowed by."""

from __future__ import annotations

import json
from pathlib import Path

from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.access.scopes import SCOPES, narrowed

CONTRACT = json.loads((Path(__file__).parents[2] / "contract" / "deploy.operations.json").read_text())["operations"]


def test_reading_reads_alone():
    kinds = {f"deploy:{one['operationKey']}": one["kind"] for one in CONTRACT}
    assert SCOPES["deploy:read"] <= CATALOGUE.keys()
    assert {key for key in SCOPES["deploy:read"] if kinds[key] != "query"} == set()
    assert "deploy:projects.list" in SCOPES["deploy:read"]


def test_no_scope_changes_ones_own_account():
    own = ("account.delete", "account.profile.change", "account.sessions.revoke", "organizations.switch-current")
    for word, keys in SCOPES.items():
        assert not keys & {f"deploy:{key}" for key in own}, word


def test_words_that_are_gone_leave_nothing():
    assert narrowed([]) == frozenset()
    assert narrowed(["gone"]) == frozenset({"nothing"})
