"""An agent program that a project or a worker describes: contract §9, `{argv[], env, readyPattern, submitKey}` and what
else an adapter has.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.agents.adapter import Adapter, Paste, Sign
from quarterdeck.tasks.orders import ErrorClass

T = TypeVar("T")
LONGEST_PATTERN = 500


class Described(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Patterns are regular expressions, times seconds. What is left out stays as it was."""

    argv: tuple[str, ...] | None = None
    resume: tuple[str, ...] | None = None
    probe: tuple[str, ...] | None = None
    env: dict[str, str] | None = None
    env_names: tuple[str, ...] | None = None
    one_shot: bool | None = None
    names_session: bool | None = None
    ready_pattern: str | None = None
    ready_seconds: float | None = None
    submit_key: str | None = None
    paste: Paste | None = None
    settle_seconds: float | None = None
    auth_patterns: tuple[str, ...] | None = None
    rate_limit_patterns: tuple[str, ...] | None = None
    question_pattern: str | None = None
    confirm_seconds: float | None = None
    dialogs: dict[str, str] | None = None
    """Pattern → the keys that answer it."""
    exit_keys: str | None = None


BARE = Adapter(type="custom", programs=(), argv=(), settle=0.2)


def described(about: dict[str, Any] | None, base: Adapter = BARE, *, where: str = "custom") -> Adapter:
    """`base`, changed by a description. Raises `Invalid` (`agent_description_invalid`), which names what is wrong."""
    try:
        said = msgspec.convert(about or {}, Described)
    except msgspec.ValidationError as error:
        raise _wrong(where, str(error)) from None
    argv = said.argv if said.argv is not None else base.argv
    if not argv or not argv[0]:
        raise _wrong(where, "`argv` names no program")
    signs = (
        *(Sign(_pattern(where, one), keys=keys) for one, keys in (said.dialogs or {}).items()),
        *_signs(where, said.auth_patterns, "agent_auth"),
        *_signs(where, said.rate_limit_patterns, "rate_limited"),
    )
    return replace(
        base,
        type=where if base is BARE else base.type,
        argv=argv,
        programs=(argv[0],) if said.argv is not None else base.programs,
        resume=_other(said.resume, base.resume),
        probe=base.probe if said.probe is None else said.probe,
        environment=(*base.environment, *(said.env_names or ())),
        extra_environment={**base.extra_environment, **(said.env or {})},
        one_shot=_other(said.one_shot, base.one_shot),
        names_session=_other(said.names_session, base.names_session),
        ready=_pattern(where, said.ready_pattern) if said.ready_pattern else base.ready,
        ready_seconds=_other(said.ready_seconds, base.ready_seconds),
        submit=_other(said.submit_key, base.submit),
        paste=_other(said.paste, base.paste),
        settle=_other(said.settle_seconds, base.settle),
        # What is described comes first: a worker may answer a dialog that would otherwise end the attempt.
        signs=(*signs, *base.signs),
        question=_pattern(where, said.question_pattern) if said.question_pattern else base.question,
        confirm=_other(said.confirm_seconds, base.confirm),
        exit_keys=_other(said.exit_keys, base.exit_keys),
    )


def _other(said: T | None, before: T) -> T:
    return before if said is None else said


def _signs(where: str, patterns: tuple[str, ...] | None, code: ErrorClass) -> tuple[Sign, ...]:
    return tuple(Sign(_pattern(where, one), code=code) for one in patterns or ())


def _pattern(where: str, text: str) -> re.Pattern[str]:
    if len(text) > LONGEST_PATTERN:
        raise _wrong(where, f"a pattern has at most {LONGEST_PATTERN} characters")
    try:
        return re.compile(text)
    except re.error as error:
        raise _wrong(where, f"{text!r} is no regular expression ({error})") from None


def _wrong(where: str, what: str) -> Invalid:
    return Invalid(
        f"The agent program {where} is not described well: {what}.",
        code="agent_description_invalid",
        hint="See docs/reference/agents.md for what a description may say.",
    )
