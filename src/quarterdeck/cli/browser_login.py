"""Being let in by a browser: this program makes a code, a person who is signed in there approves it (ADR 0033)."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.profiles import Profile
from quarterdeck.cli.terminal import Terminal

BETWEEN = 2.0
"""Seconds between two questions, as the contract has it (infra §2.1)."""
BUSY = "http_429"
LIFE = 600.0
"""Seconds after which the server has forgotten a code that nobody approved."""


def by_browser(api: Api, terminal: Terminal) -> Profile:
    """The credential of a session that somebody lets in. Raises `Failure` when it is refused or nobody comes."""
    from quarterdeck.kernel.ids import Ids

    code = Ids().hex(32)
    url = api.profile.url
    page = f"{url}/cli/login?device_code={code}"
    # Asked before the page is opened, so that it can say at once who asks.
    found = _asked(api, code)
    terminal.say(f"Open this page, and let this program in if it shows the same code:\n\n  {page}\n\n  Code  {code}\n")
    _open(page)
    terminal.say("Waiting for somebody to approve it. Ctrl-C stops.")
    for _ in range(int(LIFE / BETWEEN) + 1):
        if found is not None:
            return Profile(url, found["access_token"], renewal=found["refresh_token"])
        time.sleep(BETWEEN)
        found = _asked(api, code, patient=True)
    raise Failure(
        "Nobody approved this login within ten minutes.",
        exit=Exit.TIMED_OUT,
        code="device_login_expired",
        hint=f"qd login {url}",
    )


def _asked(api: Api, code: str, *, patient: bool = False) -> Any:
    """The tokens, None while nobody has approved; `patient` takes a server that does not answer just now for that."""
    try:
        return api.call("POST", "/api/auth/cli/exchange", body={"device_code": code})
    except Failure as failure:
        if failure.exit is Exit.NOT_FOUND or (patient and (failure.exit is Exit.UNREACHABLE or failure.code == BUSY)):
            return None
        if failure.exit not in {Exit.USAGE, Exit.NOT_ALLOWED}:
            raise
        # This surface tells no code of its errors: what it refuses here is a login that is over.
        raise Failure(
            failure.message, exit=Exit.NOT_SIGNED_IN, code="device_login_ended", hint=f"qd login {api.profile.url}"
        ) from None


def _open(page: str) -> None:
    """Only where windows are: a browser of the terminal would take it over."""
    if sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        import webbrowser

        webbrowser.open(page)
