"""What a rule raises when it says no.

A `Problem` says what happened, to which thing, and what to do next. Its `kind` is the shape of the refusal; surfaces
turn `kind` and `code` into a status and their own envelope. Messages and details never carry secrets or raw output.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

Kind = Literal[
    "invalid", "unauthenticated", "forbidden", "not-found", "conflict", "outdated", "provider", "unavailable",
    "timeout", "internal",
]  # fmt: skip
Category = Literal["user", "infra", "provider", "retryable", "timeout"]


class Problem(Exception):
    """A refusal or failure that a person can act on.

    `code` is the stable word of the contract (`project_archived`); `hint` is the next step; `details` are safe facts
    (`phase`, `relatedEntityId`, …) in the spelling of the wire.
    """

    kind: ClassVar[Kind] = "internal"
    category: ClassVar[Category] = "infra"
    default_code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.details = details


class Invalid(Problem):
    kind = "invalid"
    category = "user"
    default_code = "validation_error"


class Unauthenticated(Problem):
    kind = "unauthenticated"
    category = "user"
    default_code = "product_auth_missing"


class Forbidden(Problem):
    kind = "forbidden"
    category = "user"
    default_code = "product_auth_forbidden"


class NotFound(Problem):
    kind = "not-found"
    category = "user"
    default_code = "not_found"


class Conflict(Problem):
    kind = "conflict"
    category = "user"
    default_code = "conflict"


class Outdated(Problem):
    """The caller speaks a version of a protocol that is no longer, or not yet, spoken here."""

    kind = "outdated"
    category = "user"
    default_code = "protocol_outdated"


class ProviderFailure(Problem):
    kind = "provider"
    category = "provider"
    default_code = "provider_error"


class Unavailable(Problem):
    kind = "unavailable"
    category = "retryable"
    default_code = "unavailable"


class RateLimited(Unavailable):
    """Too many requests of one credential, address or name; `retry_after` is in whole seconds."""

    default_code = "rate_limited"

    def __init__(self, message: str, *, retry_after: int, limit: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint, retryAfterSeconds=retry_after, **({"limit": limit} if limit else {}))
        self.retry_after = retry_after
        self.limit = limit


class Timeout(Problem):
    kind = "timeout"
    category = "timeout"
    default_code = "coordination_timeout"
