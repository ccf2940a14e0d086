"""`qd doctor`: whether the server has what it needs."""

from __future__ import annotations

from quarterdeck.cli.failure import Failure
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import session
from quarterdeck.cli.states import Shown


def doctor(*, common: Common = Common()) -> None:
    """Check the server: database, schema, engine, edge, workers. Ends with 1 when something is wrong.

    qd doctor
    qd doctor -o json
    """
    with session(common) as opened:
        body = opened.api.read("system.doctor")
        terminal, readiness = opened.terminal, body["readiness"]
        good = readiness["status"] == "ready"
        problem = Failure(
            f"{opened.api.profile.url} is {readiness['status']}.",
            code="degraded",
            hint=f"{opened.console}/",
            facts=body,
        )
        if terminal.structured or terminal.format == "name":
            if not good:
                raise problem
            terminal.answer(body, name=readiness["status"], text="")
            return
        for key, passed in readiness["checks"].items():
            shown = Shown("good", "in order") if passed else Shown("bad", "wrong")
            terminal.line(f"  {key:<14} {terminal.state(shown)}")
        for key, text in (readiness.get("details") or {}).items():
            terminal.line(f"  {key:<14} {text}")
        for provider in body["providers"]:
            ready = (provider.get("configuration") or {}).get("status") == "configured"
            shown = Shown("good", "ready") if ready else Shown("off", "not configured")
            terminal.line(f"  {provider['key']:<14} {terminal.state(shown)}")
        if not good:
            raise problem
