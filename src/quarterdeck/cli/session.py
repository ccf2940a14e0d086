"""What a command needs to talk: the terminal and the server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from quarterdeck.cli import profiles
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Common
from quarterdeck.cli.terminal import Terminal

SECRETS = frozenset({
    "privateKey", "clientSecret", "current_password", "new_password", "password", "code", "token", "module_token",
    "wif_config",
})  # fmt: skip
CREDENTIALS = re.compile(r"(://)[^/@\s]+@")


class Planned(Exception):
    """No failure: ends the block of a `session` whose command was asked for its plan alone."""


@dataclass
class Session:
    terminal: Terminal
    api: Api

    @property
    def console(self) -> str:
        return f"{self.api.profile.url}/console"

    def sent(self) -> None:
        """What a command changes has been said: with --plan it ends here. What follows tells what was done."""
        if self.api.planning:
            raise Planned

    def done(self, answer: Any, *, name: str, text: str) -> None:
        """The last word of a command that has changed something."""
        self.sent()
        self.terminal.answer(answer, name=name, text=text)

    def planned(self) -> None:
        """Print what would have been sent."""
        plan = [{**step, "body": hidden(step["body"])} for step in self.api.plan]
        if self.terminal.structured:
            self.terminal.document({"plan": plan})
            return
        if self.terminal.format == "name":
            for step in plan:
                self.terminal.line(step["operation"])
            return
        if not plan:
            self.terminal.say("Nothing would change.")
        for step in plan:
            self.terminal.line(f"{step['method']} {step['path']}   ({step['operation']})")
            if step["body"]:
                self.terminal.line("  " + json.dumps(step["body"], ensure_ascii=False))


def hidden(body: dict[str, Any]) -> dict[str, Any]:
    """A body to show: values of secrets are not, and no credentials inside addresses."""
    if "content" in body:
        return {**body, "content": "****"}
    if "value" in body and (body.get("isSecret") or body.get("kind") == "secret"):
        return {**body, "value": "****"}
    shown: dict[str, Any] = {}
    for key, value in body.items():
        if key in SECRETS or (key == "credential" and isinstance(value, str)):
            shown[key] = "****"
        elif key == "key_values":
            shown[key] = dict.fromkeys(value, "****")
        elif isinstance(value, dict):
            shown[key] = hidden(value)
        else:
            shown[key] = CREDENTIALS.sub(r"\1****@", value) if isinstance(value, str) else value
    return shown


@contextmanager
def session(common: Common) -> Iterator[Session]:
    """Open the chosen server. Raises `Failure` when there is none or no credential for it."""
    name, profile = profiles.chosen(common.profile)
    if profile.token is None:
        raise Failure(
            f"You are not signed in to {profile.url}.",
            exit=Exit.NOT_SIGNED_IN,
            code="not_signed_in",
            hint=f"qd login {profile.url}",
        )
    terminal = Terminal(common)
    api = Api(profile, name=name, planning=terminal.planning)
    opened = Session(terminal, api)
    try:
        yield opened
    except Planned:
        opened.planned()
    finally:
        api.close()
