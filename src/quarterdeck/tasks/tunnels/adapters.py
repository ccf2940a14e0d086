"""Programs that make a tunnel, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.tasks.tunnels import rehearsal

KINDS = ("vscode", "cursor", "built-in")
_PROMPT = re.compile(r"https?://\S+ and (?:use|enter) (?:the )?code [A-Za-z0-9-]{4,20}")
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+/tunnel/[^\s\"'<>]+")


@dataclass(frozen=True)
class Adapter:
    """`argv` may hold `{name}` (of the tunnel), `{data}` (a directory of its own below the user's home) and `{python}`
    (one that its user may run). A line that `prompt` matches is shown to people as what they have to do; `address`
    finds where the editor is opened, and its being printed means that the tunnel is there. `farewell` is run after the
    end.
    """

    argv: tuple[str, ...]
    prompt: re.Pattern[str] = _PROMPT
    address: re.Pattern[str] = _ADDRESS
    farewell: tuple[str, ...] = ()

    def command(
        self, name: str, data: Path, words: tuple[str, ...] | None = None, python: str | None = None
    ) -> tuple[str, ...]:
        given = {"{name}": name, "{data}": str(data), "{python}": python or "python3"}
        return tuple(given.get(word, word) for word in (self.argv if words is None else words))


def _editor(program: str) -> Adapter:
    """`code tunnel` and its descendants. The sign-in is kept apart for each task: who signs in owns the tunnel."""
    own = (program, "tunnel", "--cli-data-dir", "{data}")
    return Adapter(argv=(*own, "--accept-server-license-terms", "--name", "{name}"), farewell=(*own, "unregister"))


ADAPTERS: dict[str, Adapter] = {
    "vscode": _editor("code"),
    "cursor": _editor("cursor"),
    # Leads no further than this machine: it shows how tunnels go without an editor's account.
    # Given whole: the agent's user may read nothing of the directory that it lies in.
    "built-in": Adapter(argv=("{python}", "-I", "-S", "-c", Path(rehearsal.__file__).read_text("utf-8"), "{name}")),
}
