"""Signing in and out through the console, with the same commands as the API."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from quarterdeck.console.domain import ledger
from quarterdeck.console.door_ports import AccountRow, Begun, Bootstrap, Finished, ProviderChoice, SignedIn, Step
from quarterdeck.console.views.device import DeviceView
from quarterdeck.console.views.ledger import SessionRow
from quarterdeck.identity import addresses, coming_in, devices, recovery, sessions, setup, signing_in
from quarterdeck.identity.coming_in import AskedIn
from quarterdeck.identity.oidc import accounts, providers
from quarterdeck.identity.sessions import Opened
from quarterdeck.identity.signing_in import SecondFactorRequired
from quarterdeck.kernel.errors import Forbidden, Invalid
from quarterdeck.kernel.http.guard import names_this_machine
from quarterdeck.kernel.http.own_address import own_address
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret

WEEK = 604_800


class Doors:
    """`instance` is the running installation (see `quarterdeck.instance`)."""

    def __init__(self, instance: Any) -> None:
        self.instance = instance

    async def bootstrap(self) -> Bootstrap:
        exists = await self.instance.db.read(setup.administrator_exists)
        return Bootstrap(required=not exists, token_required=self.instance.setup_token is not None)

    async def first_admin(self, *, email: str, name: str, password: str, setup_token: str, request: Any) -> SignedIn:
        """Create the first administrator and sign them in. Raises `Forbidden` for a wrong setup token."""
        token: Secret[str] | None = self.instance.setup_token
        if token is not None and not hmac.compare_digest(setup_token.encode(), token.reveal().encode()):
            raise Forbidden(
                "This is not the setup token.",
                code="setup_token_required",
                hint="The server printed it when it started. Copy it from there.",
                field="setupToken",
            )
        if token is None and not names_this_machine(request.headers.get("host", "")):
            raise Forbidden(
                "The first administrator is created from this machine, under its own name.",
                code="setup_host_refused",
                hint="Open the console as http://localhost or http://127.0.0.1 with its port.",
            )
        await signing_in.create_first_administrator(
            self.instance.db,
            self.instance.access,
            email=email,
            username=None,
            display_name=name or None,
            password=Secret(password),
        )
        return await self._sign_in(email, password, request)

    async def sign_in(self, *, login: str, password: str, request: Any) -> SignedIn | Step:
        try:
            return await self._sign_in(login, password, request)
        except SecondFactorRequired as needed:
            return Step(needed.token.reveal())

    async def _sign_in(self, login: str, password: str, request: Any) -> SignedIn:
        opened: Opened = await signing_in.sign_in(
            self.instance.db,
            self.instance.attempts,
            login,
            Secret(password),
            kinds=("session",),
            client_kind="web",
            user_agent=request.headers.get("user-agent"),
        )
        return SignedIn(self.instance.signer.sign(opened.tokens["session"]), WEEK)

    async def second_step(self, *, token: str, code: str, request: Any) -> SignedIn:
        try:
            opened: Opened = await signing_in.second_step(
                self.instance.db,
                self.instance.attempts,
                token,
                code,
                kinds=("session",),
                client_kind="web",
                user_agent=request.headers.get("user-agent"),
            )
        except Invalid as problem:
            if problem.code != "link_invalid":
                raise
            raise Invalid(
                "It is too long ago that your password was right.",
                code=problem.code,
                hint="Sign in again; the code has five minutes then.",
            ) from None
        return SignedIn(self.instance.signer.sign(opened.tokens["session"]), WEEK)

    async def look_at_invitation(self, token: str) -> AskedIn:
        found: AskedIn = await self.instance.db.read(coming_in.look, token)
        return found

    async def accept_invitation(self, *, token: str, name: str, password: str, request: Any) -> SignedIn | None:
        accepted = await coming_in.accept(
            self.instance.db,
            self.instance.access,
            self.instance.attempts,
            token,
            Secret(password),
            display_name=name or None,
            kinds=("session",),
            client_kind="web",
            user_agent=request.headers.get("user-agent"),
        )
        if accepted.opened is None:
            return None
        return SignedIn(self.instance.signer.sign(accepted.opened.tokens["session"]), WEEK)

    async def sends_mail(self) -> bool:
        return self.instance.settings.mail_server is not None

    async def forgot_password(self, *, email: str, request: Any) -> None:
        base = own_address(self.instance.settings, request.scope["scheme"], request.headers.get("host", ""))
        await recovery.ask_for_link(self.instance.db, email, base)

    async def reset_password(self, *, token: str, password: str) -> None:
        await coming_in.reset(self.instance.db, self.instance.attempts, token, Secret(password))

    async def confirm_address(self, *, token: str) -> None:
        await self.instance.db.write(addresses.confirm, self.instance.access, token)

    async def identity_providers(self) -> tuple[ProviderChoice, ...]:
        rows = await self.instance.db.read(providers.offered)
        return tuple(ProviderChoice(row.slug, row.name) for row in rows)

    async def begin_external(self, slug: str, *, back: str, address: str, member: Principal | None) -> Begun:
        begun = await self.instance.relying_party.begin(slug, redirect_uri=back, address=address, member=member)
        return Begun(begun.name, begun.address, begun.browser.reveal())

    async def finish_external(
        self, slug: str, *, back: str, answer: Mapping[str, str], browser: str, request: Any
    ) -> Finished:
        done = await self.instance.relying_party.finish(
            slug, redirect_uri=back, answer=answer, browser=browser, user_agent=request.headers.get("user-agent")
        )
        if done.opened is None:
            return Finished(done.address, None)
        return Finished(done.address, SignedIn(self.instance.signer.sign(done.opened.tokens["session"]), WEEK))

    async def external_accounts(self, who: Principal) -> tuple[AccountRow, ...]:
        rows = await self.instance.db.read(accounts.connections)
        return tuple(AccountRow(row.slug, row.name, row.account, row.since) for row in rows)

    async def disconnect_external(self, who: Principal, ref: str) -> None:
        await self.instance.db.write(accounts.disconnect, ref)

    async def sign_out(self, who: Principal) -> None:
        await self.instance.db.write(sessions.revoke, who.credential)

    async def sessions(self, who: Principal) -> tuple[SessionRow, ...]:
        rows: tuple[SessionRow, ...] = await self.instance.db.read(ledger.own_sessions)
        return rows

    async def revoke_session(self, who: Principal, ref: str) -> None:
        await self.instance.db.write(sessions.revoke, ref)

    async def device_login(self, who: Principal, code: str) -> DeviceView:
        view: DeviceView = await self.instance.db.read(ledger.device_login, code)
        return view

    async def approve_device(self, who: Principal, code: str) -> None:
        await self.instance.db.write(devices.approve, code)

    async def refuse_device(self, who: Principal, code: str) -> None:
        await self.instance.db.write(devices.refuse, code)
