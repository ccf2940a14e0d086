"""What programs and file names say, made fit for JSON and for both databases."""

from __future__ import annotations

from typing import Any

from quarterdeck.kernel.errors import Problem


def storable(value: Any) -> Any:
    """The same value with texts that UTF-8 and PostgreSQL can hold: no lone surrogates, no NUL."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


def told(problem: Problem) -> Problem:
    """The problem with a message of one line, since its second line is read as the hint."""
    problem.message = " ".join(storable(problem.message).split())
    if problem.hint is not None:
        problem.hint = " ".join(storable(problem.hint).split())
    return problem
