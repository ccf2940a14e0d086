"""What the pages about servers and their keys ask of the rest of the program: see `ports`."""

from __future__ import annotations

from typing import Any, Protocol

from quarterdeck.console.views.fleet import (
    CapacityView,
    CredentialRow,
    EngineView,
    LeftRow,
    Looked,
    PolicyForm,
    PolicyRow,
    ServerChoice,
    ServerView,
    SurveyView,
)

Principal = Any


class Fleet(Protocol):
    """Servers, by their references, and the keys they are reached with."""

    async def server(self, who: Principal, ref: str) -> ServerView: ...

    async def look(self, who: Principal, ref: str) -> Looked:
        """Sign in and look; takes seconds."""
        ...

    async def look_at_draft(self, who: Principal, choice: ServerChoice) -> Looked:
        """The same for a server that is not registered; nothing is kept."""
        ...

    async def keep_key(self, who: Principal, *, name: str, username: str, key: str | None) -> str:
        """Store a key, or without one a new one. Raises Forbidden for who may not."""
        ...

    async def survey(self, who: Principal, ref: str) -> SurveyView:
        """The edge as it runs, and what else the machine does; takes seconds."""
        ...

    async def left_on_server(self, who: Principal, ref: str) -> tuple[LeftRow, ...]:
        """What of ours is on a server; takes seconds."""
        ...

    async def uninstall_server(
        self, who: Principal, ref: str, confirmation: str, *, without_engine: bool
    ) -> tuple[LeftRow, ...]:
        """Take it away; `confirmation` is the server's name. `without_engine` leaves what one holds that does not
        answer.
        """
        ...

    async def policies(self, who: Principal) -> tuple[PolicyRow, ...]:
        """By which all servers are tidied."""
        ...

    async def configure_policy(self, who: Principal, policy: PolicyForm) -> None: ...

    async def capacity(self, who: Principal, ref: str) -> CapacityView: ...

    async def credentials(self, who: Principal) -> tuple[CredentialRow, ...]: ...

    async def add_server(self, who: Principal, choice: ServerChoice) -> str: ...

    async def rename_server(self, who: Principal, ref: str, name: str) -> None: ...

    async def sign_in_to_server(self, who: Principal, ref: str, *, credential: str, username: str) -> None: ...

    async def move_server(self, who: Principal, ref: str, *, host: str, port: str, fingerprint: str) -> None:
        """Looks at the machine there first; takes seconds. `fingerprint` is a host key that somebody has compared, or
        empty.
        """
        ...

    async def choose_edge(self, who: Principal, ref: str, kind: str) -> None: ...

    async def bring_up_edge(self, who: Principal, ref: str) -> None: ...

    async def engine(self, who: Principal, ref: str) -> EngineView:
        """Looks at the machine. Raises the problem of one that cannot be signed in to."""
        ...

    async def use_engine(self, who: Principal, ref: str, plan_id: str) -> None:
        """Does what the plan of this id says; raises Conflict when that is another one by now."""
        ...

    async def refuse_engine(self, who: Principal, ref: str, reason: str) -> None: ...

    async def trust_host_key(self, who: Principal, ref: str, fingerprint: str) -> None: ...

    async def deactivate_server(self, who: Principal, ref: str, reason: str) -> None: ...

    async def delete_server(self, who: Principal, ref: str, confirmation: str, *, with_history: bool) -> None:
        """`confirmation` is the server's name; `with_history` erases what was deployed to it."""
        ...

    async def add_credential(self, who: Principal, *, name: str, username: str, key: str) -> None: ...

    async def delete_credential(self, who: Principal, ref: str) -> None: ...
