"""What the pages have words for is what there is: a new one is missed here, not by a reader."""

from __future__ import annotations

from quarterdeck.access import scopes
from quarterdeck.access.catalogue import FAMILIES
from quarterdeck.access.roles import HIGHEST
from quarterdeck.console.pages import ledger, own_tokens, people, roles
from quarterdeck.identity import organizations


def test_there_are_words_for_every_rank_family_scope_and_outcome() -> None:
    assert list(people.MAY) == list(organizations.RANK)
    assert list(roles.FAMILIES) == list(FAMILIES) == list(HIGHEST)
    assert own_tokens.SCOPES.keys() == scopes.SCOPES.keys()
    assert ledger.OUTCOMES == ("success", "failure", "denied")
