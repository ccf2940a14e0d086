"""`qd password` and `qd second-factor`: what you sign in with yourself."""

from __future__ import annotations

import sys
from typing import Any

from cyclopts import App

from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import Session, session

COMMON, CHANGING = Common(), Changing()
AT_A_TERMINAL = "Run it on a terminal, where you can be asked."
second_factor = App(name="second-factor", help="Ask for a code of your phone beside your password.")


def password(*, stdin: bool = False, changing: Changing = CHANGING) -> None:
    """Change your own password. Every other session of yours ends; personal tokens stay.

    It asks for the current password and twice for the new one, and shows none of them.

    qd password
    qd password --stdin < passwords.txt

    Parameters
    ----------
    stdin
        Read both from stdin instead: the current one, then the new one, a line each.
    """
    with session(changing) as opened:
        present, new = ("****", "****") if opened.api.planning else _passwords(opened, stdin)
        body = {"current_password": present, "new_password": new}
        answer = opened.api.ours("account.password.change", "POST", "/api/users/password", body)
        opened.done(answer, name="changed", text="Your password is changed. Your other sessions have ended.")


def _passwords(opened: Session, stdin: bool) -> tuple[str, str]:
    if stdin:
        present, new = (sys.stdin.readline().rstrip("\r\n") for _ in range(2))
    else:
        way = "Run it on a terminal, or give both with --stdin, a line each."
        present = opened.terminal.ask("Current password", secret=True, otherwise=way)
        new = opened.terminal.ask("New password", secret=True, otherwise=way)
        if new != opened.terminal.ask("New password again", secret=True, otherwise=way):
            raise usage("The two are not the same. Nothing was changed.", "qd password", code="passwords_differ")
    return present, new


def show(*, common: Common = COMMON) -> None:
    """Say whether you have a second factor, and how many recovery codes are left.

    qd second-factor show
    """
    with session(common) as opened:
        state = opened.api.call("GET", "/api/auth/mfa/status")
        left = state["backup_codes_remaining"]
        text = f"On since {state['enrolled_at']}, {left} recovery codes left." if state["mfa_enabled"] else "Off."
        opened.terminal.answer(state, name="on" if state["mfa_enabled"] else "off", text=text)


def on(*, changing: Changing = CHANGING) -> None:
    """Set up a second factor: scan the code with an authenticator app, then type what the app shows.

    The recovery codes stand alone on stdout afterwards, shown this once.

    qd second-factor on
    """
    with session(changing) as opened:
        if opened.api.planning:
            opened.api.ours("account.second-factor.begin", "POST", "/api/auth/mfa/enroll", {})
            _codes(opened, "confirm", "/api/auth/mfa/confirm", {"code": "****"})
            return
        if not opened.terminal.asks:
            raise usage("A second factor is set up by a person.", AT_A_TERMINAL, code="input_required")
        begun = opened.api.ours("account.second-factor.begin", "POST", "/api/auth/mfa/enroll", {})
        _draw(opened, begun["otpauth_uri"])
        opened.terminal.say(f"Scan this with an authenticator app, or type the secret: {begun['totp_secret']}")
        code = opened.terminal.ask("Code that the app shows", otherwise=AT_A_TERMINAL).strip()
        _codes(opened, "confirm", "/api/auth/mfa/confirm", {"code": code})


def _draw(opened: Session, address: str) -> None:
    """The QR code in half blocks; without them a person types the secret."""
    if opened.terminal.ascii:
        return
    import segno

    segno.make(address, micro=False).terminal(opened.terminal.err, compact=True)


def codes(*, code: str | None = None, changing: Changing = CHANGING) -> None:
    """Make new recovery codes, by a code of your app or one that is left. The old ones end.

    qd second-factor codes

    Parameters
    ----------
    code
        A code of your authenticator, or a recovery code. Asked for on a terminal.
    """
    with session(changing) as opened:
        body = {"code": _code(opened, code)}
        _codes(opened, "renew-codes", "/api/auth/mfa/backup-codes/regenerate", body)


def off(*, code: str | None = None, changing: Changing = CHANGING) -> None:
    """Turn your second factor off. Your password alone signs you in then.

    qd second-factor off

    Parameters
    ----------
    code
        A code of your authenticator, or a recovery code. Asked for on a terminal.
    """
    with session(changing) as opened:
        body = {"code": _code(opened, code)}
        answer = opened.api.ours("account.second-factor.disable", "POST", "/api/auth/mfa/disable", body)
        opened.done(answer, name="off", text="Your second factor is off, and the recovery codes have ended.")


def _code(opened: Session, given: str | None) -> str:
    if opened.api.planning:
        return "****"
    return given or opened.terminal.ask("One-time code", otherwise="Give the one-time code with --code.").strip()


def _codes(opened: Session, verb: str, path: str, body: dict[str, Any]) -> None:
    """Do it, and print the recovery codes that it answers alone on stdout."""
    answer = opened.api.ours(f"account.second-factor.{verb}", "POST", path, body)
    opened.sent()
    opened.done(answer, name="on", text="\n".join(answer["backup_codes"]))
    opened.terminal.say("Recovery codes, shown this once: each signs you in once. Keep them where you keep passwords.")


for command in (show, on, off, codes):
    second_factor.command(command)
