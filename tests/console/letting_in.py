"""Who is let in, as a test's console knows them: programs, whose code says in which state their login is, and people
with a mail.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from quarterdeck.console.door_ports import SignedIn
from quarterdeck.console.views.device import DeviceView
from quarterdeck.identity.coming_in import AskedIn
from quarterdeck.kernel.errors import Invalid


class LettingIn:
    _did: Any
    """What was done is written down by whoever inherits this."""
    mail = True

    async def device_login(self, who: Any, code: str) -> DeviceView:
        state, _, place = code.partition("-")
        view = DeviceView(code, state, "Mara Lindqvist", "Saltmarsh", "127.0.0.1")
        if state == "unknown":
            return view
        address = "198.51.100.7" if place == "elsewhere" else view.here
        return replace(view, address=address, program="alethia/0.4.0", asked=NOW - timedelta(seconds=20))

    async def approve_device(self, who: Any, code: str) -> None:
        if code.startswith("expired"):
            raise Invalid("Nobody approved this login within ten minutes.", hint="Start the login again.")
        self._did("approve-device", code)

    async def refuse_device(self, who: Any, code: str) -> None:
        self._did("refuse-device", code)

    async def look_at_invitation(self, token: str) -> AskedIn:
        if token == "used":
            raise Invalid("The link is not valid any more.", code="link_invalid", hint="Ask for a new one.")
        return AskedIn("bob@saltmarsh.example", "Saltmarsh", "Mara Lindqvist", new=token != "two-factors")

    async def accept_invitation(self, *, token: str, name: str, password: str, request: Any) -> SignedIn | None:
        self._did("accept-invitation", token, name, password)
        return None if token == "two-factors" else SignedIn("mara", 604_800)

    async def sends_mail(self) -> bool:
        return self.mail

    async def forgot_password(self, *, email: str, request: Any) -> None:
        self._did("forgot-password", email)

    async def confirm_address(self, *, token: str) -> None:
        if token == "used":
            raise Invalid("The link is not valid any more.", code="link_invalid", hint="Ask for a new one.")
        self._did("confirm-address", token)

    async def reset_password(self, *, token: str, password: str) -> None:
        if len(password) < 10:
            raise Invalid("A password has 10 characters.", hint="Choose a longer one.", field="password")
        self._did("reset-password", token, password)
