"""Programs that make a tunnel, as data."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

KINDS = ("vscode", "cursor", "built-in")
_PROMPT = re.compile(r"https?://\S+ and (?:use|enter) (?:the )?code [A-Za-z0-9-]{4,20}")
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+/tunnel/[^\s\"'<>]+")


@dataclass(frozen=True)
class Adapter:
    """`argv` may hold `{name}` (of the tunnel) and `{data}` (a directory of its own below the user's home). A line that
    `prompt` matches is shown to people as what they have to do; `address` finds where the editor is opened, and its
    being printed means that the tunnel is there. `farewell` is run after the end.
    """

    argv: tuple[str, ...]
    prompt: re.Pattern[str] = _PROMPT
    address: re.Pattern[str] = _ADDRESS
    farewell: tuple[str, ...] = ()

    def command(self, name: str, data: Path, words: tuple[str, ...] | None = None) -> tuple[str, ...]:
        given = {"{name}": name, "{data}": str(data)}
        return tuple(given.get(word, word) for word in (self.argv if words is None else words))


def _editor(program: str) -> Adapter:
    """`code tunnel` and its descendants. The sign-in is kept apart for each task: who signs in owns the tunnel."""
    own = (program, "tunnel", "--cli-data-dir", "{data}")
    return Adapter(argv=(*own, "--accept-server-license-terms", "--name", "{name}"), farewell=(*own, "unregister"))


ADAPTERS: dict[str, Adapter] = {
    "vscode": _editor("code"),
    "cursor": _editor("cursor"),
    # Leads no further than this machine: it shows how tunnels go without an editor's account.
    "built-in": Adapter(argv=(sys.executable, "-I", str(Path(__file__).with_name("rehearsal.py")), "{name}")),
}
