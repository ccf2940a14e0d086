"""What a provider can do. Each is opened for one attempt, with the configuration and credential of its order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from msgspec import Struct, field

from quarterdeck.kernel.errors import Conflict, Invalid, NotFound, ProviderFailure

SECONDS = 10.0
"""For one call."""


class Bundle(Struct, frozen=True):
    """A secret as it is kept: keys and texts. `version` is what a write may say that it has seen; None where the
    provider has no such thing. `raw` is what the provider itself keeps, where a write needs it again. What is not
    `writable` is no object of keys, and a write would destroy it.
    """

    values: Mapping[str, str]
    version: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    writable: bool = True


class Found(Struct, frozen=True):
    """A secret without its values."""

    secret_ref: str
    labels: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    checksum: str | None = None


class Provider(Protocol):
    async def read(self, ref: str) -> Bundle | None:
        """None where there is no such secret. Raises `ProviderFailure`."""
        ...

    async def write(self, ref: str, values: Mapping[str, str], seen: Bundle | None) -> None:
        """Replace a secret whole, or make it (`seen` is None). Raises `ProviderFailure`, and `Conflict`
        (`secret_changed_meanwhile`) where somebody else has written since `seen` was read.
        """
        ...

    def find(self, labels: Mapping[str, str]) -> AsyncIterator[Found]:
        """All secrets that have these labels. Raises `ProviderFailure`."""
        ...

    async def close(self) -> None: ...


def refused(name: str, what: str) -> ProviderFailure:
    """`what` says it without any text that the provider has sent."""
    return ProviderFailure(
        f"{name} {what}.",
        code="secret_provider_refused",
        hint="Look at the connection: address, credential, and what it may do.",
    )


def unreachable(name: str, error: BaseException) -> ProviderFailure:
    return ProviderFailure(
        f"{name} did not answer ({type(error).__name__}).",
        code="secret_provider_unreachable",
        hint="Look whether it runs, and whether the agent reaches it.",
    )


def malformed(ref: str, hint: str) -> Invalid:
    return Invalid(f"{ref[:200]!r} names no secret of this provider.", code="secret_ref_malformed", hint=hint)


def without_credential(name: str, hint: str) -> Invalid:
    return Invalid(f"Nothing is there that opens {name}.", code="provider_credential_missing", hint=hint)


def no_object(ref: str) -> Invalid:
    return Invalid(
        f"{ref[:200]} is no JSON object, and a change of single keys would destroy it.",
        code="secret_no_object",
        hint="Turn it into an object at the provider first.",
    )


def changed_meanwhile(ref: str) -> Conflict:
    return Conflict(
        f"{ref[:200]} was changed by somebody else meanwhile.", code="secret_changed_meanwhile", hint="Ask again."
    )


def missing(ref: str) -> NotFound:
    return NotFound(
        f"There is no secret {ref[:200]}, or none of the keys.",
        code="secret_missing",
        hint="Look which secrets there are.",
    )
