"""Who may write which rule (contract: broker §5.1).

Who has `policy.edit` writes any. Who has `policy.author` at a project writes rules of that project: never about
production, and never letting anybody read without approval.
"""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.access import Access, Place
from quarterdeck.broker.policies.selectors import NON_PROD, PREFIX
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.workspace.model import Project

EDIT, AUTHOR = "broker:policy.edit", "broker:policy.author"


def require(
    tx: Tx, access: Access, project: Project | None, selector: Mapping[str, str], *, direct_reveal: bool
) -> None:
    """Whether the caller may have such a rule come, change or go. Raises `Forbidden`: with the permission that is
    lacking, or `policy_beyond_author` for a rule that only `policy.edit` may write.
    """
    access.load(tx)
    if project is None or access.decide(tx.principal, EDIT).allowed:
        access.require(tx.principal, EDIT)
        return
    about = {"project_id": project.uid}
    for key, fact in (("environment", "environment"), ("provider_type", "provider_type"), (PREFIX, "secret_ref")):
        if key in selector:
            about[fact] = selector[key]
    if not access.decide(tx.principal, AUTHOR, Place(about=about)).allowed:
        access.require(tx.principal, EDIT)
    if selector.get("environment_kind") != NON_PROD:
        raise _beyond(
            "A rule of a project's author is never about production.",
            f'Send "environment_kind": "{NON_PROD}" in its selector.',
        )
    if direct_reveal:
        raise _beyond(
            "An author's rule lets nobody read without approval.",
            "Leave direct_reveal_allowed out, or ask an administrator.",
        )


def _beyond(what: str, hint: str) -> Forbidden:
    return Forbidden(what, code="policy_beyond_author", hint=hint)
