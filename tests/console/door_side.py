"""Signing in and out, as the made-up installation of `portside` shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from quarterdeck.console.door_ports import AccountRow, Begun, Bootstrap, Finished, ProviderChoice, SignedIn, Step
from quarterdeck.console.views.ledger import SessionRow
from quarterdeck.identity.passwords import check_new
from quarterdeck.kernel.errors import Invalid, Unauthenticated
from quarterdeck.kernel.vault import Secret


class DoorSide:
    """Mara and Aiko have one password; Aiko has a second factor."""

    bootstrap_state: Bootstrap
    _did: Callable[..., None]

    async def bootstrap(self) -> Bootstrap:
        return self.bootstrap_state

    async def first_admin(self, *, email: str, name: str, password: str, setup_token: str, request: Any) -> SignedIn:
        check_new(Secret(password))
        self._did("first-admin", email, name, setup_token)
        return SignedIn("mara", 604_800)

    async def sign_in(self, *, login: str, password: str, request: Any) -> SignedIn | Step:
        if login == "aiko" and password == "correct horse battery":
            return Step("right-password")
        if password != "correct horse battery":
            raise Unauthenticated("This name and password do not go together.", hint="Check both and try again.")
        return SignedIn("mara", 604_800)

    async def second_step(self, *, token: str, code: str, request: Any) -> SignedIn:
        if token != "right-password":
            raise Invalid("It is too long ago that your password was right.", code="link_invalid")
        if code not in {"123456", "0a1b2c3d-4e5f6a7b"}:
            raise Unauthenticated("The code is wrong.", code="second_factor_code_wrong")
        self._did("second-step", code)
        return SignedIn("mara", 604_800)

    async def identity_providers(self) -> tuple[ProviderChoice, ...]:
        return (ProviderChoice("team", "Saltmarsh login"),)

    async def begin_external(self, slug: str, *, back: str, address: str, member: Any) -> Begun:
        self._did("begin-external", slug, back, address, member)
        return Begun("Saltmarsh login", "https://login.saltmarsh.example/authorize?state=x", "kept")

    async def finish_external(self, slug: str, *, back: str, answer: Any, browser: str, request: Any) -> Finished:
        self._did("finish-external", slug, dict(answer), browser)
        return Finished("/console/projects", SignedIn("mara", 604_800))

    async def external_accounts(self, who: Any) -> tuple[AccountRow, ...]:
        return (
            AccountRow("team", "Saltmarsh login", "acc_1", NOW - timedelta(days=9)),
            AccountRow("old", "Old login", None, None),
        )

    async def disconnect_external(self, who: Any, ref: str) -> None:
        self._did("disconnect", ref)

    async def sign_out(self, who: Any) -> None:
        self._did("sign-out", who)

    async def sessions(self, who: Any) -> tuple[SessionRow, ...]:
        return (
            SessionRow("ses_1", "Chromium on Linux", "127.0.0.1", NOW - timedelta(hours=2), NOW, True),
            SessionRow(
                "ses_2", "qd on fra-1", "198.51.100.7", NOW - timedelta(days=3), NOW - timedelta(hours=9), False
            ),
        )

    async def revoke_session(self, who: Any, ref: str) -> None:
        self._did("revoke", ref)
