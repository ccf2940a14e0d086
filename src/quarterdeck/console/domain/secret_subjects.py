"""Things of the broker by their ids, for the trail: their names and their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quarterdeck.broker.connections import connections
from quarterdeck.broker.policies import policies
from quarterdeck.broker.requests import naming
from quarterdeck.broker.workflows import workflows
from quarterdeck.console.views.secrets import AGENTS, CONNECTIONS, FOUND, REQUESTS, RULES, SECRETS, WORKFLOWS
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound

Subject = tuple[str, str | None]
KINDS: Mapping[str, Subject] = {
    "agent": ("agent", AGENTS),
    "argocd-endpoint": ("ArgoCD endpoint", None),
    "cluster": ("cluster", FOUND),
    "gitops-app-mapping": ("connected application", None),
    "policy": ("rule", RULES),
    "provider-connection": ("connection", CONNECTIONS),
    "request": ("request", SECRETS),
    "secret": ("secret", None),
    "workflow": ("workflow", WORKFLOWS),
    "wrap": ("value", None),
}


def _request(tx: Tx, ref: str) -> Subject | None:
    """By the secret that it is for; whether the reader may see more of it is asked by its page."""
    found = naming.secret_of(tx, ref)
    return (f"request for {found}", f"{REQUESTS}/{ref}") if found is not None else None


def _agent(tx: Tx, ref: str) -> Subject | None:
    found = naming.agent(tx, ref)
    return (f"agent {found}", f"{AGENTS}/{ref}") if found is not None else None


def _found(look: Callable[[Tx, str], str], word: str, page: str) -> Callable[[Tx, str], Subject | None]:
    def subject(tx: Tx, ref: str) -> Subject | None:
        try:
            return f"{word} {look(tx, ref)}", f"{page}/{ref}"
        except NotFound:
            return None

    return subject


LOOKS: Mapping[str, Callable[[Tx, str], Subject | None]] = {
    "agent": _agent,
    "policy": _found(lambda tx, ref: policies.find(tx, ref).name, "rule", RULES),
    "provider-connection": _found(lambda tx, ref: connections.find(tx, ref).name, "connection", CONNECTIONS),
    "request": _request,
    "workflow": _found(lambda tx, ref: workflows.find(tx, ref).name, "workflow", WORKFLOWS),
}
