"""What may be said about a project: each field by its name on the wire, and the column that keeps it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks import pipelines
from quarterdeck.tasks.projects import addresses

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
BRANCH = re.compile(r"(?!-)[^\x00-\x20\x7f~^:?*\[\\]{1,250}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
FORGES = ("github", "gitlab", "gitea")
PATTERNS = ("readyPattern", "questionPattern", "authPatterns", "rateLimitPatterns", "dialogs")
"""Of a custom agent: one regular expression, several, or those that keys answer."""
LONGEST_COMMAND, LONGEST_PATTERN = 10_000, 500
MOST_ARGUMENTS, MOST_VARIABLES, MOST_TASKS = 100, 100, 1000


def check_key(key: str) -> str:
    """Raises `Invalid` (`project_key_invalid`); `-` alone is never a key: a route has it in a key's place."""
    if KEY.fullmatch(key):
        return key
    raise Invalid(
        "A key is 1 to 64 letters, digits, _ and -, and begins with a letter or digit.",
        code="project_key_invalid",
        hint="Choose a short one, such as WEB.",
        field="key",
    )


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns by what was given of `FIELDS`; None takes a value away. Raises `Invalid` that names the field."""
    columns: dict[str, Any] = {}
    for name, value in values.items():
        column, rule = FIELDS[name]
        if value is None and name in REQUIRED:
            raise _wrong(name, "it cannot be taken away")
        columns[column] = None if value is None else rule(value, name)
    return columns


def check_branch(text: str, field: str = "defaultBranch") -> str:
    """As git has it. Raises `Invalid`."""
    parts = text.split("/")
    bad = any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    if not BRANCH.fullmatch(text) or bad or ".." in text or "@{" in text or text.endswith(".") or text == "@":
        raise _wrong(field, "git allows no branch of that name")
    return text


def check_environment(values: Mapping[str, str | None], field: str) -> None:
    """Raises `Invalid` that names the variable."""
    for name, value in values.items():
        if not VARIABLE.fullmatch(name):
            raise _wrong(field, f"{name[:40]!r} is no name of a variable")
        if value is not None and ("\x00" in value or len(value) > 64 * 1024):
            raise _wrong(f"{field}.{name}", "a value has at most 65,536 characters")


def check_agent_type(text: str, field: str = "agentType") -> str:
    if not pipelines.is_agent(text):
        raise _wrong(field, pipelines.AGENTS)
    return text


def require_described(agent_type: str | None, custom_agent: Mapping[str, Any] | None) -> None:
    """Raises `Invalid` where tasks shall have the program `custom`, and nothing says what that is."""
    if agent_type == pipelines.CUSTOM and not custom_agent:
        raise Invalid(
            "customAgent: the agent custom is a program that the project describes, and this one describes none.",
            code="project_invalid",
            hint='Give customAgent, at the least {"argv": ["my-agent"]}: docs/reference/agents.md has an example.',
            field="customAgent",
        )


def _pipeline(value: list[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    pipelines.check(value, field)
    return pipelines.kept(value)


def _custom_agent(value: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Contract §9, and what else an agent program has. `env` is shown to whoever sees the project: secrets belong into
    its environment.
    """
    argv = value.get("argv")
    if not argv or len(argv) > MOST_ARGUMENTS or not argv[0].strip() or any("\x00" in one for one in argv):
        raise _wrong(f"{field}.argv", f"it is a program and its arguments, at most {MOST_ARGUMENTS}")
    check_environment(value.get("env") or {}, f"{field}.env")
    for name in PATTERNS:
        found = value.get(name)
        for pattern in [found] if isinstance(found, str) else found or ():
            _check_pattern(pattern, f"{field}.{name}")
    if value.get("submitKey") == "":
        raise _wrong(f"{field}.submitKey", "leave it out for Enter")
    return {key: one for key, one in value.items() if one is not None}


def _check_pattern(pattern: str, field: str) -> None:
    if not 1 <= len(pattern) <= LONGEST_PATTERN:
        raise _wrong(field, f"a pattern has 1 to {LONGEST_PATTERN} characters")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        raise _wrong(field, "it is no regular expression") from None


def _repository(value: str, field: str) -> str:
    return addresses.repository(value, field)


def _over_ssh(value: str, field: str) -> str:
    return addresses.repository(value, field, addresses.OVER_SSH)


def _over_http(value: str, field: str) -> str:
    return addresses.check(value, field, addresses.OVER_HTTP)


def _command(value: str, field: str) -> str | None:
    if len(value) > LONGEST_COMMAND:
        raise _wrong(field, f"a command has at most {LONGEST_COMMAND} characters")
    return value if value.strip() else None


def _forge(value: str, field: str) -> str:
    if value not in FORGES:
        raise _wrong(field, f"the forges are {', '.join(FORGES)}")
    return value


def _flag(value: bool, field: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(field, "it is true or false")
    return value


def _most(value: int, field: str) -> int:
    if not 0 <= value <= MOST_TASKS:
        raise _wrong(field, f"it is 0 to {MOST_TASKS}; 0 is without a limit")
    return value


def _amount(value: float, field: str) -> float:
    if not math.isfinite(value) or not 0 < value <= 1_000_000:
        raise _wrong(field, "it is more than 0 and at most 1,000,000 dollars")
    return float(value)


FIELDS: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "repoUrl": ("repo_url", _repository),
    "sshUrl": ("ssh_url", _over_ssh),
    "defaultBranch": ("default_branch", check_branch),
    "agentType": ("agent_type", check_agent_type),
    "customAgent": ("custom_agent", _custom_agent),
    "pipeline": ("pipeline", _pipeline),
    "forge": ("forge", _forge),
    "forgeUrl": ("forge_url", _over_http),
    "mergeRequests": ("merge_requests", _flag),
    "setupCommand": ("setup_command", _command),
    "cleanupCommand": ("cleanup_command", _command),
    "maxTasks": ("most_tasks", _most),
    "budgetUsd": ("budget_usd", _amount),
}
REQUIRED = {"defaultBranch", "mergeRequests", "maxTasks"}


def _wrong(field: str, rule: str) -> Invalid:
    return Invalid(f"{field}: {rule}.", code="project_invalid", hint="Change it, then send it again.", field=field)
