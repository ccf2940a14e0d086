"""Who acts, and the circumstances of the act: carried by a context variable from the edge into every unit of work."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

PrincipalKind = Literal["user", "deploy-token", "worker", "runner", "agent", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated subject. `id` is the row id of the user, token or worker; 0 is the system itself.

    `organization_id` is the current organization of the session. `scopes` is empty for an unrestricted credential,
    else the permission keys it is narrowed to. `credential` names the session or token by `uid`, never by value;
    `by_token` says that it is a token of a program, which makes no new credentials; `vouched` that an identity provider
    speaks for it, which it does for its own organization alone.
    """

    kind: PrincipalKind
    id: int
    uid: str
    label: str
    organization_id: int | None = None
    credential: str | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    by_token: bool = False
    vouched: bool = False

    @property
    def acts_in(self) -> int:
        """The number of its current organization, for rules that only users come to: their credentials have one."""
        assert self.organization_id is not None  # noqa: S101
        return self.organization_id

    @property
    def stays(self) -> bool:
        """Whether it acts in its own organization alone, whatever its user is a member of."""
        return self.by_token or self.vouched


SYSTEM = Principal(kind="system", id=0, uid="system", label="quarterdeck")


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of a unit of work: recorded in every audit event and log line."""

    principal: Principal = SYSTEM
    request_id: str = "-"
    correlation_id: str = "-"
    address: str | None = None


current: ContextVar[Context] = ContextVar("quarterdeck_context", default=Context())  # noqa: B039 - frozen value
