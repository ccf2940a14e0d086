"""Which clouds this program can speak to: rooms register what they know, by the name of the provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from quarterdeck.infra.execution.lasting import Keeping
from quarterdeck.infra.execution.orders import Cloud, InfraOrder
from quarterdeck.kernel.errors import Problem, Unavailable
from quarterdeck.kernel.text import shown


class Credentials(Protocol):
    """Takes up the federated identity for as long as the block runs. Answers environment variables for the provider,
    and raises a `Problem` when the identity is refused. What lasts longer than an hour is kept in files (`keeping`);
    without a place for them it is good for a look.
    """

    def __call__(
        self, cloud: Cloud, *, keeping: Keeping | None = None
    ) -> AbstractAsyncContextManager[Mapping[str, str]]: ...


Discover = Callable[[InfraOrder], Awaitable[dict[str, Any]]]
"""What the cloud has of regions, networks, zones and people; raises a `Problem`."""


@dataclass(frozen=True)
class Provider:
    credentials: Credentials
    discover: Discover


class Providers:
    def __init__(self) -> None:
        self._known: dict[str, Provider] = {}

    def register(self, name: str, credentials: Credentials, discover: Discover) -> None:
        self._known[name] = Provider(credentials, discover)

    def get(self, name: str) -> Provider:
        """Raises `Unavailable` (`infra_cloud_unsupported`)."""
        found = self._known.get(name)
        if found is None:
            raise unsupported(name, sorted(self._known))
        return found


def unsupported(name: str, known: list[str]) -> Problem:
    return Unavailable(
        f"This runner cannot take up an identity at {shown(name, 60) or 'a cloud without a name'}.",
        code="infra_cloud_unsupported",
        hint=f"It can at {', '.join(known)}." if known else "Let a runner of another release take the job.",
    )


providers = Providers()
