"""What the pages about signing in and one's own account ask of the rest of the program: see `ports`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from quarterdeck.console.views.account import Enrolment, NewToken, OrganizationRow, SignInView, TokenRow
from quarterdeck.console.views.device import DeviceView
from quarterdeck.console.views.ledger import SessionRow
from quarterdeck.identity.coming_in import AskedIn

Principal = Any


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the value of its cookie and its life in seconds."""

    token: str
    max_age: int


@dataclass(frozen=True, slots=True)
class Step:
    """`token` stands for a password that was right, for five minutes."""

    token: str


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Whether the first administrator is still to be made, and whether that needs the setup token."""

    required: bool
    token_required: bool


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """An identity provider that the sign-in page offers."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Begun:
    """The way to an identity provider, and what the browser keeps meanwhile."""

    name: str
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Finished:
    """`signed_in` is missing where an account was connected."""

    address: str
    signed_in: SignedIn | None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An identity provider on one's own page; `account` and `since` where it is connected."""

    slug: str
    name: str
    account: str | None
    since: datetime | None


class Doors(Protocol):
    """Signing in and out."""

    async def bootstrap(self) -> Bootstrap: ...

    async def first_admin(
        self, *, email: str, name: str, password: str, setup_token: str, request: Any
    ) -> SignedIn: ...

    async def sign_in(self, *, login: str, password: str, request: Any) -> SignedIn | Step:
        """A step where the password was right and a one-time code is still to come."""
        ...

    async def second_step(self, *, token: str, code: str, request: Any) -> SignedIn:
        """The rest of a sign-in whose password was right. Raises Invalid (link_invalid) when that is too long ago,
        Unauthenticated for a wrong code.
        """
        ...

    async def look_at_invitation(self, token: str) -> AskedIn:
        """What an invitation says, which stays as it is. Raises Invalid (link_invalid), NotFound (invitation_ended)."""
        ...

    async def accept_invitation(self, *, token: str, name: str, password: str, request: Any) -> SignedIn | None:
        """None where the invitation is accepted and a one-time code is still to come: sign in with it. An empty name
        leaves the one there is. Raises Invalid (link_invalid), NotFound (invitation_ended), Unauthenticated for the
        wrong password of an account that exists, Forbidden.
        """
        ...

    async def sends_mail(self) -> bool:
        """Whether there is a mail server."""
        ...

    async def forgot_password(self, *, email: str, request: Any) -> None:
        """Mail a link if somebody has the address; nothing tells the caller whether."""
        ...

    async def reset_password(self, *, token: str, password: str) -> None:
        """Every session of the account ends. Raises Invalid (link_invalid)."""
        ...

    async def confirm_address(self, *, token: str) -> None:
        """Raises Invalid (link_invalid), Conflict (email_taken)."""
        ...

    async def identity_providers(self) -> tuple[ProviderChoice, ...]: ...

    async def begin_external(self, slug: str, *, back: str, address: str, member: Principal | None) -> Begun:
        """The way to a provider that sends its answer to `back`; for a member it connects instead of signing in."""
        ...

    async def finish_external(
        self, slug: str, *, back: str, answer: Mapping[str, str], browser: str, request: Any
    ) -> Finished: ...

    async def external_accounts(self, who: Principal) -> tuple[AccountRow, ...]: ...

    async def disconnect_external(self, who: Principal, ref: str) -> None: ...

    async def sign_out(self, who: Principal) -> None: ...

    async def sessions(self, who: Principal) -> tuple[SessionRow, ...]: ...

    async def revoke_session(self, who: Principal, ref: str) -> None: ...

    async def device_login(self, who: Principal, code: str) -> DeviceView:
        """Of any code that is one, asked with or not."""
        ...

    async def approve_device(self, who: Principal, code: str) -> None: ...

    async def refuse_device(self, who: Principal, code: str) -> None: ...


class Account(Protocol):
    """The reader's own account. Whoever comes by a token of a program is refused what makes or ends credentials."""

    async def sign_in_view(self, who: Principal) -> SignInView: ...

    async def change_password(self, who: Principal, *, present: str, new: str) -> None:
        """Every other session ends. Raises Invalid for the field `currentPassword` or `password`."""
        ...

    async def sign_out_elsewhere(self, who: Principal) -> int:
        """Answers how many sessions ended."""
        ...

    async def begin_factor(self, who: Principal) -> Enrolment: ...

    async def begun_factor(self, who: Principal, secret: str) -> Enrolment | None:
        """What `begin_factor` answered, for who still has its secret."""
        ...

    async def confirm_factor(self, who: Principal, code: str) -> tuple[str, ...]:
        """The recovery codes, this once."""
        ...

    async def renew_codes(self, who: Principal, code: str) -> tuple[str, ...]: ...

    async def switch_off_factor(self, who: Principal, *, password: str, code: str) -> None:
        """`password` is looked at where there is one."""
        ...

    async def tokens(self, who: Principal) -> tuple[TokenRow, ...]:
        """Newest first, those that have ended included."""
        ...

    async def create_token(
        self, who: Principal, *, label: str, scopes: tuple[str, ...], days: int | None
    ) -> NewToken: ...

    async def revoke_token(self, who: Principal, ref: str) -> None: ...

    async def organizations(self, who: Principal) -> tuple[OrganizationRow, ...]:
        """Where the reader may act, with this session."""
        ...

    async def switch_organization(self, who: Principal, ref: str) -> None: ...
