"""Programs that ask to be let in, as a test's console knows them: the code says in which state its login is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from quarterdeck.console.views.device import DeviceView
from quarterdeck.kernel.errors import Invalid


class LettingIn:
    _did: Any
    """What was done is written down by whoever inherits this."""

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
