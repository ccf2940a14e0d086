"""What a left room needs from a right one, said on the left, implemented on the right, wired in `app.py`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

    from quarterdeck.kernel.db.tx import Tx
    from quarterdeck.kernel.errors import Unauthenticated
    from quarterdeck.kernel.jobs import JobKind, Jobs
    from quarterdeck.kernel.principal import Principal


class DeletionBlocker(Protocol):
    """Says why a thing may not be deleted yet."""

    def blockers(self, tx: Tx, kind: str, row_id: int) -> list[tuple[str, int]]:
        """Pairs of blocker word (`environment`, `deployment-history`) and how many such rows stand in the way."""
        ...

    def forget(self, tx: Tx, kind: str, row_id: int) -> None:
        """Remove what this room still keeps of a thing that goes now: rows that stand in nobody's way."""
        ...


class Authenticator(Protocol):
    """Says who calls. The frame asks it before the body is read."""

    async def authenticate(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
        """The caller, or None when the request carries no credential that this installation knows.

        An `Authorization` header is looked at first and alone when present; cookies only without one. A credential
        that is present and wrong raises `Unauthenticated`.
        """
        ...


class Callers(Protocol):
    """Knows those who come to some routes beside people, or instead of them: programs with credentials of their own,
    which are good on these routes alone. The frame asks it before the body is read.
    """

    def credential(self, connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
        """What the request shows of this kind, as text; None where it shows nothing."""
        ...

    def missing(self) -> Unauthenticated:
        """What is told where nobody that the route takes has shown anything."""
        ...

    async def authenticate(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
        """The caller who shows this. Raises `Unauthenticated` where it is nobody's."""
        ...


class Authorizer(Protocol):
    """Says whether the caller may."""

    async def require(
        self, principal: Principal, permission: str, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> None:
        """Return when `principal` may use `permission` on what the request names, else raise `Forbidden`."""
        ...


class Beside(NamedTuple):
    """Work beside the server, which is begun anew when it ends, and what it is called."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]


class Apart(NamedTuple):
    """Places that the server's own worker keeps for a capability, and what of it that may be named by itself it has."""

    places: int
    parts: frozenset[str] = frozenset()


class Capability(Protocol):
    """What a room adds to a running installation; its `composition` makes one, `instance.py` knows no more of it."""

    @property
    def apart(self) -> Mapping[str, Apart]:
        """Capabilities for which the server's own worker keeps places of their own."""
        ...

    def kinds(self) -> Sequence[JobKind]:
        """The kinds of job that it brings."""
        ...

    def reached_at(self, address: str) -> None:
        """At which address programs on this machine reach the server, such as `http://127.0.0.1:8700`; told before
        `ready` by whoever serves it.
        """
        ...

    async def ready(self) -> None:
        """Called at each start, before any job runs."""
        ...

    def beside(self, jobs: Jobs) -> Sequence[Beside]:
        """What runs from then on until the end."""
        ...
