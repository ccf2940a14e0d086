"""Which jobs an agent takes: its scope as words of routes (`kernel.jobs.routes`).

A scope is an object of texts. An agent with `{"cluster": "eu"}` has the capability `secrets:cluster:eu`, which jobs
that ask for that cluster need. Words that are facts of every request confine as well: an agent with
`{"environment": "staging"}` takes no job that is not of staging.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from quarterdeck.broker.agents.standing import SECRETS
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs.routes import LABEL

FACTS = ("project_id", "environment", "provider_type")
"""Words whose values every job of a request bears."""
OPEN = f"{LABEL}{SECRETS}:open"
"""Borne by jobs that others than the server's own worker may take."""
WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST, LONGEST = 10, 200


def checked(scope: Mapping[str, Any] | None) -> dict[str, str]:
    """A scope as it is kept. Raises `Invalid` (`agent_scope_invalid`): what is not understood would let an agent, or a
    job, go further than was meant.
    """
    found = dict(scope or {})
    if len(found) > MOST:
        raise _invalid(f"A scope has at most {MOST} words.")
    for word, value in found.items():
        if not WORD.fullmatch(word) or word in {"foreign", "elsewhere", "open", "knows"}:
            raise _invalid(f"{word[:40]!r} is no word of a scope.")
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
            raise _invalid(f"The value of {word} is no text of 1 to {LONGEST} characters.")
    return {word: value.strip() for word, value in found.items()}


def _invalid(told: str) -> Invalid:
    return Invalid(told, code="agent_scope_invalid", hint='Send an object such as {"cluster": "eu"}.', field="scope")


def capability(word: str, value: str) -> str:
    return f"{SECRETS}:{word}:{quote(value, safe='')}"


def capabilities(scope: Mapping[str, str]) -> frozenset[str]:
    """What an agent of this scope has, or a job of this scope needs, beside `secrets`."""
    return frozenset(capability(word, value) for word, value in scope.items())


def labels(facts: Mapping[str, str | None]) -> frozenset[str]:
    """What a job bears of the facts of its request."""
    return frozenset(
        LABEL + capability(word, value) for word, value in facts.items() if word in FACTS and value is not None
    )


def confining(scope: Mapping[str, str]) -> frozenset[str]:
    """Labels that a job has to bear for an agent of this scope."""
    return labels(scope) | {OPEN}


def covers(scope: Mapping[str, str], facts: Mapping[str, str | None]) -> bool:
    """Whether each word of a scope is a fact with the same value; an empty scope covers everything."""
    return all(facts.get(word) == value for word, value in scope.items())


def of_capabilities(words: Iterable[str]) -> dict[str, str]:
    """The scope that a worker was enrolled with: the words `secrets:cluster:eu` among its capabilities."""
    found: dict[str, str] = {}
    for one in words:
        name, _, rest = one.partition(":")
        word, mark, value = rest.partition(":")
        if name == SECRETS and mark and WORD.fullmatch(word):
            found[word] = unquote(value)
    return found
