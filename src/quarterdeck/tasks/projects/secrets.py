"""What of a project nobody reads back: its git token and the variables of its agents, both sealed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret
from quarterdeck.tasks.projects.fields import MOST_VARIABLES, check_environment
from quarterdeck.tasks.projects.model import TaskProject

TABLE = TaskProject.__tablename__
LONGEST_TOKEN = 4096
LARGEST = 256 * 1024  # characters of all variables together


def git_token(tx: Tx, project: TaskProject) -> Secret[str] | None:
    """What the repository is fetched from and pushed to with, over HTTPS."""
    return None if project.git_token is None else tx.vault.open(TABLE, project.uid, "git_token", project.git_token)


def keep_git_token(tx: Tx, project: TaskProject, token: Secret[str] | None) -> bool:
    """Seal another token, or forget it. Answers whether anything changed. Raises `Invalid` (`git_token_invalid`)."""
    if token is None:
        held, project.git_token = project.git_token is not None, None
        return held
    text = token.reveal().strip()
    if not text or len(text) > LONGEST_TOKEN or not text.isprintable() or not text.isascii() or " " in text:
        raise Invalid(
            "This is no token of a forge.",
            code="git_token_invalid",
            hint="Copy it as the forge shows it: one word.",
            field="token",
        )
    known = git_token(tx, project)
    if known is not None and known.matches(text):
        return False
    project.git_token = tx.vault.seal(TABLE, project.uid, "git_token", text)
    return True


def environment(tx: Tx, project: TaskProject) -> dict[str, Secret[str]]:
    """The variables that its agents are started with."""
    return {name: Secret(value) for name, value in _environment(tx, project).items()}


def names(tx: Tx, project: TaskProject) -> list[str]:
    """Names of the variables, sorted."""
    return sorted(_environment(tx, project))


def keep_environment(tx: Tx, project: TaskProject, news: Mapping[str, str | None], field: str) -> bool:
    """Set what is given, take away what is None, leave the rest. Answers whether anything changed. Raises `Invalid`."""
    check_environment(news, field)
    before = _environment(tx, project)
    after = {name: value for name, value in {**before, **news}.items() if value is not None}
    if after == before:
        return False
    text = msgspec.json.encode(after).decode()
    if len(after) > MOST_VARIABLES or len(text) > LARGEST:
        raise Invalid(
            f"{field}: there are at most {MOST_VARIABLES} variables of {LARGEST} characters together.",
            code="project_invalid",
            hint="Take some away.",
            field=field,
        )
    project.environment = tx.vault.seal(TABLE, project.uid, "environment", text) if after else None
    return True


def _environment(tx: Tx, project: TaskProject) -> dict[str, str]:
    if project.environment is None:
        return {}
    sealed = tx.vault.open(TABLE, project.uid, "environment", project.environment)
    found: dict[str, str] = msgspec.json.decode(sealed.reveal(), type=dict[str, str])
    return found
