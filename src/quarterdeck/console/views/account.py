"""The reader's own account: what they sign in with, and what acts for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SignInView:
    """`password` is whether there is one, `factor` since when a second factor counts, `codes` how many recovery codes
    are left, `others` how many other sessions are live, `tokens` how many personal tokens are.
    """

    password: bool
    factor: datetime | None
    codes: int
    others: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor that waits for its first code. Both are secrets, for this answer alone."""

    secret: str = field(repr=False)
    address: str = field(repr=False)

    @property
    def spaced(self) -> str:
        """The secret in groups of four, as people type it."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A personal token; no scopes are everything that its owner may do."""

    ref: str
    label: str
    prefix: str
    scopes: tuple[str, ...]
    organization: str
    since: datetime
    until: datetime | None
    used: datetime | None
    revoked: datetime | None
    expired: bool

    @property
    def live(self) -> bool:
        return self.revoked is None and not self.expired


@dataclass(frozen=True, slots=True)
class NewToken:
    """`secret` is the token itself, for this answer alone."""

    label: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """One that the reader is a member of; `here` is where they act."""

    ref: str
    name: str
    slug: str
    role: str
    here: bool
