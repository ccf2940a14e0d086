"""What the pages about brokered secrets ask of the rest of the program: see `ports`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from quarterdeck.console.views.secret_places import (
    AgentRow,
    ConnectionDraft,
    ConnectionRow,
    FoundAsked,
    FoundList,
    NewAgent,
)
from quarterdeck.console.views.secret_rules import RuleDraft, RuleRow, WorkflowDraft, WorkflowRow
from quarterdeck.console.views.secrets import (
    Choices,
    RequestList,
    RequestsAsked,
    RequestView,
    Revealed,
    TrialView,
    Wanted,
)

Principal = Any


class SecretRequests(Protocol):
    """Requests, by their uids."""

    async def secret_requests(self, who: Principal, asked: RequestsAsked, limit: int) -> RequestList: ...

    async def secret_request(self, who: Principal, uid: str) -> RequestView: ...

    async def secret_choices(self, who: Principal) -> Choices: ...

    async def try_secret(self, who: Principal, wanted: Wanted) -> TrialView:
        """What would happen to it; nothing is made."""
        ...

    async def ask_for_secret(self, who: Principal, wanted: Wanted) -> str:
        """Answers the uid of the request."""
        ...

    async def edit_secret_request(self, who: Principal, uid: str, wanted: Wanted) -> None:
        """The reason, and the keys or the values; without values they stay."""
        ...

    async def say_of_secret_request(self, who: Principal, uid: str, *, agree: bool, comment: str) -> None: ...

    async def cancel_secret_request(self, who: Principal, uid: str) -> None: ...

    async def review_secret_request(self, who: Principal, uid: str, comment: str) -> None: ...

    async def reveal_secret(self, who: Principal, uid: str, wrap: str) -> Revealed:
        """A value, which is gone from here when this is answered."""
        ...


class SecretRules(Protocol):
    """Rules and the workflows that they lead to."""

    async def secret_rules(self, who: Principal) -> tuple[RuleRow, ...]: ...

    async def secret_rule(self, who: Principal, uid: str) -> RuleRow: ...

    async def save_secret_rule(self, who: Principal, uid: str, draft: RuleDraft) -> str:
        """Without a uid another one is made. Answers its uid."""
        ...

    async def delete_secret_rule(self, who: Principal, uid: str, confirmation: str) -> None: ...

    async def secret_workflows(self, who: Principal) -> tuple[WorkflowRow, ...]: ...

    async def secret_workflow(self, who: Principal, uid: str) -> WorkflowRow: ...

    async def save_secret_workflow(self, who: Principal, uid: str, draft: WorkflowDraft) -> str:
        """Without a uid another one is made. Answers its uid."""
        ...

    async def delete_secret_workflow(self, who: Principal, uid: str, confirmation: str) -> None: ...

    async def secret_roles(self, who: Principal) -> tuple[tuple[str, str], ...]:
        """Uids and names of the roles that a step may ask for."""
        ...

    async def secret_projects(self, who: Principal) -> tuple[tuple[str, str], ...]:
        """Uids and names of projects that rules may be about."""
        ...


class SecretPlaces(Protocol):
    """Where secrets are kept, who carries them, and what there is."""

    async def secret_agents(self, who: Principal) -> tuple[AgentRow, ...]: ...

    async def secret_agent(self, who: Principal, uid: str) -> AgentRow: ...

    async def mint_secret_agent(self, who: Principal, *, name: str, scope: Mapping[str, str]) -> NewAgent: ...

    async def rotate_secret_agent(self, who: Principal, uid: str, *, grace: int) -> NewAgent:
        """`grace`: for how many seconds the secret of before counts beside the new one."""
        ...

    async def revoke_secret_agent(self, who: Principal, uid: str, reason: str, confirmation: str) -> None: ...

    async def secret_connections(self, who: Principal) -> tuple[ConnectionRow, ...]: ...

    async def secret_connection(self, who: Principal, uid: str) -> ConnectionRow: ...

    async def save_secret_connection(self, who: Principal, uid: str, draft: ConnectionDraft) -> str:
        """Without a uid another one is made. Answers its uid."""
        ...

    async def switch_secret_connection(self, who: Principal, uid: str, *, on: bool) -> None: ...

    async def discover_secrets(self, who: Principal, uid: str) -> None: ...

    async def delete_secret_connection(self, who: Principal, uid: str, confirmation: str) -> None: ...

    async def found_secrets(self, who: Principal, asked: FoundAsked, limit: int) -> FoundList: ...


class Secrets(SecretRequests, SecretRules, SecretPlaces, Protocol):
    """All of them."""
